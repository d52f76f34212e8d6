"""The ledger: what was said to the engine and what it answered, kept outside of Runebook."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Outcome = Literal["taken", "refused", "unknown"]
"""What the engine answered; "unknown" when it died, or could not be reached, before it did."""


class Vote(NamedTuple):
    """One operator's answer to a request."""

    request: int
    operator: str
    decision: Literal["approved", "rejected"]
    outcome: Outcome
    words: str
    """Of a refusal."""
    time: float = 0.0
    """When it was answered, unix seconds."""


class Life(NamedTuple):
    """One process of an agent's: a pid alone may be somebody else's by now."""

    pid: int
    started: float
    attempt: int
    """How often the agent had been started, this time included."""


@dataclass
class Ledger:
    """Several threads may write it."""

    said: dict[str, Outcome] = field(default_factory=dict)
    """Messages by their text, each of which is said once."""
    votes: list[Vote] = field(default_factory=list)
    meant: set[int] = field(default_factory=set)
    """Requests that an operator said yes to, or was about to."""
    lives: dict[str, Life] = field(default_factory=dict)
    """The agents that must be alive, each as the one process that it is."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, text: str, outcome: Outcome, words: str = "") -> None:
        """A message was said."""
        with self._lock:
            self.said[text] = outcome

    def vote(self, vote: Vote) -> None:
        """An operator has decided, or tried to."""
        with self._lock:
            self.votes.append(vote)

    def mean(self, request: int) -> None:
        """An operator is about to say yes to a request."""
        with self._lock:
            self.meant.add(request)

    def copy(self) -> tuple[dict[str, Outcome], list[Vote]]:
        """Messages and votes so far. What is under way is in neither."""
        with self._lock:
            return dict(self.said), list(self.votes)

    def count(self) -> Iterable[tuple[str, int]]:
        """Figures for people."""
        said, votes = self.copy()
        yield "messages taken", sum(each == "taken" for each in said.values())
        yield "messages whose answer was lost", sum(each == "unknown" for each in said.values())
        yield "decisions taken", sum(each.outcome == "taken" for each in votes)
        yield "decisions that came too late", sum(each.outcome == "refused" for each in votes)
        yield "decisions whose answer was lost", sum(each.outcome == "unknown" for each in votes)
