"""Decisions: what the operator may answer to a request, what follows, and how it is taken back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core import interfaces, messages
from runebook_tui.core.aftermath import DecisionTakenBack, Means, TaskHandedOver
from runebook_tui.core.grants import Scope
from runebook_tui.core.refusal import Outcome, Refusal
from runebook_tui.core.state import Decision, RequestState, State, TaskState
from runebook_tui.core.types import OPERATOR, RequestKind, Task, TaskStatus

TAKE_BACK_SECONDS = 30.0
"""So long after it was taken the last decision can be taken back."""

_TITLE_CHARACTERS = 300

K = TypeVar("K")
V = TypeVar("V")


def decided(state: State, command: c.Decide | c.Disown) -> Outcome:
    """What an answer to a request brings about; the first one wins."""
    request = state.requests.get(command.request)
    if request is None:
        return Refusal(f"there is no request {command.request}")
    if not request.open:
        return Refusal(f"request {request.id} is {request.status} already")
    if isinstance(command, c.Disown):
        if request.kind is RequestKind.DRIFT:
            return Refusal(f"request {request.id} is about an interface, whoever changed it: decide it")
        if request.kind is not RequestKind.CROSSED:
            return Refusal(f"request {request.id} was {request.kind}: an agent made it, not you")
        if OPERATOR not in request.candidates:
            return Refusal(f"request {request.id}: the write was {request.who}'s for certain")
        return (e.RequestWithdrawn(request=request.id, reason="the operator said: that was me"),)
    task = _task_of(state, request)
    if command.decision == "approved" and (why := why_not_wider(state, request, command.scope)):
        return Refusal(why)
    if command.means and (why := why_not_by(state, request, command.means)):
        return Refusal(why)
    follows: tuple[e.Event, ...] = ()
    if request.kind is RequestKind.DRIFT and command.decision == "approved":
        if why := interfaces.why_not_accepted(state, request):
            return Refusal(why)
        follows = interfaces.accepted(state, request)
    if command.means == "handed over":
        follows = tuple(_handed_over(state, request, command))
    response = e.CoordinationResponse(
        request=request.id,
        decision=command.decision,
        scope=command.scope,
        reason=command.reason,
        task=task if command.scope is Scope.TASK and command.decision == "approved" else None,
        means=command.means,
        group=command.group,
        base=dict(command.base),
        plan_before=command.plan_before,
        plan_after=command.plan_after,
        from_host=command.from_host,
    )
    return (response, *follows)


def why_not_wider(state: State, request: RequestState, scope: Scope) -> str:
    """Why an approval of the request cannot reach beyond once, to `scope`; "" when it can."""
    if scope is Scope.ONCE:
        return ""
    if request.kind in (RequestKind.CONFLICT, RequestKind.DRIFT):
        return f"request {request.id} is about what is there now: it can be approved once only"
    if request.requester is None:
        return f"request {request.id} has no certain author: it can be approved once only"
    if scope is Scope.TASK and _task_of(state, request) is None:
        return f"{request.requester} has no task in progress: approve once or until the plan ends"
    return ""


def why_not_by(state: State, request: RequestState, means: Means) -> str:
    """Why the request cannot be answered by these means; "" when it can."""
    if not means:
        return ""
    if request.kind in (RequestKind.CONFLICT, RequestKind.DRIFT):
        return f"request {request.id} is a {request.kind}: it can only be approved or rejected"
    if request.requester is None:
        return f"request {request.id} has no certain author"
    if means == "handed over":
        return "" if heirs(state, request) else "no agent of the plan owns it: there is nobody to hand it to"
    if request.requester not in {agent.id for agent in state.plan.agents}:
        return f"the plan has no agent {request.requester!r} any more"
    return ""


def heirs(state: State, request: RequestState) -> tuple[str, ...]:
    """The agents that own what the request is about."""
    owners = dict.fromkeys(crossing.owner for crossing in request.crossings.values())
    return tuple(owner for owner in owners if owner and owner in state.agents and owner != request.requester)


def taken_back(state: State, now: float) -> Outcome:
    """The requests of the last decision are open again; what it did to files and plan the engine reverses."""
    why = why_not_taken_back(state, now)
    if why or state.last_decision is None:
        return Refusal(why)
    events = []
    for number in state.last_decision.requests:
        status = state.requests[number].status
        assert status in ("approved", "rejected"), status
        events.append(DecisionTakenBack(request=number, was=status))
    return tuple(events)


def why_not_taken_back(state: State, now: float) -> str:
    """Why the last decision cannot be taken back at `now` (unix seconds); "" when it can."""
    last = state.last_decision
    if last is None:
        return "nothing was decided that could be taken back"
    if not 0 <= now - last.time <= TAKE_BACK_SECONDS:
        return f"a decision can be taken back within {TAKE_BACK_SECONDS:g} s: this one is older"
    for number in last.requests:
        request = state.requests[number]
        if request.kind is RequestKind.DRIFT and request.status == "approved":
            return (
                f"request {number}: the new version of the interface is published, and its readers were told"
            )
        task = state.tasks.get(task_id(number))
        if task is not None and task.status is not TaskStatus.NOT_STARTED:
            return f"{task.agent} has begun with task {task.id}, which this decision gave it"
    return ""


def task_id(request: int) -> str:
    """The id of the task that a request becomes when it is handed over."""
    return f"request-{request}"


def _task_of(state: State, request: RequestState) -> str | None:
    requester = state.agents.get(request.requester or "")
    return None if requester is None else requester.task


def _handed_over(state: State, request: RequestState, command: c.Decide) -> Iterator[e.Event]:
    """The task of each owner, and the words that tell it so. One task has one agent: the first owner's."""
    owner, *others = heirs(state, request)
    paths = ", ".join(request.paths[:3]) + (
        f" and {len(request.paths) - 3} more" if len(request.paths) > 3 else ""
    )
    words = f": {request.reason}" if request.reason else ""
    title = f"{request.who} wants a change in {paths}{words}"[:_TITLE_CHARACTERS]
    task = task_id(request.id)
    if task in state.tasks:
        return
    yield TaskHandedOver(agent=owner, task=task, title=title, request=request.id, patch=command.patch)
    diff = f" The diff is in {command.patch}." if command.patch else ""
    because = f" The operator says: {command.reason}" if command.reason else ""
    text = f"Request {request.id} was handed over to you as task {task}: {title}.{diff}{because}"
    yield messages.sent(state, OPERATOR, (owner, *others), text, request.id)


# ── what the state keeps ────────────────────────────────────────────────────────────────────────


def remembered(state: State, event: e.CoordinationResponse, time: float) -> State:
    """The state that knows this as the last decision, together with the others of its group."""
    last = state.last_decision
    together = last is not None and event.group and event.group == last.group
    requests = (*last.requests, event.request) if last is not None and together else (event.request,)
    return replace(
        state, last_decision=Decision(requests, event.group, time, event.plan_before, event.plan_after)
    )


def applied(state: State, event: DecisionTakenBack | TaskHandedOver, time: float) -> State:
    """The state after what followed a decision."""
    if isinstance(event, TaskHandedOver):
        return _with_task(state, event)
    request = state.requests.get(event.request)
    if request is None:
        return state
    again = replace(
        request,
        status="open",
        scope=Scope.ONCE,
        answer="",
        means="",
        decided_at=None,
        decided_from=None,
        updated_at=time,
        taken_back=request.taken_back + 1,
        hold_over=request.hold_over or _over(request),
    )
    grants = {number: grant for number, grant in state.grants.items() if number != request.id}
    state = _without_task(state, task_id(request.id))
    return replace(
        state,
        requests=_frozen({**state.requests, request.id: again}),
        grants=_frozen(grants),
        last_decision=None,
    )


def _over(request: RequestState) -> str:
    """Why no write waits any more for a decision that was taken back."""
    waited = request.held_since is not None
    return f"it was {request.status}, and you took that back" if waited else ""


def _with_task(state: State, event: TaskHandedOver) -> State:
    agent = state.agents.get(event.agent)
    if agent is None or event.task in state.tasks:
        return state
    handed = (*agent.handed, Task(id=event.task, title=event.title))
    task = TaskState(event.task, agent.id, event.title)
    return replace(
        state,
        agents=_frozen({**state.agents, agent.id: replace(agent, handed=handed)}),
        tasks=_frozen({**state.tasks, task.id: task}),
    )


def _without_task(state: State, task: str) -> State:
    known = state.tasks.get(task)
    agent = None if known is None else state.agents.get(known.agent)
    if agent is None:
        return state
    handed = tuple(each for each in agent.handed if each.id != task)
    tasks = {name: each for name, each in state.tasks.items() if name != task}
    return replace(
        state,
        agents=_frozen({**state.agents, agent.id: replace(agent, handed=handed)}),
        tasks=_frozen(tasks),
    )


def _frozen(mapping: dict[K, V]) -> Mapping[K, V]:
    return MappingProxyType(mapping)
