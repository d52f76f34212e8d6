"""Capture: what runs in the agents' panes: the shells' own files, their relay, and how output is read."""
