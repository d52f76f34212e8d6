"""The plan, and what is decided from it: plan files read and checked, commands turned into events."""
