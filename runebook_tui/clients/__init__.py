"""Agent CLIs: how each is started so that it knows its boundaries and keeps to them; one module a client."""
