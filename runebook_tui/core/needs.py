"""Needs: who needs the operator, in the order in which to go to them; and how many do what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from runebook_tui.core.asking import asking, in_order
from runebook_tui.core.authority import standing
from runebook_tui.core.snoozing import is_snoozed
from runebook_tui.core.standing import CALLS, Standing, Word
from runebook_tui.core.state import AgentState, State

SNOOZED = "snoozed"
"""What an agent does whose call is put off, where agents are counted."""

_COUNTED: dict[str, tuple[Word, ...]] = {
    "working": (Word.WORKING, Word.STARTING, Word.FINALIZING),
    "waiting for you": (Word.WAITING,),
    "blocked": (Word.BLOCKED,),
    "idle": (Word.IDLE,),
    "rate-limited": (Word.LIMITED,),
    SNOOZED: (),
    "unknown": (Word.UNKNOWN,),
    "not started": (Word.PENDING,),
    "done": (Word.DONE, Word.SERVING),
    "failed": (Word.FAILED, Word.LOST),
    "stopped": (Word.STOPPED,),
}


@dataclass(frozen=True, slots=True)
class Need:
    """One who needs the operator: a request, or an agent that is not blocked on one."""

    request: int | None = None
    agent: str = ""
    standing: Standing | None = None


def needs(state: State, now: float) -> tuple[Need, ...]:
    """Everything that needs the operator now: requests first, then agents, the most pressing first.

    An agent whose call is put off is left out; its requests are not.
    """
    requests = tuple(Need(request=request.id) for request in in_order(state))
    calls = ((agent, standing(state, agent)) for agent in state.agents.values())
    found = [
        Need(agent=agent.id, standing=stands)
        for agent, stands in calls
        if stands.calls and stands.word is not Word.BLOCKED and not is_snoozed(agent, now)
    ]
    found.sort(key=lambda need: CALLS.index(need.standing.word) if need.standing else 0)
    return (*requests, *found)


def needs_you(state: State, agent: AgentState, now: float) -> bool:
    """Whether the agent needs the operator, and its call is not put off."""
    return standing(state, agent).calls and not is_snoozed(agent, now)


def counts(state: State, now: float) -> dict[str, int]:
    """How many agents do what, the words in the order of reading; every agent is counted once."""
    found: Counter[str] = Counter()
    for agent in state.agents.values():
        word = standing(state, agent).word
        put_off = is_snoozed(agent, now) and asking(state, agent.id) is None
        found[SNOOZED if put_off else next(name for name, each in _COUNTED.items() if word in each)] += 1
    return {word: found[word] for word in _COUNTED if found[word]}
