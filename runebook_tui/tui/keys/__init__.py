"""The commands of each mode, one module a mode."""
