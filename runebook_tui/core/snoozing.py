"""Snoozing: an agent's call for the operator is put off for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runebook_tui.core.fact import Fact

if TYPE_CHECKING:
    from runebook_tui.core.state import AgentState

SECONDS = 900.0
"""For so long, unless the agent does something else before."""


class Snoozed(Fact):
    """The operator put the call of an agent off, or wants to hear it again."""

    type: Literal["Snoozed"] = "Snoozed"
    agent: str
    until: float | None = None
    """Unix seconds; None ends it."""


@dataclass(frozen=True)
class Snooze:
    """Put the call of an agent off, or, where it is put off, hear it again."""

    agent: str


def is_snoozed(agent: AgentState, now: float) -> bool:
    """Whether the call of the agent is put off."""
    return agent.snoozed_until is not None and now < agent.snoozed_until


def why_not(agent: AgentState, now: float) -> str:
    """Why there is nothing to put off; "" when there is."""
    if is_snoozed(agent, now) or (agent.standings and agent.standings[-1].calls):
        return ""
    return f"{agent.id} does not call for you"


def snoozed(agent: AgentState, now: float) -> tuple[Snoozed, ...]:
    """The event that the operator's key brings about."""
    return (Snoozed(agent=agent.id, until=None if is_snoozed(agent, now) else now + SECONDS),)


def snoozed_words(event: Snoozed, time: float) -> str:
    """What the operator did, for people; `time` is when."""
    if event.until is None:
        return f"you want to hear {event.agent} again"
    return f"you put the call of {event.agent} off for {max(1, round((event.until - time) / 60))} min"
