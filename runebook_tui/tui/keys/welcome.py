"""The commands of the welcome, before there is a plan."""

from __future__ import annotations

from runebook_tui.tui.commands import Command

_GROUP = "Begin"

TABLE = (
    Command("welcome.begin", "enter", "begin", "write the plan that is shown, and begin", "begin", _GROUP),
    Command("welcome.text", "t", "text", "show the text of the plan", "text", _GROUP),
    Command("welcome.more", "plus", "more agents", "share the files among more agents", "agents(1)", _GROUP),
    Command("welcome.fewer", "minus", "fewer agents", "share them among fewer", "agents(-1)", _GROUP),
    Command("welcome.client", "c", "client", "choose what the agents run", "client", _GROUP),
    Command("welcome.repository", "g", "git init", "make a git repository here", "make_repository", _GROUP),
    Command("welcome.stop", "escape", "stop", "stop what takes long, else leave", "stop", _GROUP),
    Command("welcome.leave", "q,ctrl+q,ctrl+c", "leave", "leave; nothing is written", "leave", _GROUP),
)
