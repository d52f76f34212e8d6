"""Presence: when the operator looked, so that what happened since can be told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from runebook_tui.core.fact import Fact
from runebook_tui.core.state import State

SECONDS = 60.0
"""A look is recorded at most so often."""


class OperatorLooked(Fact):
    """The operator opened the screen, or left it."""

    type: Literal["OperatorLooked"] = "OperatorLooked"
    leaves: bool = False


@dataclass(frozen=True)
class Look:
    """The operator opens the screen, or leaves it."""

    leaves: bool = False


def looked(state: State, command: Look, now: float) -> tuple[OperatorLooked, ...]:
    """The event that `command` brings about; () when there was one a moment ago."""
    recent = state.looked_at is not None and 0 <= now - state.looked_at < SECONDS
    return () if recent else (OperatorLooked(leaves=command.leaves),)


def applied(state: State, event: OperatorLooked, time: float) -> State:
    """The state after the operator looked: an absence ends when it comes, and begins when it leaves."""
    before = time if event.leaves else state.looked_at
    return replace(state, looked_at=time, away_since=before)
