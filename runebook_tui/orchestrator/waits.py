"""Who waits for whom in a plan, and the circles in which nobody can ever start."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

from runebook_tui.core.types import ExecutionPlan, Needs
from runebook_tui.orchestrator.positions import Path
from runebook_tui.orchestrator.problems import quoted


class Moment(NamedTuple):
    """Something that happens once: the start or the end of a phase or agent, a task done, an API out."""

    what: Literal["phase starts", "phase ends", "agent starts", "agent ends", "task", "API"]
    name: str


Waits = dict[Moment, dict[Moment, Path]]
"""For each moment the moments that come before it, and where the plan says so."""


def waiting_circles(plan: ExecutionPlan) -> Iterator[tuple[Path, str]]:
    """Every circle of waiting: where the plan closes it, and the circle in words."""
    graph = waits(plan)
    for knot in _knots(graph):
        circle = _circle(graph, knot)
        place = max((graph[a][b] for a, b in pairwise(circle)), key=len)
        if all(moment.what.startswith("phase") for moment in circle):
            names = _once([moment.name for moment in circle])
            yield place, f"the phases wait for each other: {' → '.join(names)}"
        else:
            names = _once([_named(moment) for moment in circle])
            yield place, f"can never start, since each waits for the next: {' → '.join(names)}"


def never_started(plan: ExecutionPlan, absent: Collection[str]) -> dict[str, str]:
    """The agents that never start when those of `absent` never do, each with one that it waits for."""
    graph = waits(plan)
    after: dict[Moment, list[Moment]] = {}
    for later, before in graph.items():
        for earlier in before:
            after.setdefault(earlier, []).append(later)
    found: dict[str, str] = {}
    for name in absent:
        rest = [Moment("agent starts", name)]
        seen = set(rest)
        while rest:
            for moment in after.get(rest.pop(), ()):
                if moment not in seen:
                    seen.add(moment)
                    rest.append(moment)
        for moment in seen:
            if moment.what == "agent starts" and moment.name not in absent:
                found.setdefault(moment.name, name)
    return {agent.id: found[agent.id] for agent in plan.agents if agent.id in found}


def waits(plan: ExecutionPlan) -> Waits:
    """For each moment of the plan those that come before it, with the place where the plan says so."""
    graph: Waits = {}
    apis: dict[str, list[str]] = {}
    for interface in plan.interfaces:
        apis.setdefault(interface.owner, []).append(interface.name)

    def add(later: Moment, earlier: Moment, place: Path) -> None:
        graph.setdefault(earlier, {})
        graph.setdefault(later, {}).setdefault(earlier, place)

    def add_needs(later: Moment, needs: Needs, place: Path) -> None:
        for k, name in enumerate(needs.phases):
            add(later, Moment("phase ends", name), (*place, "needs", "phases", k))
        for k, name in enumerate(needs.tasks):
            add(later, Moment("task", name), (*place, "needs", "tasks", k))
        for k, name in enumerate(needs.apis):
            add(later, Moment("API", name), (*place, "needs", "apis", k))

    for n, phase in enumerate(plan.phases):
        start, place = Moment("phase starts", phase.id), ("phases", n)
        for k, name in enumerate(phase.after):
            add(start, Moment("phase ends", name), (*place, "after", k))
        add_needs(start, phase.needs, place)
        if not phase.continuous:
            add(Moment("phase ends", phase.id), start, place)
    continuous = {phase.id for phase in plan.phases if phase.continuous}
    for n, agent in enumerate(plan.agents):
        start, place = Moment("agent starts", agent.id), ("agents", n)
        add(start, Moment("phase starts", agent.phase), (*place, "phase"))
        add_needs(start, agent.needs, place)
        add(Moment("agent ends", agent.id), start, place)
        for task in agent.tasks:
            add(Moment("task", task.id), start, place)
        for api in apis.get(agent.id, ()):
            add(Moment("API", api), start, place)
        if agent.phase not in continuous:
            add(Moment("phase ends", agent.phase), Moment("agent ends", agent.id), place)
    return graph


def _knots(waits: Waits) -> Iterator[set[Moment]]:
    """The strongly connected parts with a circle in them (Kosaraju's two passes, without recursion)."""
    reverse: Waits = {moment: {} for moment in waits}
    for later, before in waits.items():
        for earlier, place in before.items():
            reverse[earlier][later] = place
    finished: list[Moment] = []
    seen: set[Moment] = set()
    for start in waits:
        for moment in _walk(waits, start, seen):
            finished.append(moment)
    seen = set()
    for start in reversed(finished):
        knot = set(_walk(reverse, start, seen))
        if len(knot) > 1 or (knot and start in waits[start]):
            yield knot


def _walk(waits: Waits, start: Moment, seen: set[Moment]) -> Iterator[Moment]:
    """Everything unseen that can be reached from `start`, each after what it reaches."""
    if start in seen:
        return
    seen.add(start)
    stack = [(start, iter(waits[start]))]
    while stack:
        moment, rest = stack[-1]
        following = next((each for each in rest if each not in seen), None)
        if following is None:
            stack.pop()
            yield moment
        else:
            seen.add(following)
            stack.append((following, iter(waits[following])))


def _circle(waits: Waits, knot: set[Moment]) -> list[Moment]:
    """A shortest circle through the first moment of `knot` as the plan is written."""
    start = next(moment for moment in waits if moment in knot and moment.what.endswith("starts"))
    came: dict[Moment, Moment] = {}
    queue = deque([start])
    while queue:
        moment = queue.popleft()
        for each in waits[moment]:
            if each == start:
                circle = [start, moment]
                while moment != start:
                    moment = came[moment]
                    circle.append(moment)
                return [start, *reversed(circle[1:-1]), start] if len(circle) > 2 else [start, start]
            if each in knot and each not in came:
                came[each] = moment
                queue.append(each)
    raise AssertionError("a knot without a circle")


def _named(moment: Moment) -> str:
    kind = moment.what.partition(" ")[0]
    return f"{kind} {quoted(moment.name)}"


def _once(names: list[str]) -> list[str]:
    """`names` without neighbours that are equal, and at most twelve of them."""
    short = [name for n, name in enumerate(names) if n == 0 or name != names[n - 1]]
    short = short if len(short) > 1 else short * 2
    return short if len(short) <= 12 else [*short[:6], "…", *short[-5:]]
