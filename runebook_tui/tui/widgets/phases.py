"""PhaseList and PhaseGraph: the phases with their agents, as a list and as boxes with lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.content import Content
from textual.widgets import Static

from runebook_tui.core.gates import phase_unmet
from runebook_tui.core.state import AgentState, PhaseState, State
from runebook_tui.core.types import AgentStatus, Phase, PhaseStatus
from runebook_tui.tui import glyphs
from runebook_tui.tui.roadmap import Box, Critical, Drawing, Edges, critical, drawn, edges, layers
from runebook_tui.tui.text import cut, safe
from runebook_tui.tui.text import edges as ends
from runebook_tui.tui.view import EMPTY, View, glyph_of, phase_failed, status_word
from runebook_tui.tui.widgets.rows import Entry, Rows

_INDENT = "  "
_NARROWEST, _WIDEST = 16, 30
"""Cells inside a box."""
_AGENTS = 3
"""Agents that a box names; of more it says how many."""

NO_PLAN = "no plan is in force: runebook-tui init makes one"


def phase_glyph(state: State, phase: Phase) -> glyphs.Glyph:
    """The sign of what a phase does."""
    known = state.phases.get(phase.id) or PhaseState(phase.id)
    if known.status is PhaseStatus.COMPLETED:
        return glyphs.PHASE[known.status]
    if phase_failed(state, known):
        return glyphs.FAILED_PHASE
    return glyphs.CONTINUOUS if phase.continuous else glyphs.PHASE[known.status]


def waits_for(state: State, phase: Phase) -> tuple[str, ...]:
    """What a phase that has not started waits for, in words."""
    known = state.phases.get(phase.id)
    return phase_unmet(state, phase) if known is not None and known.status is PhaseStatus.PENDING else ()


class PhaseList(Rows):
    """Phases and agents, each selectable, indented by what they wait for. `now` gives unix seconds."""

    def __init__(self, now: Callable[[], float], *, id: str | None = None) -> None:
        super().__init__(empty=NO_PLAN, id=id)
        self._now = now

    def show_plan(self, state: State, only: Callable[..., bool]) -> None:
        """The phases of the plan with their agents; those that hold what `only` asks for."""
        found = critical(state.plan)
        depth = {name: n for n, column in enumerate(layers(edges(state.plan))) for name in column}
        self.show(list(self._rows(state, found, depth, only)))

    def _rows(
        self, state: State, found: Critical, depth: dict[str, int], only: Callable[..., bool]
    ) -> Iterator[Entry]:
        for phase in state.plan.roadmap.phases:
            agents = [
                agent
                for agent in state.agents_of(phase.id)
                if only(phase.id, phase.title, agent.id, *agent.spec.claims, status_word(state, agent))
            ]
            if not agents and not only(phase.id, phase.title):
                continue
            waits = waits_for(state, phase)
            margin = _INDENT * min(depth.get(phase.id, 0), 6)
            draw = partial(self._phase, state, phase, waits, found, margin)
            yield Entry(("phase", phase.id), 2 if waits else 1, draw)
            for agent in agents:
                yield Entry(("agent", agent.id), 1, partial(self._agent, state, agent, found, margin))

    def _phase(
        self, state: State, phase: Phase, waits: tuple[str, ...], found: Critical, margin: str, width: int
    ) -> list[Content]:
        glyph = phase_glyph(state, phase)
        left = Content.assemble(margin, (glyph.sign, glyph.style), " ", safe(phase.id, glyphs.STRONG))
        if phase.title and phase.title.casefold() != phase.id:
            left = Content.assemble(left, "  ", safe(phase.title, glyphs.MUTED))
        lines = [ends(left, _mark(phase.id in found.phases), width)]
        if waits:
            words = safe(f"needs {', '.join(waits)}", glyphs.MUTED)
            lines.append(ends(Content.assemble(margin, _INDENT, words), Content(), width))
        return lines

    def _agent(
        self, state: State, agent: AgentState, found: Critical, margin: str, width: int
    ) -> list[Content]:
        glyph = glyph_of(state, agent, self._now())
        left = Content.assemble(margin, _INDENT, (glyph.sign, glyph.style), " ", safe(agent.id))
        word = Content.styled(status_word(state, agent), glyphs.MUTED)
        right = Content.assemble(word, " ", _mark(agent.id in found.agents, " "))
        return [ends(left, right, width)]


def _mark(critical: bool, other: str = "") -> Content:
    return Content.styled(glyphs.CRITICAL.sign, glyphs.CRITICAL.style) if critical else Content(other)


class PhaseGraph(Static):
    """The phases as boxes, each right of those that it waits for; hidden where it does not fit."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.state: State = EMPTY.state
        self._selected = ""

    def show_plan(self, view: View, selected: str, width: int) -> None:
        """Draw the plan of the view into so many cells, with one phase selected."""
        state = self.state = view.state
        waits = edges(state.plan)
        phases = {phase.id: phase for phase in state.plan.phases}
        texts = {name: tuple(_box_lines(state, phase)) for name, phase in phases.items()}
        drawing = _fitted(waits, {name: len(lines) for name, lines in texts.items()}, width)
        self.display = drawing is not None and len(phases) > 1
        if drawing is None:
            return
        found = critical(state.plan)
        self.update(_painted(drawing, texts, found, selected))


def _fitted(waits: Edges, heights: dict[str, int], width: int) -> Drawing | None:
    """The drawing with the widest boxes that fit; None where none do."""
    for inner in range(_WIDEST, _NARROWEST - 1, -2):
        drawing = drawn(waits, inner, heights)
        if drawing.width <= width:
            return drawing
    return None


def _box_lines(state: State, phase: Phase) -> Iterator[tuple[str, str, str]]:
    """What stands in a phase's box: a sign, its style, and words, a line each."""
    glyph = phase_glyph(state, phase)
    agents = state.agents_of(phase.id)
    done = sum(agent.status is AgentStatus.COMPLETED for agent in agents)
    yield glyph.sign, glyph.style, f"{phase.id}  {done}/{len(agents)}"
    if waits := waits_for(state, phase):
        yield " ", "", f"needs {', '.join(waits)}"
    for agent in agents[:_AGENTS] if len(agents) <= _AGENTS else agents[: _AGENTS - 1]:
        shown = glyph_of(state, agent, state.time)
        yield shown.sign, shown.style, agent.id
    if len(agents) > _AGENTS:
        yield " ", "", f"and {len(agents) - _AGENTS + 1} more"


def _painted(
    drawing: Drawing, texts: dict[str, tuple[tuple[str, str, str], ...]], found: Critical, selected: str
) -> Content:
    rows = []
    for y, line in enumerate(drawing.lines):
        parts: list[Content] = []
        x = 0
        for box in sorted(drawing.boxes, key=lambda each: each.x):
            if box.y <= y < box.y + box.height:
                parts.append(Content.styled(line[x : box.x], glyphs.MUTED))
                parts.append(_box_row(box, y - box.y, texts[box.phase], found, selected))
                x = box.x + box.width
        rows.append(Content.assemble(*parts, Content.styled(line[x:].rstrip(), glyphs.MUTED)))
    return Content("\n").join(rows)


def _box_row(
    box: Box, y: int, lines: tuple[tuple[str, str, str], ...], found: Critical, selected: str
) -> Content:
    inner = box.width - 2
    on_path = box.phase in found.phases
    style = glyphs.ACCENT if box.phase == selected else glyphs.CRITICAL.style if on_path else glyphs.MUTED
    across, upright = ("━", "┃") if box.phase == selected else ("─", "│")
    if y in (0, box.height - 1):
        corners = ("┏┓", "┗┛") if box.phase == selected else ("╭╮", "╰╯")
        corner = corners[y > 0]
        mark = f"{glyphs.CRITICAL.sign}{across}" if on_path and y == 0 else ""
        return Content.styled(f"{corner[0]}{across * (inner - len(mark))}{mark}{corner[1]}", style)
    sign, colour, words = lines[y - 1]
    text = Content.assemble((sign, colour), " ", Content(cut(words, inner - 2)))
    return Content.assemble((upright, style), ends(text, Content(), inner), (upright, style))
