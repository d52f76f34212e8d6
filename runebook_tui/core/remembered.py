"""Remembered: small facts about what happened last, as the state keeps them. Times are unix seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """What the operator decided last: one request, or several at once."""

    requests: tuple[int, ...]
    group: str
    """What those have in common that were decided together; "" for one alone."""
    time: float
    """Unix seconds."""
    plan_before: str = ""
    """Where the plan was changed by it: the SHA-256 of its text before."""
    plan_after: str = ""
    """And after."""


@dataclass(frozen=True, slots=True)
class RecentTouch:
    """A touch, short: for "who is editing what now"."""

    path: str
    author: str | None
    time: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody tried that only the operator may."""

    speaker: str
    attempt: str
    reason: str
    time: float
    """Unix seconds."""
    count: int = 1
    """How many there were; of more than one this is the last."""


@dataclass(frozen=True, slots=True)
class Message:
    """Words from one to others (`core/messages.py`)."""

    id: int
    sender: str
    to: tuple[str, ...]
    text: str
    time: float
    """Unix seconds."""
    request: int | None = None
    read: frozenset[str] = frozenset()
    """Who was given it."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine that last took the lease."""

    pid: int
    host: str
    started_at: float
    serves: str = ""
    """The host of the plan that it is the engine of; "" for the plan's own."""
