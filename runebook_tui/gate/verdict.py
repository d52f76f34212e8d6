"""What the gate answers to a stopped call."""

from __future__ import annotations

from collections.abc import Callable

from runebook_tui.gate.stopped import Call


class Continue:
    """The kernel carries the call out."""


class Refuse:
    """The call fails with the errno `number`."""

    def __init__(self, number: int) -> None:
        self.number = number


class Hold:
    """The call waits; `Observer.settle` answers it later, or `Observer.again` judges it anew."""


Verdict = Continue | Refuse | Hold
Decide = Callable[[Call], Verdict]

CONTINUE = Continue()


def observe(call: Call) -> Verdict:
    """Everything passes."""
    return CONTINUE
