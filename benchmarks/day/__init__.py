"""A working day of many agents in a quarter of an hour: whether memory, files and keys stay as they were."""
