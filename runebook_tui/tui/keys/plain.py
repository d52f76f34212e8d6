"""The commands that plain mode alone has: what the other screens show without being asked."""

from __future__ import annotations

from runebook_tui.tui.commands import AGENTS, LOOK, Command

TABLE = (
    Command("plain.agents", "", "agents", "what every agent does, one a line", "agents", AGENTS),
    Command("plain.hear", "", "hear", "hear every change, or only what needs you again", "hear", LOOK),
)
