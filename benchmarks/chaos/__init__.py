"""Chaos: whatever can die is killed at random instants, and a ledger outside says what was lost."""
