"""News: what plain mode says unasked: what needs the operator, how that ends, and on demand every change."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from runebook_tui.core import events as e
from runebook_tui.core.aftermath import DecisionTakenBack
from runebook_tui.core.calls import Call, Herald, calls
from runebook_tui.core.printable import visible
from runebook_tui.core.sentences import sentence
from runebook_tui.core.state import State
from runebook_tui.tui.backend import Update

_MOST = 20
"""Changes that are told of one update."""
_TEXT = 500
_ENDS = (e.CoordinationResponse, e.RequestWithdrawn, DecisionTakenBack, e.HoldEnded, e.AttemptRefused)
"""What is always told: how a request came to its end, and what was tried that only the operator may."""


class News:
    """Turns updates into lines. With `everything` each change is told, else what concerns the operator."""

    def __init__(self) -> None:
        self.everything = False
        self._herald: Herald | None = None
        self._alive = False

    def begin(self, alive: bool) -> None:
        """Whether an engine runs at first."""
        self._alive = alive

    def of_update(self, update: Update, told: Collection[int]) -> Iterator[str]:
        """What an update brings; `told` are requests whose decision the operator knows of already."""
        if update.engine_alive != self._alive:
            down = "the engine does not run; start the engine brings it back"
            yield "the engine runs" if update.engine_alive else down
        self._alive = update.engine_alive
        shown = [
            visible(sentence(each), _TEXT)
            for each in update.records
            if (self.everything or isinstance(each.event, _ENDS))
            and not (isinstance(each.event, e.CoordinationResponse) and each.event.request in told)
        ]
        yield from shown[:_MOST]
        if len(shown) > _MOST:
            yield f"and {len(shown) - _MOST} more changes: log shows them"

    def calls(self, state: State, now: float, *, known: bool = False) -> tuple[Call, ...]:
        """What needs the operator since it was last asked; with `known`, all of it counts as told."""
        found = calls(state, now)
        if self._herald is None or known:
            self._herald = Herald(found)
            return ()
        return self._herald.hear(found, now, lambda call: False, 0.0)
