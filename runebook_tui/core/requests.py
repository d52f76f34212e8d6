"""Requests: what the state keeps of them, from the question to its last consequence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias, assert_never

from runebook_tui.core import decisions
from runebook_tui.core import events as e
from runebook_tui.core.grants import ABSENT, Grant, Scope, lasting
from runebook_tui.core.hosts import is_lane
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import Crossing, RequestKind

KEPT = 300
"""So many decided requests are kept whatever they say; of older ones only those that still mean something."""

_SLACK = 50
"""How many more there may be before they are gone through."""

RequestEvent: TypeAlias = (
    e.CoordinationRequest
    | e.RequestGrew
    | e.HoldStarted
    | e.HoldEnded
    | e.RequestWithdrawn
    | e.CoordinationResponse
    | e.GrantUsed
)


def applied(state: State, event: RequestEvent, time: float) -> State:
    """The state after what happened to a request."""
    match event:
        case e.CoordinationRequest():
            return _requested(state, event, time)
        case e.RequestGrew():
            return _grew(state, event, time)
        case e.HoldStarted():
            return _hold_started(state, event, time)
        case e.HoldEnded():
            over = event.reason if event.until is None else ""
            return _request(state, event.request, held_until=event.until, hold_over=over)
        case e.RequestWithdrawn():
            void = {"status": "withdrawn", "answer": event.reason, "decided_at": time, "held_until": None}
            return _request(state, event.request, **void)
        case e.CoordinationResponse():
            return _decided(state, event, time)
        case e.GrantUsed():
            return _grant_used(state, event, time)
        case _:
            assert_never(event)


def _request(state: State, request_id: int, **changes: Any) -> State:
    request = state.requests.get(request_id)
    if request is None:
        return state
    after = {**state.requests, request_id: replace(request, **changes)}
    return replace(state, requests=MappingProxyType(after))


def _requested(state: State, event: e.CoordinationRequest, time: float) -> State:
    request = RequestState(
        id=event.request,
        kind=event.kind,
        requester=event.requester,
        candidates=event.candidates,
        crossings=MappingProxyType({crossing.path: crossing for crossing in event.crossings}),
        reason=event.reason,
        evidence=event.evidence,
        pid=event.pid,
        program=event.program,
        opened_at=time,
        updated_at=time,
        lane=event.lane,
        hook=event.hook,
    )
    return replace(
        state,
        requests=MappingProxyType({**_worth_keeping(state), event.request: request}),
        last_request=max(state.last_request, event.request),
    )


def _worth_keeping(state: State) -> Mapping[int, RequestState]:
    """The requests without old decided ones that nothing depends on any more; the log has them for ever.

    An old one stays while it is open, gives something, concerns a lane, was rejected and can be undone, or is
    the last approval of a path for its agent: by that the agent may commit it.
    """
    decided = [number for number, request in state.requests.items() if not request.open]
    if len(decided) <= KEPT + _SLACK:
        return state.requests
    old = frozenset(decided[:-KEPT])
    known: set[tuple[str | None, str]] = set()
    kept = []
    for request in reversed(tuple(state.requests.values())):
        if request.status == "approved":
            given = {(request.requester, path) for path in request.crossings}
            means = not given <= known
            known |= given
        else:
            means = request.status == "rejected" and _can_be_undone(request)
        if means or request.id not in old or is_lane(request.lane) or request.id in state.grants:
            kept.append(request)
    return {request.id: request for request in reversed(kept)}


def _can_be_undone(request: RequestState) -> bool:
    return any(each.change and path not in request.undone for path, each in request.crossings.items())


def _hold_started(state: State, event: e.HoldStarted, time: float) -> State:
    request = state.requests.get(event.request)
    if request is None:
        return state
    since = time if request.held_until is None else request.held_since
    who = {"pid": event.pid, "program": event.program or request.program}
    return _request(state, event.request, held_since=since, held_until=event.until, hold_over="", **who)


def _grew(state: State, event: e.RequestGrew, time: float) -> State:
    request = state.requests.get(event.request)
    if request is None:
        return state
    crossings = dict(request.crossings)
    for crossing in event.crossings:
        crossings[crossing.path] = _joined(crossings.get(crossing.path), crossing)
    changes = {
        "crossings": MappingProxyType(crossings),
        "updated_at": time,
        "hook": event.hook or request.hook,
    }
    return _request(state, event.request, **changes)


def _joined(first: Crossing | None, then: Crossing) -> Crossing:
    """Both changes of one path as one, from what was there first to what is there now."""
    if first is None or first.change is None or then.change is None:
        return then
    change = then.change.model_copy(update={"before": first.change.before, "added": None, "removed": None})
    if then.change.before == first.change.before:
        change = then.change
    return then.model_copy(update={"change": change})


def _decided(state: State, event: e.CoordinationResponse, time: float) -> State:
    request = state.requests.get(event.request)
    if request is None or not request.open:
        return state
    state = _request(
        state,
        event.request,
        status=event.decision,
        scope=event.scope,
        answer=event.reason,
        means=event.means,
        decided_at=time,
        decided_from=event.from_host,
        held_until=None,
    )
    state = decisions.remembered(state, event, time)
    # What stays out of the repository because of this request may come in now, or is known to stay out.
    if request.lane in state.agents and (
        event.decision == "approved" or request.kind is RequestKind.CONFLICT
    ):
        agent = replace(state.agents[request.lane], integrated=False)
        state = replace(state, agents=MappingProxyType({**state.agents, request.lane: agent}))
    # A crossing was written before it was approved: `once` lets it stand and gives nothing further.
    written = (RequestKind.CROSSED, RequestKind.CONFLICT, RequestKind.DRIFT)
    spent = request.kind in written and event.scope is Scope.ONCE
    if event.decision != "approved" or request.requester is None or spent:
        return state
    # What a hook asked for is written by another process, which nobody knows yet.
    waits = request.held_until is not None and event.scope is Scope.ONCE and not request.hook
    grant = Grant(
        request.id,
        request.requester,
        frozenset(request.crossings),
        event.scope,
        event.task,
        pid=request.pid if waits else None,
        owners=frozenset(each.owner for each in request.crossings.values()) if waits else frozenset(),
        used_at=time,
        base=event.base if event.scope is Scope.ONCE else {},
        comes=_proposed(request) if event.scope is Scope.ONCE else {},
    )
    return replace(state, grants=lasting({**state.grants, request.id: grant}))


def _proposed(request: RequestState) -> dict[str, str]:
    """The contents that a client's hook said would come, by path."""
    return {
        path: crossing.proposed.digest or ABSENT
        for path, crossing in request.crossings.items()
        if crossing.proposed is not None and crossing.proposed.kind != "other"
    }


def _grant_used(state: State, event: e.GrantUsed, time: float) -> State:
    grant = state.grants.get(event.request)
    if grant is None:
        return state
    used = grant.use(event.path, event.pid, time)
    return replace(state, grants=MappingProxyType({**state.grants, event.request: used}))
