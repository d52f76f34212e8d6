"""Interfaces: when one is published, when it has drifted, and what those who build on it are told. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import assert_never

from runebook_tui.core import events as e
from runebook_tui.core import messages
from runebook_tui.core.commands import CheckApi, PublishApi
from runebook_tui.core.contract import (
    ApiDrifted,
    ApiRestored,
    InterfaceStub,
    agree,
    changed_words,
    contract_diff,
    lacking,
)
from runebook_tui.core.printable import visible
from runebook_tui.core.state import ApiRegistry, Drift, PublishedApi, RequestState, State
from runebook_tui.core.types import ENGINE, Author, Change, Crossing, RequestKind

TOLD = 1500
"""Characters of a changed contract that a message holds."""


def applied(state: State, event: e.ApiPublished | ApiDrifted | ApiRestored, time: float) -> State:
    """The state after an interface was published, has drifted, or is as published again."""
    match event:
        case e.ApiPublished():
            api = PublishedApi(
                event.api, event.agent, event.path, event.digest, event.version, time, event.contract
            )
            return _with_api(state, api)
        case ApiDrifted():
            known = state.apis.get(event.api)
            if known is not None:
                drift = Drift(event.request, event.digest, event.contract, event.broken)
                state = _with_api(state, replace(known, drift=drift))
            return _with_diff(state, event)
        case ApiRestored():
            known = state.apis.get(event.api)
            return state if known is None else _with_api(state, replace(known, drift=None))
        case _:
            assert_never(event)


def consumers(state: State, name: str) -> tuple[str, ...]:
    """The agents that build on the interface: whose needs name it, or whose phase's do, and that have begun.

    A phase that comes after one which needs it builds on it, too.
    """
    needing = {phase.id for phase in state.plan.phases if name in phase.needs.apis}
    for phase in state.plan.roadmap.phases:
        if needing.intersection((*phase.after, *phase.needs.phases)):
            needing.add(phase.id)
    api = state.apis.get(name)
    return tuple(
        agent.id
        for agent in state.agents.values()
        if agent.started_at is not None
        and (name in agent.spec.needs.apis or agent.spec.phase in needing)
        and (api is None or agent.id != api.agent)
    )


def api_unmet(state: State, name: str) -> str:
    """What of an API is missing to one who has not started and needs it, in words; "" when it is there.

    One that has drifted opens no gate until it is decided, or as it was.
    """
    api = state.apis.get(name)
    if api is None:
        return f"API {name}"
    if api.drift is None:
        return ""
    request = state.requests.get(api.drift.request)
    stands = "waits for a decision" if request is not None and request.open else "was rejected"
    return f"API {name} (changed since v{api.version}; request {api.drift.request} {stands})"


def drifted_api(state: State, request: RequestState) -> PublishedApi | None:
    """The API whose drift `request` is about, or None."""
    for api in state.apis.published.values():
        if api.drift is not None and api.drift.request == request.id:
            return api
    return None


# ── publishing ──────────────────────────────────────────────────────────────────────────────────


def why_not_published(interface: InterfaceStub, command: PublishApi) -> str:
    """Why the interface's file is not what the plan asks for, in one line; "" when it is."""
    if command.digest is None:
        return f"interface {interface.name}: " + (command.fault or f"there is no file {interface.path}")
    if lacks := lacking(command.contract):
        return f"interface {interface.name}: {interface.path} {lacks}" + _because(command.fault)
    return f"interface {interface.name}: {command.fault}" if command.fault else ""


def published(state: State, interface: InterfaceStub, command: PublishApi) -> tuple[e.Event, ...]:
    """What follows when the owner publishes a file that holds all that the plan asks for."""
    known = state.apis.get(interface.name)
    assert command.digest is not None
    if known is not None and known.digest == command.digest and known.path == interface.path:
        return tuple(_restored(state, known))
    version = 1 if known is None else known.version + 1
    fact = e.ApiPublished(
        agent=interface.owner,
        api=interface.name,
        path=interface.path,
        digest=command.digest,
        version=version,
        contract=command.contract,
    )
    withdrawn = () if known is None else _withdrawn(state, known, f"{interface.name} v{version} is published")
    return (*withdrawn, fact, *_announced(state, known, fact))


def why_not_accepted(state: State, request: RequestState) -> str:
    """Why a drift cannot become a new version, in one line; "" when it can."""
    api = drifted_api(state, request)
    if api is None or api.drift is None or not (api.drift.broken or api.drift.digest is None):
        return ""
    lacks = api.drift.broken or "is gone"
    return f"{api.path} {lacks}: that can be no version of {api.name}; mend it, reject, or change the plan"


def accepted(state: State, request: RequestState) -> tuple[e.Event, ...]:
    """The new version that follows when a drift is approved."""
    api = drifted_api(state, request)
    if api is None or api.drift is None or api.drift.digest is None:
        return ()
    fact = e.ApiPublished(
        agent=api.agent,
        api=api.name,
        path=api.path,
        digest=api.drift.digest,
        version=api.version + 1,
        contract=api.drift.contract,
    )
    return (fact, *_announced(state, api, fact, request.id))


# ── drift ───────────────────────────────────────────────────────────────────────────────────────


def checked(state: State, command: CheckApi) -> tuple[e.Event, ...]:
    """What follows from what the file of a published interface holds now."""
    api, interface = state.apis.get(command.api), state.plan.interface(command.api)
    if api is None or interface is None:
        return ()
    if _is_as_published(api, command):
        return tuple(_restored(state, api))
    broken = " and ".join(part for part in (lacking(command.contract), command.fault) if part)
    if api.drift is not None and _is_known(api, api.drift, command, broken):
        return ()
    return tuple(_drifted(state, api, interface, command, broken))


def _is_as_published(api: PublishedApi, command: CheckApi) -> bool:
    if command.digest is None or command.fault:
        return False
    if api.contract is None:
        return api.digest == command.digest
    return agree(api.contract, command.contract)


def _is_known(api: PublishedApi, drift: Drift, command: CheckApi, broken: str) -> bool:
    """Whether the operator was asked about this contract already."""
    if (drift.contract, drift.broken) != (command.contract, broken):
        return False
    both_there = drift.digest is not None and command.digest is not None
    return drift.digest == command.digest or (both_there and api.contract is not None)


def _drifted(
    state: State, api: PublishedApi, interface: InterfaceStub, command: CheckApi, broken: str
) -> Iterator[e.Event]:
    """The request that a changed contract raises or joins."""
    request = _open_request(state, api)
    by = _who(command.touches)
    crossings = [
        Crossing(path=interface.path, owner=api.agent, change=change) for change, _ in command.touches
    ]
    users = consumers(state, api.name)
    diff = contract_diff(api.name, api.version, api.contract or (), command.contract)
    number = state.last_request + 1
    if request is not None:
        number, by = request.id, tuple(dict.fromkeys((*_known(request), *by)))
        yield from (e.RequestGrew(request=number, crossings=(crossing,)) for crossing in crossings)
    else:
        first, *rest = crossings or [Crossing(path=interface.path, owner=api.agent)]
        author = command.touches[-1][1] if command.touches else Author(evidence="no change of it was seen")
        yield e.CoordinationRequest(
            request=number,
            kind=RequestKind.DRIFT,
            requester=_only_agent(state, by),
            candidates=() if _only_agent(state, by) else by,
            crossings=(first,),
            reason=_reason(api, users, broken),
            evidence=author.evidence,
            pid=author.pid,
            program=author.program,
        )
        yield from (e.RequestGrew(request=number, crossings=(crossing,)) for crossing in rest)
    yield ApiDrifted(
        api=api.name,
        request=number,
        digest=command.digest,
        contract=command.contract,
        broken=broken,
        diff=diff,
        consumers=users,
        by=by,
    )
    if request is None and users:
        how = broken or changed_words(diff, TOLD) or "its file was changed"
        words = (
            f"{api.name} in {visible(api.path)}, which you build on, is not as it was published "
            f"(v{api.version}): {visible(how, TOLD)}. Request {number} asks the operator; until that is "
            f"decided, do not rely on the change."
        )
        yield messages.sent(state, ENGINE, users, words, number)


def _reason(api: PublishedApi, users: tuple[str, ...], broken: str) -> str:
    on_it = (
        f"{', '.join(users)} build{'s' if len(users) == 1 else ''} on it" if users else "nobody uses it yet"
    )
    lacks = f"; the file {broken}" if broken else ""
    return f"{api.name} v{api.version} is not as it was published; {on_it}{lacks}"


def _announced(
    state: State, known: PublishedApi | None, fact: e.ApiPublished, request: int | None = None
) -> Iterator[e.Event]:
    """What those who build on an interface are told of its new version."""
    users = consumers(state, fact.api)
    if known is None or not users:
        return
    diff = contract_diff(fact.api, known.version, known.contract or (), fact.contract or ())
    how = visible(changed_words(diff, TOLD), TOLD) or "its contract is as it was"
    words = f"{fact.api} v{fact.version} is published ({visible(fact.path)}), which you build on: {how}."
    yield messages.sent(state, ENGINE, users, words, request)


def _restored(state: State, api: PublishedApi) -> Iterator[e.Event]:
    yield from _withdrawn(state, api, f"{api.name} is as it was published again")
    if api.drift is not None:
        yield ApiRestored(api=api.name, version=api.version)


def _withdrawn(state: State, api: PublishedApi, reason: str) -> tuple[e.Event, ...]:
    request = _open_request(state, api)
    return () if request is None else (e.RequestWithdrawn(request=request.id, reason=reason),)


def _open_request(state: State, api: PublishedApi) -> RequestState | None:
    """The open request about the drift of `api`, or None; that may be one whose decision was taken back."""
    if api.drift is not None:
        request = state.requests.get(api.drift.request)
        return request if request is not None and request.open else None
    for request in state.open_requests:
        about = request.kind is RequestKind.DRIFT and api.path in request.crossings
        if about and drifted_api(state, request) is None:
            return request
    return None


def _who(touches: tuple[tuple[Change, Author], ...]) -> tuple[str, ...]:
    """Who made the changes, or may have."""
    names = (name for _, author in touches for name in ((author.name,) if author.name else author.candidates))
    return tuple(dict.fromkeys(names))


def _known(request: RequestState) -> tuple[str, ...]:
    return request.candidates if request.requester is None else (request.requester,)


def _only_agent(state: State, by: tuple[str, ...]) -> str | None:
    return by[0] if len(by) == 1 and by[0] in state.agents else None


def _with_api(state: State, api: PublishedApi) -> State:
    published: Mapping[str, PublishedApi] = {**state.apis.published, api.name: api}
    return replace(state, apis=ApiRegistry(MappingProxyType(published)))


def _with_diff(state: State, event: ApiDrifted) -> State:
    request = state.requests.get(event.request)
    if request is None:
        return state
    agent = _only_agent(state, event.by)
    changed = replace(
        request, contract=event.diff, requester=agent, candidates=() if agent else tuple(event.by)
    )
    return replace(state, requests=MappingProxyType({**state.requests, event.request: changed}))


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""
