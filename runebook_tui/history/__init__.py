"""What was in each file, and who wrote it."""
