"""The built-in agents of Runebook, found through the entry points `runebook.agents`."""
