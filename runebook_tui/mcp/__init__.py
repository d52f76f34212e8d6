"""The tools for agents, over MCP: a face like the TUI, for those who cannot see one."""
