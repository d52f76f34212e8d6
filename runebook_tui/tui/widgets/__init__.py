"""Widgets of the cockpit: each draws what it is given and posts intents."""
