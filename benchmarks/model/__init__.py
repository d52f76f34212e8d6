"""A scripted model on loopback: speaks to coding agents as their vendors' servers do, and says what it is told."""
