"""The commands of the requests."""

from __future__ import annotations

from dataclasses import replace

from runebook_tui.tui.commands import CARD, COCKPIT, DECIDING, REQUESTS, Command

TABLE = (
    Command(
        "requests.decided", "c", "decided ones", "see what was decided, when and why, or not", "old", REQUESTS
    ),
    Command("requests.restore", "U", "restore", "bring back what an undo removed", "restore", REQUESTS),
)

_OF_THE_CARD = {"card.task", "card.plan", "card.widen", "card.transfer", "card.hand_over", "card.earlier"}

COMMON = (
    *(
        replace(each, key="enter") if each.id == "request.open" else each
        for each in DECIDING
        if each.id != "request.unmark"
    ),
    *(each for each in CARD if each.id in _OF_THE_CARD),
    *(each for each in COCKPIT if each.id in ("agent.say", "agent.say_several")),
)
"""What it shares with cockpit and card. Escape goes back here, and `o` transfers; so enter opens."""
