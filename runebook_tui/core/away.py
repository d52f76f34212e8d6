"""Away: what a request about a path gets while nobody answers, and who looks at it first.

Standard library only: the gate's supervisor asks the same question as the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from runebook_tui.core.pattern import compile_pattern


class Exempt(Protocol):
    """What differs for the paths of one pattern (`types.PathPolicy`); None says nothing about them."""

    @property
    def path(self) -> str:
        """A gitignore-style pattern."""

    @property
    def away(self) -> str | None:
        """hold, refuse or flag."""

    @property
    def hold_seconds(self) -> float | None:
        """How long a write may wait, in seconds."""

    @property
    def review(self) -> str | None:
        """operator or owner."""


class General(Protocol):
    """What the plan says of all paths (`types.Policy`), and what differs for some."""

    @property
    def away(self) -> str:
        """hold, refuse or flag."""

    @property
    def hold_seconds(self) -> float:
        """How long a write may wait, in seconds."""

    @property
    def review(self) -> str:
        """operator or owner."""

    @property
    def paths(self) -> Sequence[Exempt]:
        """In the order written."""


class Treatment(NamedTuple):
    """What a request about one path gets."""

    away: str
    """hold, refuse or flag: what it gets while nobody answers."""
    hold_seconds: float
    """How long `hold` lets a write wait."""
    review: str
    """Who looks at it first: operator or owner."""


class PathRule(NamedTuple):
    """An `Exempt` without the plan."""

    path: str
    away: str | None = None
    hold_seconds: float | None = None
    review: str | None = None


class GeneralRule(NamedTuple):
    """A `General` without the plan."""

    away: str = "hold"
    hold_seconds: float = 120.0
    review: str = "operator"
    paths: tuple[PathRule, ...] = ()


def policy_for(policy: General, path: str) -> Treatment:
    """What a request about the repository-relative `path` gets.

    Each word is that of the most exact pattern that matches and says it, as with claims: the longest literal
    prefix, then more literal characters, then the first written. Where none does, the plan's own holds.
    """
    if not policy.paths:
        return Treatment(policy.away, policy.hold_seconds, policy.review)
    matching = [each for each in policy.paths if compile_pattern(each.path).matches(path)]
    matching.sort(key=lambda each: compile_pattern(each.path).rank, reverse=True)  # equals stay as written
    return Treatment(
        next((each.away for each in matching if each.away is not None), policy.away),
        next((each.hold_seconds for each in matching if each.hold_seconds is not None), policy.hold_seconds),
        next((each.review for each in matching if each.review is not None), policy.review),
    )
