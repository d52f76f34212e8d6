"""Agents' own hooks: the program that an agent's client runs, what it is told, and what it understands."""
