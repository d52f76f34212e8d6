"""Consequences: what depends on a request, and what was decided before about its paths. Pure, in words."""

from __future__ import annotations

from collections.abc import Iterator

from runebook_tui.core.gates import agent_unmet
from runebook_tui.core.state import AgentState, RequestState, State
from runebook_tui.core.types import AgentStatus, Needs, PhaseStatus, TaskStatus

_EARLIER = 50


def depends(state: State, request: RequestState) -> tuple[str, ...]:
    """Which gates wait for what the request is about: for an interface in it, for the requester's task."""
    return tuple(dict.fromkeys((*_on_interfaces(state, request), *_on_task(state, request))))


def earlier(state: State, request: RequestState) -> tuple[RequestState, ...]:
    """The decided requests about any of its paths, the newest first."""
    paths = set(request.crossings)
    found = (
        each
        for each in reversed(tuple(state.requests.values()))
        if each.id != request.id and not each.open and paths & each.crossings.keys()
    )
    return tuple(each for each, _ in zip(found, range(_EARLIER), strict=False))


def _on_interfaces(state: State, request: RequestState) -> Iterator[str]:
    """An interface in one of the files, and who waits for it or builds on it."""
    for interface in state.plan.interfaces:
        if interface.path not in request.crossings:
            continue
        waits = [agent.id for agent in _not_started(state) if interface.name in _needs(state, agent).apis]
        published = state.apis.get(interface.name)
        if waits:
            yield f"{_names(waits)} for the API {interface.name}, which is in {interface.path}"
        elif published is not None:
            yield f"the API {interface.name} (version {published.version}) is in {interface.path}"


def _on_task(state: State, request: RequestState) -> Iterator[str]:
    """The requester's task in progress and its phase, and who waits for those."""
    requester = state.agents.get(request.requester or "")
    if requester is None:
        return
    open_tasks = [t.id for t in state.tasks_of(requester.id) if t.status is not TaskStatus.COMPLETED]
    for task in open_tasks:
        waits = [agent.id for agent in _not_started(state) if task in _needs(state, agent).tasks]
        if waits:
            yield f"{_names(waits)} for task {task} of {requester.id}"
    own = requester.spec.phase
    phase = state.phases.get(own)
    if phase is None or phase.status is PhaseStatus.COMPLETED:
        return
    later = [
        each.id
        for each in state.plan.phases
        if state.phases[each.id].status is PhaseStatus.PENDING
        and (own in each.after or own in each.needs.phases)
    ]
    if later:
        plural = "phase" if len(later) == 1 else "phases"
        yield f"{plural} {', '.join(later)} for phase {own}, in which {requester.id} works"


def _needs(state: State, agent: AgentState) -> Needs:
    """What an agent and its phase wait for, together."""
    phase = state.plan.phase(agent.spec.phase)
    of_phase = Needs() if phase is None else phase.needs
    return Needs(
        phases=(*agent.spec.needs.phases, *of_phase.phases),
        tasks=(*agent.spec.needs.tasks, *of_phase.tasks),
        apis=(*agent.spec.needs.apis, *of_phase.apis),
    )


def _not_started(state: State) -> list[AgentState]:
    early = (AgentStatus.PENDING, AgentStatus.WAITING)
    return [agent for agent in state.agents.values() if agent.status in early and agent_unmet(state, agent)]


def _names(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last} wait" if most else f"{last} waits"
