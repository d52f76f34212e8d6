"""A scripted model on loopback: it speaks as the vendors' servers do, and says what it is told."""
