"""Git as an outside thing: its processes, its index, and what it ignores. Standard library only."""
