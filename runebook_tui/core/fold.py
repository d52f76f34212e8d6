"""The fold: what each event makes of the state. Equal logs give equal states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar, assert_never

from runebook_tui.core import (
    attempts,
    authority,
    copies,
    decisions,
    forgetting,
    interfaces,
    learning,
    messages,
    nets,
    presence,
    requests,
    resuming,
    reviews,
    speech,
    suggestions,
    undos,
)
from runebook_tui.core import events as e
from runebook_tui.core.acceptance import AcceptanceRan, Accepted
from runebook_tui.core.activity import ActivityChanged, CommandRan
from runebook_tui.core.aftermath import DecisionTakenBack, TaskHandedOver
from runebook_tui.core.capture import ShellEnded, ShellStarted
from runebook_tui.core.contract import ApiDrifted, ApiRestored
from runebook_tui.core.copies import CopyChecked
from runebook_tui.core.grants import Scope
from runebook_tui.core.observed import AgentObserved
from runebook_tui.core.snoozing import Snoozed
from runebook_tui.core.state import (
    AgentState,
    Engine,
    PhaseState,
    RecentTouch,
    State,
    TaskState,
)
from runebook_tui.core.types import (
    AgentStatus,
    ExecutionPlan,
    PhaseStatus,
    TaskStatus,
)

RECENT_TOUCHES = 64
"""How many touches the state remembers."""

K = TypeVar("K")
V = TypeVar("V")


def fold(records: Iterable[e.Record], state: State | None = None) -> State:
    """The state after all `records`, in order."""
    state = state or State()
    for record in records:
        state = apply(state, record)
    return state


def apply(state: State, record: e.Record) -> State:
    """The state after one more event."""
    after = _applied(replace(state, seq=record.seq, time=record.time), record)
    after = authority.stands(state, after, record.event, record.time)
    if after.plan is state.plan and "owners" in state.__dict__:
        after.__dict__["owners"] = state.owners
    return after


def _applied(state: State, record: e.Record) -> State:
    event = record.event
    match event:
        case e.RunStarted():
            return _run_started(state, record.run, event, record.time)
        case e.PlanChanged():
            return _with_plan(state, event.plan)
        case e.RunEnded():
            return replace(state, outcome=event.outcome, outcome_reason=event.reason, ended_at=record.time)
        case e.EngineStarted():
            engine = Engine(event.pid, event.host, record.time, event.serves)
            return replace(state, engines=_with(state.engines, event.serves, engine))
        case e.EngineStopped():
            left = {host: engine for host, engine in state.engines.items() if host != event.serves}
            return replace(state, engines=MappingProxyType(left))
        case e.PhaseStarted():
            return _phase_started(state, event.phase, record.time)
        case e.PhaseCompleted():
            return _phase(state, event.phase, status=PhaseStatus.COMPLETED, completed_at=record.time)
        case e.FinalizeStarted():
            return _agent(state, event.agent, finalizing=True)
        case e.StatusUpdate():
            return _status_updated(state, event, record.time)
        case e.AgentStarted():
            return _agent_started(state, event, record.time)
        case e.AgentReady():
            return _agent(state, event.agent, ready=True)
        case e.AgentExited():
            return _agent_exited(state, event, record.time)
        case e.TaskStarted():
            return _agent(_task(state, event.task, TaskStatus.IN_PROGRESS), event.agent, task=event.task)
        case e.TaskBlocked():
            return _task(state, event.task, TaskStatus.BLOCKED, event.reason)
        case e.TaskCompleted():
            return _task_completed(state, event)
        case e.ApiPublished() | ApiDrifted() | ApiRestored():
            return interfaces.applied(state, event, record.time)
        case CopyChecked():
            return copies.applied(state, event)
        case (
            e.CoordinationRequest()
            | e.RequestGrew()
            | e.HoldStarted()
            | e.HoldEnded()
            | e.RequestWithdrawn()
            | e.CoordinationResponse()
            | e.GrantUsed()
        ):
            return requests.applied(state, event, record.time)
        case e.Touched():
            touch = RecentTouch(event.change.path, event.author.name, record.time)
            recent = (*state.recent_touches, touch)[-RECENT_TOUCHES:]
            return replace(state, touches=state.touches + 1, recent_touches=recent)
        case e.TouchesForgotten():
            return forgetting.applied(state, event)
        case e.ChangeUndone() | e.UndoRefused() | e.UndoRestored():
            return undos.applied(state, event, record.time)
        case e.LaneOpened():
            return _agent(state, event.agent, lane=event.branch)
        case e.LaneIntegrated():
            return _agent(state, event.agent, integrated=True) if event.settled else state
        case e.NetReported():
            return nets.applied(state, event, record.time)
        case ActivityChanged():
            return _agent(state, event.agent, doing=event.doing(record.time))
        case AgentObserved():
            return _agent(state, event.agent, observed=event.reading(record.time))
        case Snoozed():
            return _agent(state, event.agent, snoozed_until=event.until)
        case speech.QuestionAnswered():
            return _answered(state, event, record.time)
        case CommandRan() | ShellStarted() | ShellEnded() | speech.SaidToAgent():
            return state
        case AcceptanceRan():
            found = Accepted(event.agent, event.passed, event.code, event.commit, record.time)
            return replace(state, acceptance=_with(state.acceptance, event.check, found))
        case messages.MessageSent() | messages.MessageDelivered():
            return messages.applied(state, event, record.time)
        case DecisionTakenBack() | TaskHandedOver():
            return decisions.applied(state, event, record.time)
        case learning.LessonDismissed():
            return learning.applied(state, event)
        case reviews.Recommended():
            return reviews.applied(state, event, record.time)
        case (
            suggestions.SuggestionAdded()
            | suggestions.SuggestionDismissed()
            | suggestions.SuggestionApplied()
        ):
            return suggestions.applied(state, event, record.time)
        case presence.OperatorLooked():
            return presence.applied(state, event, record.time)
        case e.AttemptRefused():
            return attempts.applied(state, event, record.time)
        case _:
            assert_never(event)


def _run_started(state: State, run: int, event: e.RunStarted, time: float) -> State:
    fresh = State(
        run=run,
        seq=state.seq,
        time=time,
        started_at=time,
        engines=state.engines,
        last_request=state.last_request,
        undos=state.undos,
        messages=state.messages,
        last_message=state.last_message,
        suggestions=state.suggestions,
        last_suggestion=state.last_suggestion,
        dismissed_lessons=state.dismissed_lessons,
        looked_at=state.looked_at,
        away_since=state.away_since,
        requests=MappingProxyType({request.id: request for request in state.open_requests}),
        blind_hosts=state.blind_hosts,
        watch_blind=state.watch_blind,
        watch_blind_since=state.watch_blind_since,
        forgotten_before=state.forgotten_before,
    )
    return _with_plan(fresh, event.plan)


def _with_plan(state: State, plan: ExecutionPlan) -> State:
    """The state under a new plan: what is known of agents, tasks and phases that remain is kept."""
    agents = {
        spec.id: replace(state.agents[spec.id], spec=spec) if spec.id in state.agents else AgentState(spec)
        for spec in plan.agents
    }
    gone = {
        agent.id: agent
        for agent in state.agents.values()
        if agent.id not in agents and (agent.alive or agent.status is AgentStatus.STARTING)
    }
    tasks = {}
    for agent in (*gone.values(), *agents.values()):
        for task in agent.all_tasks:
            known = state.tasks.get(task.id)
            fresh = TaskState(task.id, agent.id, task.title)
            tasks[task.id] = fresh if known is None else replace(known, agent=agent.id, title=task.title)
    phases = {phase.id: state.phases.get(phase.id, PhaseState(phase.id)) for phase in plan.roadmap.phases}
    agents = {
        agent.id: agent if agent.task in tasks else replace(agent, task=None)
        for agent in (*agents.values(), *gone.values())
    }
    grants = {
        request: grant
        for request, grant in state.grants.items()
        if grant.scope is not Scope.TASK or grant.task in tasks
    }
    return replace(
        state,
        plan=plan,
        grants=MappingProxyType(grants),
        agents=MappingProxyType(agents),
        tasks=MappingProxyType(tasks),
        phases=MappingProxyType(phases),
    )


def _with(mapping: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    return MappingProxyType({**mapping, key: value})


def _agent(state: State, agent_id: str, **changes: Any) -> State:
    agent = state.agents.get(agent_id)
    if agent is None:
        return state
    return replace(state, agents=_with(state.agents, agent_id, replace(agent, **changes)))


def _answered(state: State, event: speech.QuestionAnswered, time: float) -> State:
    agent = state.agents.get(event.agent)
    if agent is None:
        return state
    return replace(state, agents=_with(state.agents, agent.id, speech.after_answer(agent, event, time)))


def _phase(state: State, phase_id: str, **changes: Any) -> State:
    phase = state.phases.get(phase_id)
    if phase is None:
        return state
    return replace(state, phases=_with(state.phases, phase_id, replace(phase, **changes)))


def _phase_started(state: State, phase_id: str, time: float) -> State:
    phase = state.phases.get(phase_id)
    again = phase is not None and phase.started_at is not None
    changes = {"completed_at": None} if again else {"started_at": time}
    return _phase(state, phase_id, status=PhaseStatus.ACTIVE, **changes)


def _task(state: State, task_id: str, status: TaskStatus, reason: str = "") -> State:
    task = state.tasks.get(task_id)
    if task is None:
        return state
    return replace(state, tasks=_with(state.tasks, task_id, replace(task, status=status, reason=reason)))


def _status_updated(state: State, event: e.StatusUpdate, time: float) -> State:
    changes: dict[str, Any] = {"status": event.status, "reason": event.reason}
    agent = state.agents.get(event.agent)
    changes["resumes"] = resuming.session_after(agent, event)
    if event.status in (AgentStatus.STARTING, AgentStatus.COMPLETED):
        changes["integrated"] = False
    if event.status is AgentStatus.STARTING and agent is not None:
        changes |= {
            "ready": False,
            "finalizing": False,
            "attempt": agent.attempt + 1,
            "hook": "",
            "observed": None,
            "gate_proven": False,
        }
        changes |= {"code": None, "signal": None, "last_lines": (), "ended_at": None, "lost": False}
    if event.status is AgentStatus.WAITING and agent is not None and agent.started_at is None:
        changes["attempt"] = 0  # it was held back before its first start
    if event.status is AgentStatus.COMPLETED and agent is not None and agent.ended_at is None:
        changes["ended_at"] = time
    return _agent(state, event.agent, **changes)


def _agent_started(state: State, event: e.AgentStarted, time: float) -> State:
    return _agent(
        state,
        event.agent,
        status=AgentStatus.RUNNING,
        reason="",
        pane=event.pane,
        pid=event.pid,
        attempt=event.attempt,
        alive=True,
        started_at=time,
        ended_at=None,
    )


def _agent_exited(state: State, event: e.AgentExited, time: float) -> State:
    agent = state.agents.get(event.agent)
    ended = time if agent is None or agent.ended_at is None else agent.ended_at
    return _agent(
        state,
        event.agent,
        alive=False,
        pid=None,
        code=event.code,
        signal=event.signal,
        last_lines=event.last_lines,
        lost=event.lost,
        ended_at=ended,
        task=None,
        integrated=False,
    )


def _task_completed(state: State, event: e.TaskCompleted) -> State:
    state = _task(state, event.task, TaskStatus.COMPLETED)
    agent = state.agents.get(event.agent)
    if agent is not None and agent.task == event.task:
        state = _agent(state, event.agent, task=None)
    ended = {
        request: grant
        for request, grant in state.grants.items()
        if not (grant.scope is Scope.TASK and grant.task == event.task and grant.agent == event.agent)
    }
    return state if len(ended) == len(state.grants) else replace(state, grants=MappingProxyType(ended))
