"""The commands of the plan."""

from __future__ import annotations

from runebook_tui.tui.commands import Command

_GROUP = "Plan"

TABLE = (
    Command(
        "plan.edit", "e", "change", "change what the agent owns or may write; patch first", "edit", _GROUP
    ),
    Command(
        "plan.file", "E", "edit the file", "edit runebook.toml in your editor; patch first", "file", _GROUP
    ),
    Command(
        "plan.apis", "i", "interfaces", "list the interfaces with their contracts, or not", "apis", _GROUP
    ),
    Command("plan.check", "c", "check", "check the plan's file as it is now", "check", _GROUP),
)
