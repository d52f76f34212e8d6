"""PlanPanel: the phases in the order of the roadmap with their gates, and the agents of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import inf

from textual.content import Content
from textual.reactive import var

from runebook_tui.core.activity import Activity, activity_words, use_words
from runebook_tui.core.asking import asking
from runebook_tui.core.authority import standing
from runebook_tui.core.gates import agent_unmet, phase_unmet
from runebook_tui.core.needs import SNOOZED, needs_you
from runebook_tui.core.sentences import gate_words
from runebook_tui.core.snoozing import is_snoozed
from runebook_tui.core.standing import Source
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import AgentStatus, Phase, PhaseStatus, TaskStatus
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import age, edges, safe
from runebook_tui.tui.view import (
    BEHIND,
    EMPTY,
    View,
    agent_seconds,
    first_agent,
    glyph_of,
    handed_words,
    phase_failed,
    same_but,
    status_word,
    tasks_done,
    waited,
)
from runebook_tui.tui.widgets.rows import Entry, Rows

_INDENT = "  "


class PlanPanel(Rows):
    """The plan; the selected entry is always an agent. `now` gives unix seconds."""

    view: var[View] = var(EMPTY)

    def __init__(self, now: Callable[[], float], *, id: str | None = None) -> None:
        super().__init__(empty="no run yet: E starts the engine, and the plan with it", id=id)
        self._now = now
        self._changes_at = inf
        """When there is a line less to say of an agent (unix seconds), as far as time alone decides it."""

    @property
    def agent(self) -> str | None:
        """The selected agent."""
        key = self.selected
        return key[1] if isinstance(key, tuple) else None

    def watch_view(self, before: View, view: View) -> None:
        """Show the new state; the first agent to look at is selected when none is."""
        if same_but(before, view, *BEHIND):
            return
        fresh = self.selected is None
        self._list(view.state)
        if fresh and (agent := first_agent(view.state)) is not None:
            self.select(("agent", agent))

    def tick(self) -> None:
        """Time has gone on."""
        if self._now() >= self._changes_at:
            self._list(self.view.state)
        else:
            self.redraw()

    def _list(self, state: State) -> None:
        now = self._now()
        put_off = (agent.snoozed_until for agent in state.agents.values() if is_snoozed(agent, now))
        self._changes_at = min((until for until in put_off if until is not None), default=inf)
        self.show(list(self._rows(state)))

    def _rows(self, state: State) -> Iterator[Entry]:
        for phase in state.plan.roadmap.phases:
            needs = phase_unmet(state, phase) if state.phases[phase.id].status is PhaseStatus.PENDING else ()
            draw = partial(_phase_lines, state, phase, needs)
            yield Entry(("phase", phase.id), 2 if needs else 1, draw, selectable=False)
            for agent in state.agents_of(phase.id):
                yield self._row(state, agent)
        for agent in state.agents.values():
            if agent.spec.phase not in state.phases:
                yield self._row(state, agent)

    def _row(self, state: State, agent: AgentState) -> Entry:
        height = 1 + len(list(_details(state, agent, self._now())))
        return Entry(("agent", agent.id), height, partial(_agent_lines, state, agent, self._now))


def _phase_lines(state: State, phase: Phase, needs: tuple[str, ...], width: int) -> list[Content]:
    known = state.phases[phase.id]
    glyph = glyphs.CONTINUOUS if phase.continuous else glyphs.PHASE[known.status]
    if phase_failed(state, known):
        glyph = glyphs.FAILED_PHASE
    if known.status is PhaseStatus.COMPLETED:
        glyph = glyphs.PHASE[known.status]
    name = safe(phase.id, glyphs.STRONG if known.status is PhaseStatus.ACTIVE else "")
    left = Content.assemble((glyph.sign, glyph.style), " ", name)
    if phase.title and phase.title.casefold() != phase.id:
        left = Content.assemble(left, "  ", safe(phase.title, glyphs.MUTED))
    lines = [edges(left, Content(), width)]
    if needs:
        waits = Content.assemble(_INDENT, safe(f"needs {', '.join(needs)}", glyphs.MUTED))
        lines.append(edges(waits, Content(), width))
    return lines


def _agent_lines(state: State, agent: AgentState, now: Callable[[], float], width: int) -> list[Content]:
    glyph = glyph_of(state, agent, now())
    quiet = agent.status in (AgentStatus.PENDING, AgentStatus.COMPLETED)
    name = glyphs.STRONG if needs_you(state, agent, now()) else glyphs.MUTED if quiet else ""
    left = Content.assemble(_INDENT, (glyph.sign, glyph.style), " ", safe(agent.id, name))
    done, total = tasks_done(state, agent.id)
    seconds = agent_seconds(agent, now())
    tasks = f"{done}/{total}" if total else ""
    took = "" if seconds is None else age(seconds)
    if not took and not tasks:
        took = status_word(state, agent)
    right = Content.styled(f"{tasks}{took:>9}" if took else f"{tasks}{'':>9}", glyphs.MUTED)
    return [
        edges(left, right, width),
        *(edges(each, Content(), width) for each in _details(state, agent, now())),
    ]


def _details(state: State, agent: AgentState, now: float) -> Iterator[Content]:
    """What there is to say of the agent, a line each."""
    line = _detail(state, agent, now)
    if line is not None:
        words, style = line
        yield Content.assemble(_INDENT, _INDENT, safe(words, style))
    if (handed := _next(state, agent)) is not None:
        words, style = handed
        yield Content.assemble(_INDENT, _INDENT, safe(words, style))
    if agent.doing is not None and agent.alive and agent.doing.activity is not Activity.DONE:
        calm = agent.doing.activity is Activity.WORKING
        style = glyphs.MUTED if calm else glyphs.CAUTION
        used = use_words(agent.doing)
        words = activity_words(agent.doing) + (f", {used}" if used else "")
        yield Content.assemble(_INDENT, _INDENT, safe(words, style))
    if is_snoozed(agent, now) and agent.snoozed_until is not None:
        words = f"{SNOOZED} for {age(agent.snoozed_until - now)} more"
        yield Content.assemble(_INDENT, _INDENT, safe(words, glyphs.MUTED))
    if agent.gate_is_less:
        yield Content.assemble(_INDENT, _INDENT, safe(gate_words(agent), glyphs.CAUTION))


def _detail(state: State, agent: AgentState, now: float) -> tuple[str, str] | None:
    match agent.status:
        case AgentStatus.FAILED:
            return f"failed: {agent.reason or 'for an unknown reason'}", glyphs.BAD
        case AgentStatus.STOPPED:
            return f"stopped: {agent.reason or 'for an unknown reason'}", glyphs.CAUTION
        case AgentStatus.WAITING:
            return f"waits for {', '.join(agent_unmet(state, agent)) or agent.reason}", glyphs.MUTED
        case AgentStatus.STARTING:
            return "starting", glyphs.MUTED
        case AgentStatus.RUNNING:
            return _work(state, agent, now)
        case AgentStatus.COMPLETED if agent.alive:
            return status_word(state, agent), glyphs.MUTED
        case _:
            return None


def _work(state: State, agent: AgentState, now: float) -> tuple[str, str] | None:
    request = asking(state, agent.id)
    if request is not None:
        held = waited(request, now)
        words = f"blocked on {request.id}, {held}" if held else f"blocked on request {request.id}"
        return words, glyphs.CAUTION
    if agent.finalizing:
        return "finalizing", glyphs.MUTED
    stands = standing(state, agent)
    if stands.source is Source.PANE:
        words = f"{stands.word}: {stands.line or stands.rule}"
        return words, glyphs.CAUTION if stands.calls else glyphs.MUTED
    for task in state.tasks_of(agent.id):
        if task.status is TaskStatus.BLOCKED:
            words = task.reason or task.title or task.id
            return f"blocked: {words}{handed_words(agent, task)}", glyphs.CAUTION
    task_now = state.tasks.get(agent.task or "")
    if task_now is not None:
        return f"{task_now.title or task_now.id}{handed_words(agent, task_now)}", glyphs.MUTED
    return None


def _next(state: State, agent: AgentState) -> tuple[str, str] | None:
    """The first task that was handed to the agent and that it has not begun."""
    handed = {task.id for task in agent.handed}
    for task in state.tasks_of(agent.id):
        if task.id in handed and task.status is TaskStatus.NOT_STARTED:
            return f"to do{handed_words(agent, task)}: {task.title or task.id}", glyphs.BUSY
    return None
