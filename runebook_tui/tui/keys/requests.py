"""The commands of the requests."""

from __future__ import annotations

from runebook_tui.tui.commands import CARD, REQUESTS, Command

TABLE = (
    Command(
        "requests.decided", "c", "decided ones", "see what was decided, when and why, or not", "old", REQUESTS
    ),
    Command("requests.restore", "U", "restore", "bring back what an undo removed", "restore", REQUESTS),
)

SHEET = tuple(
    each
    for each in CARD
    if each.id in {"card.task", "card.plan", "card.widen", "card.transfer", "card.hand_over", "card.earlier"}
)
"""The commands of the card that the list of requests alone has not."""
