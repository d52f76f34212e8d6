"""Outage: that something cannot be had is said at once, then ever more rarely, and that it is over once."""

from __future__ import annotations

import time
from collections.abc import Callable

AGAIN_MINUTES = (1, 5, 15)
"""It is said again when it has lasted so long; after that, as often as the last one says."""


class Outage:
    """Says that `what` is the case, and `end` when it is not any more. `clock` is in seconds."""

    def __init__(
        self, say: Callable[[str], None], what: str, end: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._what = what
        self._end = end
        self._clock = clock
        self._since: float | None = None
        self._told = 0

    def note(self, why: str) -> None:
        """It is so, for this reason."""
        now = self._clock()
        if self._since is None:
            self._since, self._told = now, 0
            self._say(f"{self._what}: {why}")
            return
        minutes = (now - self._since) / 60
        if minutes >= _minutes(self._told):
            while minutes >= _minutes(self._told):
                self._told += 1
            self._say(f"{self._what} (for {int(minutes)} min): {why}")

    def over(self) -> None:
        """It is not so."""
        if self._since is not None:
            self._say(f"{self._end}, after {self._clock() - self._since:.0f} s")
            self._since = None


def _minutes(told: int) -> int:
    """How long it has lasted when it is said again, having been said `told` times before."""
    late = told - len(AGAIN_MINUTES) + 1
    return AGAIN_MINUTES[told] if late <= 0 else AGAIN_MINUTES[-1] * (late + 1)
