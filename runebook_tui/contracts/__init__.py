"""Contracts: an interface's file, read for what the plan asks of it."""
