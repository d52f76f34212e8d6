"""Which agents' panes are shown, and where: those first that need the operator, then those at work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from runebook_tui.core.needs import needs_you
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import AgentStatus

CELL = (66, 12)
"""The least columns and rows of a pane that stands beside another."""
_MOST_COLUMNS = 4


def cells(width: int, height: int) -> tuple[int, int]:
    """The columns and rows of a grid of panes in so many columns and rows of text."""
    return max(1, min(_MOST_COLUMNS, width // CELL[0])), max(1, height // CELL[1])


def in_order(
    state: State,
    now: float,
    pinned: Collection[str],
    wanted: Callable[[AgentState], bool] = lambda agent: True,
) -> tuple[str, ...]:
    """The pinned agents, who needs the operator, who works, who is alive, the rest; each as in the plan."""

    def rank(agent: AgentState) -> int:
        if agent.id in pinned:
            return 0
        if needs_you(state, agent, now):
            return 1
        if agent.status in (AgentStatus.RUNNING, AgentStatus.STARTING):
            return 2
        return 3 if agent.alive else 4

    return tuple(agent.id for agent in sorted(filter(wanted, state.agents.values()), key=rank))


def placed(
    order: Sequence[str], before: Sequence[str], count: int, kept: Collection[str] = ()
) -> tuple[str, ...]:
    """The agents of `count` places; who was in a place and still is shown, or is `kept`, stays in it.

    So nobody's pane jumps only because another agent began to work.
    """
    known = set(order)
    stay = [agent for agent in before[:count] if agent in kept and agent in known]
    shown = {*stay, *[agent for agent in order if agent not in stay][: max(0, count - len(stay))]}
    places = [agent if agent in shown else None for agent in before[:count]]
    places += [None] * (count - len(places))
    fresh = iter([agent for agent in order if agent in shown and agent not in places])
    filled = [agent or next(fresh, None) for agent in places]
    return tuple(agent for agent in filled if agent is not None)
