"""What was said, as the state keeps it: messages, and what owners think of requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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
class Recommendation:
    """What an owner thinks of a request about its paths (`core/reviews.py`)."""

    agent: str
    advice: Literal["approve", "reject"]
    reason: str
    time: float
    """Unix seconds."""
