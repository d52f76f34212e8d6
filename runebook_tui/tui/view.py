"""View: the one frozen snapshot that every widget draws from, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from runebook_tui.core.absence import Absence
from runebook_tui.core.authority import standing
from runebook_tui.core.events import Record
from runebook_tui.core.snoozing import is_snoozed
from runebook_tui.core.state import AgentState, PhaseState, RequestState, State, TaskState
from runebook_tui.core.types import AgentStatus, PhaseStatus, TaskStatus
from runebook_tui.tui import glyphs
from runebook_tui.tui.backend import Update
from runebook_tui.tui.text import age

_RECENT = 50
_PARTS = tuple(each.name for each in fields(State))

AWAY_SECONDS = 300.0
"""Whoever was away for so long is told what happened, even when nothing waits."""


@dataclass(frozen=True)
class View:
    """The state, its newest records (oldest first), and whether an engine runs."""

    state: State
    recent: tuple[Record, ...] = ()
    engine_alive: bool = False
    loaded: bool = False
    """Whether the first update has come."""
    away: tuple[str, ...] = ()
    """The other hosts of the plan of which no engine lives."""

    def after(self, update: Update) -> View:
        """The view after one more update."""
        recent = (*self.recent, *update.records)[-_RECENT:]
        return View(update.state, recent, update.engine_alive, True, update.away)

    @property
    def engines(self) -> tuple[object, ...]:
        """What is known of the engines."""
        return self.engine_alive, self.loaded, self.away

    def run_seconds(self, now: float) -> float:
        """How long the run takes or took."""
        state = self.state
        if state.started_at is None:
            return 0.0
        return (now if state.ended_at is None else state.ended_at) - state.started_at


EMPTY = View(State())

BEHIND = (
    "seq", "time", "touches", "recent_touches", "messages", "last_message", "suggestions", "last_suggestion",
    "looked_at", "away_since",
)  # fmt: skip
"""The parts of a state that say nothing of agents, phases or requests; most events change no others."""


def same_but(before: View, after: View, *parts: str) -> bool:
    """Whether two views differ in nothing but these parts of the state, and in what was recorded.

    Parts are compared by identity, which the fold keeps of whatever an event is not about. False of a view
    and itself, which is how a widget is given its first.
    """
    if before is after or before.engines != after.engines:
        return False
    old, new = before.state, after.state
    return all(getattr(old, name) is getattr(new, name) for name in _PARTS if name not in parts)


def waited(request: RequestState, now: float) -> str:
    """Of a write that waits, how long it has waited of how long it may: "0:14 of 2:00"; else ""."""
    if request.held_until is None:
        return ""
    since = request.opened_at if request.held_since is None else request.held_since
    return f"{age(min(now, request.held_until) - since)} of {age(round(request.held_until - since))}"


def status_word(state: State, agent: AgentState) -> str:
    """What the agent does, in a word or a few."""
    return str(standing(state, agent).word)


def glyph_of(state: State, agent: AgentState, now: float) -> glyphs.Glyph:
    """The sign of what the agent does; the quiet one where its call is put off."""
    stands = standing(state, agent)
    return glyphs.SNOOZED if stands.calls and is_snoozed(agent, now) else glyphs.STANDING[stands.word]


def phase_failed(state: State, phase: PhaseState) -> bool:
    """Whether an agent of the phase has failed, so that it does not complete by itself."""
    return phase.status is PhaseStatus.ACTIVE and any(
        agent.status is AgentStatus.FAILED for agent in state.agents_of(phase.id)
    )


def phases_reached(state: State) -> tuple[int, int, int]:
    """Of the phases that are not continuous: how many are complete, have started, and there are."""
    main = [state.phases[phase.id].status for phase in state.plan.phases if not phase.continuous]
    done = sum(status is PhaseStatus.COMPLETED for status in main)
    return done, sum(status is not PhaseStatus.PENDING for status in main), len(main)


def tasks_done(state: State, agent: str) -> tuple[int, int]:
    """How many tasks of the agent are completed, and how many it has."""
    tasks = state.tasks_of(agent)
    return sum(task.status is TaskStatus.COMPLETED for task in tasks), len(tasks)


def agent_seconds(agent: AgentState, now: float) -> float | None:
    """How long the agent has worked on this attempt; None when it has not started."""
    if agent.started_at is None:
        return None
    return (now if agent.ended_at is None else agent.ended_at) - agent.started_at


def first_agent(state: State) -> str | None:
    """The agent to look at first: one that failed, else one at work, else any."""
    for wanted in (AgentStatus.FAILED, AgentStatus.RUNNING):
        for agent in state.agents.values():
            if agent.status is wanted:
                return agent.id
    return next(iter(state.agents), None)


def handed_words(agent: AgentState, task: TaskState) -> str:
    """Of a task that the agent was handed, where it comes from: " (from request 12)"; else ""."""
    if all(each.id != task.id for each in agent.handed):
        return ""
    return f" (from {task.id.replace('-', ' ')})"


def worth_telling(absence: Absence, now: float) -> bool:
    """Whether the operator should be told on arrival what happened: they were away for long, or are needed.

    What waited before they left is no news.
    """
    news = replace(absence, waiting=())
    needed = bool(absence.calls) or bool(set(absence.raised) & set(absence.waiting))
    return not news.quiet and (now - absence.since >= AWAY_SECONDS or needed)
