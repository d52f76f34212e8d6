"""Attempts: what was tried that only the operator may, as far as the state remembers it."""

from __future__ import annotations

from dataclasses import replace

from runebook_tui.core.events import AttemptRefused
from runebook_tui.core.state import Attempt, State

RECENT = 8
"""How many refused attempts the state remembers."""


def applied(state: State, event: AttemptRefused, time: float) -> State:
    """The state after one more record of attempts."""
    attempt = Attempt(event.speaker, event.attempt, event.reason, time, event.count)
    newest = (*state.recent_attempts, attempt)[-RECENT:]
    return replace(state, attempts=state.attempts + event.count, recent_attempts=newest)
