"""Capture: what runs in the agents' panes. The shells' own files, their relay, and the reading of a pane's output."""
