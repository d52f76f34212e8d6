"""A stopped call as it was read: what it would do, and to what."""

from __future__ import annotations

from runebook_tui.gate.calls import Change
from runebook_tui.gate.notify import Notification
from runebook_tui.gate.record import Record


class Act:
    """One change of a call, and its record: None where nobody is told (outside, in `.git/`)."""

    __slots__ = ("change", "record")

    def __init__(self, change: Change, record: Record | None) -> None:
        self.change = change
        self.record = record


class Call:
    """A call: `notification`, its `acts`, and why it could not be read.

    `closed`: the caller's memory or its folders in /proc are shut. `number`: the errno of what failed while
    it was read (the call fails by itself then, or its process is gone); 0 for none.
    """

    __slots__ = ("acts", "closed", "notification", "number")

    def __init__(
        self, notification: Notification, acts: list[Act], *, closed: bool = False, number: int = 0
    ) -> None:
        self.notification = notification
        self.acts = acts
        self.closed = closed
        self.number = number
