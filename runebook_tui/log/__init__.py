"""The append-only log of events, its SQLite store and its in-memory twin."""
