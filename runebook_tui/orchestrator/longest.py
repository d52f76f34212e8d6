"""The critical path: the longest chain of work in which each waits for the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from statistics import median
from typing import Literal

from runebook_tui.core.types import ExecutionPlan
from runebook_tui.orchestrator.waits import Moment, waits

_WORK = ("agent ends", "task", "API")
"""What takes an agent's time; all else happens at once."""


@dataclass(frozen=True)
class CriticalPath:
    """The longest chain."""

    length: float
    unit: Literal["steps", "seconds"]
    chain: tuple[Moment, ...]
    """What takes time in it, in order."""


def critical_path(plan: ExecutionPlan, seconds: Mapping[Moment, float] | None = None) -> CriticalPath | None:
    """The longest chain of a checked plan; None when nobody works in it, or it waits in a circle.

    `seconds` says how long after its agent's start a moment came in an earlier run; what is not in it counts
    as long as the median. Without any, each piece of work is one step.
    """
    known = seconds or {}
    usual = median(known.values()) if known else 1.0
    graph = waits(plan)
    endless = {phase.id for phase in plan.phases if phase.continuous}
    late = {Moment("agent ends", agent.id) for agent in plan.agents if agent.phase in endless}
    best: dict[Moment, tuple[float, Moment | None]] = {}
    try:
        order = tuple(TopologicalSorter(graph).static_order())
    except CycleError:
        return None
    for moment in order:
        before = max(graph.get(moment, ()), key=lambda each: best[each][0], default=None)
        cost = known.get(moment, usual) if moment.what in _WORK else 0.0
        best[moment] = (cost + (0.0 if before is None else best[before][0]), before)
    last: Moment | None = max(
        (moment for moment in order if moment.what in _WORK and moment not in late),
        key=lambda moment: best[moment][0],
        default=None,
    )
    if last is None:
        return None
    length, chain = best[last][0], []
    while last is not None:
        chain.append(last)
        last = best[last][1]
    work = tuple(moment for moment in reversed(chain) if moment.what in _WORK)
    return CriticalPath(length, "seconds" if known else "steps", work)
