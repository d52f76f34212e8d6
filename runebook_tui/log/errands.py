"""Errands: what one host's engine has another's do, through the store that both share.

An errand is a question of the engine's protocol; its answer comes back by the same way. It is given out once:
what an engine took and did not answer, because it was killed, is not done a second time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from runebook_tui.log.eventlog import LogError

MOST_WAITING = 256
"""Errands that wait for one host at the most."""
MOST_BYTES = 2 * 1024 * 1024
"""Of one question, and of one answer."""


class Errand(NamedTuple):
    """Something for the engine of `host` to do, in the name of the operator of `sender`."""

    id: str
    sender: str
    host: str
    question: str


class TooManyErrandsError(LogError):
    """Too many errands wait for that host already."""


class ErrandBox(Protocol):
    """Where errands lie until they are done. Every method raises LogError."""

    def put(self, errand: Errand, seconds: float) -> None:
        """Leave an errand, which is void after `seconds`. What is void already is removed."""

    def take(self, host: str) -> list[Errand]:
        """The errands for `host` that nobody has taken, oldest first."""

    def answer(self, errand: str, answer: str) -> None:
        """Leave the answer, where somebody still waits for it."""

    def collect(self, errand: str) -> str | None:
        """The answer, None while there is none; it is removed with its errand."""

    def withdraw(self, errand: str) -> None:
        """Nobody waits for it any more."""

    def close(self) -> None:
        """Let go of the store."""


@dataclass
class _Lying:
    errand: Errand
    until: float
    taken: bool = False
    answer: str | None = None


@dataclass
class MemoryErrands:
    """An ErrandBox without a store; `ring` is called when something was left."""

    ring: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.monotonic
    _lying: dict[str, _Lying] = field(default_factory=dict)

    def put(self, errand: Errand, seconds: float) -> None:
        """See ErrandBox.put."""
        now = self.clock()
        self._lying = {name: each for name, each in self._lying.items() if each.until > now}
        if sum(each.errand.host == errand.host for each in self._lying.values()) >= MOST_WAITING:
            raise TooManyErrandsError(f"too many errands wait for host {errand.host}")
        self._lying[errand.id] = _Lying(errand, now + seconds)
        self.ring()

    def take(self, host: str) -> list[Errand]:
        """See ErrandBox.take."""
        now = self.clock()
        found = [
            each
            for each in self._lying.values()
            if each.errand.host == host and not each.taken and each.until > now
        ]
        for each in found:
            each.taken = True
        return [each.errand for each in found]

    def answer(self, errand: str, answer: str) -> None:
        """See ErrandBox.answer."""
        if errand in self._lying:
            self._lying[errand].answer = answer
            self.ring()

    def collect(self, errand: str) -> str | None:
        """See ErrandBox.collect."""
        lying = self._lying.get(errand)
        if lying is None or lying.answer is None:
            return None
        return self._lying.pop(errand).answer

    def withdraw(self, errand: str) -> None:
        """See ErrandBox.withdraw."""
        self._lying.pop(errand, None)

    def close(self) -> None:
        """See ErrandBox.close."""
