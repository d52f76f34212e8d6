"""Roadmap: the phases of a plan as a graph: which wait for which, drawn as boxes and lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from runebook_tui.core.types import ExecutionPlan
from runebook_tui.orchestrator.longest import critical_path

Edges = Mapping[str, tuple[str, ...]]
"""For each phase those that it waits for."""

_UP, _RIGHT, _DOWN, _LEFT = 1, 2, 4, 8
_LINES = " ╵╶└╷│┌├╴┘─┴┐┤┬┼"
"""The sign of each sum of directions that meet in a cell."""
_LANES = 2
"""Cells between a column of boxes and the first line that turns, and after the last."""


@dataclass(frozen=True)
class Critical:
    """The agents and phases on the longest chain of work in which each waits for the one before."""

    agents: tuple[str, ...] = ()
    phases: frozenset[str] = frozenset()
    steps: int = 0


def critical(plan: ExecutionPlan) -> Critical:
    """What is on the critical path of the plan; nothing where nobody works in it, or it waits in a circle."""
    found = critical_path(plan)
    if found is None:
        return Critical()
    tasks = {task.id: agent.id for agent in plan.agents for task in agent.tasks}
    owners = {interface.name: interface.owner for interface in plan.interfaces}
    doers = {"agent ends": {agent.id: agent.id for agent in plan.agents}, "task": tasks, "API": owners}
    agents = tuple(
        dict.fromkeys(
            agent for moment in found.chain if (agent := doers.get(moment.what, {}).get(moment.name))
        )
    )
    phases = {agent.id: agent.phase for agent in plan.agents}
    return Critical(agents, frozenset(phases[each] for each in agents if each in phases), len(found.chain))


def edges(plan: ExecutionPlan) -> Edges:
    """For each phase those that it waits for: by `after`, or because its needs come from them."""
    phases = {agent.id: agent.phase for agent in plan.agents}
    tasks = {task.id: agent.phase for agent in plan.agents for task in agent.tasks}
    owners = {interface.name: phases.get(interface.owner, "") for interface in plan.interfaces}
    known = {phase.id for phase in plan.phases}
    found = {}
    for phase in plan.phases:
        needs = phase.needs
        before = (
            *phase.after,
            *needs.phases,
            *(tasks.get(each, "") for each in needs.tasks),
            *(owners.get(each, "") for each in needs.apis),
        )
        found[phase.id] = tuple(each for each in dict.fromkeys(before) if each in known and each != phase.id)
    return found


def layers(waits: Edges) -> tuple[tuple[str, ...], ...]:
    """The phases in columns: each is right of all that it waits for, as near as can be; in the plan's order.

    What waits in a circle stands in the last column.
    """
    depth: dict[str, int] = {}
    while fresh := [
        phase
        for phase, before in waits.items()
        if phase not in depth and all(each in depth for each in before)
    ]:
        for phase in fresh:
            depth[phase] = max((depth[each] + 1 for each in waits[phase]), default=0)
    last = max(depth.values(), default=0) + (1 if depth else 0)
    columns: dict[int, list[str]] = {}
    for phase in waits:
        columns.setdefault(depth.get(phase, last), []).append(phase)
    return tuple(tuple(columns[each]) for each in sorted(columns))


@dataclass(frozen=True)
class Box:
    """Where a phase's box stands: cells from the left and from the top, its borders included."""

    phase: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Drawing:
    """Boxes, and the lines between them as text; as wide and as high as it takes."""

    boxes: tuple[Box, ...]
    lines: tuple[str, ...]

    @property
    def width(self) -> int:
        """Cells of the widest line."""
        return max(map(len, self.lines), default=0)


def drawn(waits: Edges, inner: int, heights: Mapping[str, int]) -> Drawing:
    """The phases as boxes in columns, with lines from each to those that wait for it.

    `inner` is the width inside a box, `heights` the number of lines in each. A line to a phase that is
    further away passes between the boxes of the columns in between.
    """
    columns = _with_passages(waits, layers(waits))
    boxes: dict[str, Box] = {}
    x = 0
    for n, column in enumerate(columns):
        y = 0
        width = inner + 2
        for name in column:
            height = heights.get(name, -1) + 2
            boxes[name] = Box(name, x, y, width, height)
            y += height
        sources = len(column) if n + 1 < len(columns) else 0
        x += width + (sources + 2 * _LANES if sources else 0)
    grid = _Grid()
    for column, following in pairwise(columns):
        for lane, name in enumerate(column):
            source = boxes[name]
            start, turn = source.x + source.width, source.x + source.width + _LANES + lane
            for target in following:
                if _leads(name, target, waits):
                    grid.path(start, _middle(source), turn, _middle(boxes[target]), boxes[target].x - 1)
        for passage in (each for each in column if "\0" in each):
            box = boxes[passage]
            grid.across(box.x, box.x + box.width - 1, _middle(box))
    for each in boxes.values():
        grid.reserve(each.x + each.width, each.y + each.height)
    real = tuple(box for name, box in boxes.items() if "\0" not in name)
    return Drawing(real, grid.text())


def _with_passages(waits: Edges, columns: Sequence[Sequence[str]]) -> list[list[str]]:
    """The columns, and between a phase and one that waits for it passages "from NUL to NUL column"."""
    place = {phase: n for n, column in enumerate(columns) for phase in column}
    found = [list(column) for column in columns]
    for phase, before in waits.items():
        for each in before:
            for n in range(place[each] + 1, place[phase]):
                found[n].append(f"{each}\0{phase}\0{n}")
    return found


def _leads(source: str, target: str, waits: Edges) -> bool:
    """Whether a line goes from `source` to `target` in the next column; either may be a passage."""
    start, *goal = source.split("\0")[:2]
    begin, *end = target.split("\0")[:2]
    if goal:
        return (start, goal) == (begin, end) if end else goal == [target]
    return begin == source if end else source in waits.get(target, ())


def _middle(box: Box) -> int:
    return box.y + box.height // 2


class _Grid:
    """Cells in which lines meet."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], int] = {}
        self._width = self._height = 0

    def path(self, x: int, y: int, turn: int, to_y: int, to_x: int) -> None:
        """A line from (x, y) to the right, up or down at `turn`, and to the right again until `to_x`."""
        if y == to_y:
            self.across(x, to_x, y)
            return
        self.across(x, turn - 1, y)
        self.across(turn + 1, to_x, to_y)
        self._mark(turn, y, _LEFT | (_DOWN if to_y > y else _UP))
        self._mark(turn, to_y, _RIGHT | (_UP if to_y > y else _DOWN))
        for row in range(min(y, to_y) + 1, max(y, to_y)):
            self._mark(turn, row, _UP | _DOWN)

    def across(self, x: int, to_x: int, y: int) -> None:
        """A line from x to to_x."""
        for column in range(x, to_x + 1):
            self._mark(column, y, _LEFT | _RIGHT)

    def reserve(self, width: int, height: int) -> None:
        """Be at least so large."""
        self._width, self._height = max(self._width, width), max(self._height, height)

    def text(self) -> tuple[str, ...]:
        """All rows."""
        return tuple("".join(self._row(y)) for y in range(self._height))

    def _row(self, y: int) -> Iterator[str]:
        for x in range(self._width):
            yield _LINES[self._cells.get((x, y), 0)]

    def _mark(self, x: int, y: int, directions: int) -> None:
        self._cells[x, y] = self._cells.get((x, y), 0) | directions
        self.reserve(x + 1, y + 1)
