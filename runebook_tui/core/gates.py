"""Gates of the plan: what a phase or an agent waits for, and what follows when it comes true."""

from __future__ import annotations

from collections.abc import Iterator

from runebook_tui.core import events as e
from runebook_tui.core import lanes
from runebook_tui.core.copies import copy_unmet
from runebook_tui.core.interfaces import api_unmet
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import AgentStatus, Needs, Phase, PhaseStatus, TaskStatus

_NOT_STARTED = (AgentStatus.PENDING, AgentStatus.WAITING)


def unmet(state: State, needs: Needs) -> tuple[str, ...]:
    """What of `needs` is missing, in words."""
    phases = (
        f"phase {phase}"
        for phase in needs.phases
        if phase not in state.phases or state.phases[phase].status is not PhaseStatus.COMPLETED
    )
    tasks = (
        f"task {task}"
        for task in needs.tasks
        if task not in state.tasks or state.tasks[task].status is not TaskStatus.COMPLETED
    )
    apis = (words for api in needs.apis if (words := api_unmet(state, api)))
    return (*phases, *tasks, *apis)


def phase_unmet(state: State, phase: Phase) -> tuple[str, ...]:
    """What `phase` waits for, in words."""
    return (*unmet(state, Needs(phases=phase.after)), *unmet(state, phase.needs))


def agent_unmet(state: State, agent: AgentState) -> tuple[str, ...]:
    """What an agent that has not started waits for, in words."""
    phase = state.plan.phase(agent.spec.phase)
    if phase is None:
        return ("the plan, which no longer has it",)
    if state.phases[phase.id].status is PhaseStatus.PENDING:
        return phase_unmet(state, phase) or (f"phase {phase.id}",)
    return _missing(state, agent)


def _missing(state: State, agent: AgentState) -> tuple[str, ...]:
    """What an agent waits for whose phase has started.

    Its needs, its phase's APIs that have drifted, and those that its host does not have as published.
    """
    apis = dict.fromkeys((*_drifted(state, agent), *agent.spec.needs.apis))
    return (
        *unmet(state, agent.spec.needs.model_copy(update={"apis": tuple(apis)})),
        *_not_here(state, agent),
    )


def waits_for_copy(state: State, host: str, api: str) -> bool:
    """Whether an agent of the host that has not started needs the API."""
    return any(
        agent.spec.host == host and agent.status in _NOT_STARTED and api in _needed(state, agent)
        for agent in state.agents.values()
    )


def _needed(state: State, agent: AgentState) -> tuple[str, ...]:
    """The APIs that an agent or its phase needs."""
    phase = state.plan.phase(agent.spec.phase)
    return tuple(dict.fromkeys((*(() if phase is None else phase.needs.apis), *agent.spec.needs.apis)))


def _not_here(state: State, agent: AgentState) -> tuple[str, ...]:
    """The published APIs that the checkout of the agent's host does not have, in words."""
    needed = (copy_unmet(state, name, agent.spec.host) for name in _needed(state, agent))
    return tuple(words for words in needed if words)


def _drifted(state: State, agent: AgentState) -> tuple[str, ...]:
    """The APIs that an agent or its phase needs and that are not as they were published."""
    return tuple(
        name
        for name in _needed(state, agent)
        if (api := state.apis.get(name)) is not None and api.drift is not None
    )


def settle(state: State) -> tuple[e.Event, ...]:
    """The events that follow from `state` by themselves; () when nothing does.

    Apply them and ask again: one answer may bring about the next.
    """
    if state.run == 0 or state.outcome is not None:
        return ()
    followers = (
        *_phases_that_start(state),
        *_agents_with_more_to_do(state),
        *_agents_that_start(state),
        *_agents_held_back(state),
        *_agents_that_complete(state),
        *_phases_that_complete(state),
    )
    return followers or tuple(_ending(state))


def stalled(state: State) -> tuple[str, ...]:
    """Why the run can go no further without the operator, in words; () while it can."""
    if state.run == 0 or state.outcome is not None:
        return ()
    for agent in state.agents.values():
        if agent.alive or agent.status in (AgentStatus.STARTING, AgentStatus.RUNNING):
            return ()
        if lanes.awaits_integration(state, agent):
            return ()
        if agent.status in _NOT_STARTED and _not_here(state, agent):
            return ()  # its host may have it any moment
    if settle(state):
        return ()
    reasons = []
    for agent in state.agents.values():
        if agent.status in (AgentStatus.FAILED, AgentStatus.STOPPED):
            reasons.append(f"{agent.id} {agent.status}" + (f" ({agent.reason})" if agent.reason else ""))
        elif agent.status in _NOT_STARTED:
            reasons.append(f"{agent.id} waits for {', '.join(agent_unmet(state, agent))}")
    if not reasons:
        reasons = [
            f"phase {phase.id} waits for {', '.join(phase_unmet(state, phase))}"
            for phase in state.plan.phases
            if state.phases[phase.id].status is PhaseStatus.PENDING
        ]
    return tuple(reasons)


def _is_continuous(state: State, agent: AgentState) -> bool:
    phase = state.plan.phase(agent.spec.phase)
    return phase is not None and phase.continuous


def _phases_that_start(state: State) -> Iterator[e.Event]:
    for phase in state.plan.roadmap.phases:
        status = state.phases[phase.id].status
        if status is PhaseStatus.PENDING and not phase_unmet(state, phase):
            yield e.PhaseStarted(phase=phase.id)
        elif status is PhaseStatus.COMPLETED and not _all_complete(state, phase.id):
            # The plan has changed: the phase has an agent, or an agent a task, that it had not.
            yield e.PhaseStarted(phase=phase.id)


def _all_complete(state: State, phase: str) -> bool:
    """Whether every agent that the plan has in `phase` is complete; who was taken out does not count."""
    planned = {agent.id for agent in state.plan.agents}
    return all(
        agent.status is AgentStatus.COMPLETED for agent in state.agents_of(phase) if agent.id in planned
    )


def _agents_with_more_to_do(state: State) -> Iterator[e.Event]:
    for agent in state.agents.values():
        if agent.status is not AgentStatus.COMPLETED:
            continue
        new = [task.id for task in state.tasks_of(agent.id) if task.status is not TaskStatus.COMPLETED]
        if new:
            status = AgentStatus.RUNNING if agent.alive else AgentStatus.PENDING
            reason = f"the plan gave it more to do: {', '.join(new)}"
            yield e.StatusUpdate(agent=agent.id, status=status, reason=reason)


def _agents_that_start(state: State) -> Iterator[e.Event]:
    for agent in state.agents.values():
        phase = state.phases.get(agent.spec.phase)
        if agent.status not in _NOT_STARTED or phase is None or phase.status is PhaseStatus.PENDING:
            continue
        missing = ", ".join(_missing(state, agent))
        if not missing:
            yield e.StatusUpdate(agent=agent.id, status=AgentStatus.STARTING)
        elif agent.status is AgentStatus.PENDING or agent.reason != missing:
            yield e.StatusUpdate(agent=agent.id, status=AgentStatus.WAITING, reason=missing)


def _agents_held_back(state: State) -> Iterator[e.Event]:
    """Agents about to start for the first time when an API that they need drifted, or is not here."""
    for agent in state.agents.values():
        first = agent.status is AgentStatus.STARTING and agent.started_at is None and not agent.alive
        if first and (_drifted(state, agent) or _not_here(state, agent)):
            reason = ", ".join(_missing(state, agent))
            yield e.StatusUpdate(agent=agent.id, status=AgentStatus.WAITING, reason=reason)


def _agents_that_complete(state: State) -> Iterator[e.Event]:
    for agent in state.agents.values():
        # A continuous agent has its last work still before it: it completes when it exits.
        if agent.status is not AgentStatus.RUNNING or _is_continuous(state, agent):
            continue
        tasks = state.tasks_of(agent.id)
        if tasks and all(task.status is TaskStatus.COMPLETED for task in tasks):
            yield e.StatusUpdate(agent=agent.id, status=AgentStatus.COMPLETED)


def _phases_that_complete(state: State) -> Iterator[e.Event]:
    for phase in state.phases.values():
        if phase.status is not PhaseStatus.ACTIVE or not _all_complete(state, phase.id):
            continue
        if not any(lanes.awaits_integration(state, agent) for agent in state.agents_of(phase.id)):
            yield e.PhaseCompleted(phase=phase.id)


def _ending(state: State) -> Iterator[e.Event]:
    completed = {phase.id for phase in state.phases.values() if phase.status is PhaseStatus.COMPLETED}
    main = {phase.id for phase in state.plan.phases if not phase.continuous}
    if not main <= completed:
        return
    everything = set(state.phases) <= completed
    for agent in state.live_agents():
        restarting = agent.status is AgentStatus.STARTING
        if not agent.finalizing and not restarting and (everything or _is_continuous(state, agent)):
            yield e.FinalizeStarted(agent=agent.id)
    if any(lanes.awaits_integration(state, agent) for agent in state.agents.values()):
        return
    if everything and not state.live_agents():
        yield e.RunEnded(outcome="completed")
