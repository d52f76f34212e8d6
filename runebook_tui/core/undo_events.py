"""What happens to what a request wrote: it is taken back, or cannot be, or is brought back."""

from __future__ import annotations

from typing import Literal

from runebook_tui.core.fact import Fact
from runebook_tui.core.types import Change


class ChangeUndone(Fact):
    """What a request had written was taken back; the patch holds what was removed."""

    type: Literal["ChangeUndone"] = "ChangeUndone"
    undo: str
    """The undo's id, such as "u1"."""
    request: int
    changes: tuple[Change, ...]
    """What the undo itself changed; both sides of a change are the same where nothing was left to undo."""
    patch: str
    """The patch's path."""


class UndoRefused(Fact):
    """What a request had written to a path could not be taken back; the patch holds the change."""

    type: Literal["UndoRefused"] = "UndoRefused"
    undo: str
    request: int
    path: str
    reason: str
    patch: str


class UndoRestored(Fact):
    """What an undo had removed is back."""

    type: Literal["UndoRestored"] = "UndoRestored"
    undo: str
    changes: tuple[Change, ...]
