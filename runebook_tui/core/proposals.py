"""Proposals: edits that the hook of an agent's client asks about before they are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runebook_tui.core import events as e
from runebook_tui.core.activity import ActivityChanged
from runebook_tui.core.commands import Propose, ReportActivity, SpendGrant
from runebook_tui.core.grants import Grant, Scope
from runebook_tui.core.ownership import Verdict
from runebook_tui.core.secrets import without_secrets
from runebook_tui.core.state import AgentState, RequestState, State
from runebook_tui.core.types import Crossing, RequestKind, Version


def verdict(state: State, agent: str, path: str) -> Verdict:
    """The rule for a path that git does not ignore, whatever was approved."""
    return state.owners.may_modify(agent, path, unowned_asks=state.plan.policy.unowned == "ask")


def owner(state: State, path: str) -> str | None:
    """Whose path it is by the plan; None for nobody's."""
    claim = state.owners.owner_of(path)
    return None if claim is None else claim.owner


def allowing(state: State, agent: str, crossing: Crossing) -> Grant | None:
    """The grant under which the agent may make this edit now, or None.

    One for once that came from a hook's request holds for the content that the operator saw; one that a
    stopped call got is that call's.
    """
    for grant in state.grants.values():
        if grant.agent != agent or grant.pid is not None or not grant.unused(crossing.path):
            continue
        if grant.scope is not Scope.ONCE or same(
            _shown(state, grant.request, crossing.path), crossing.proposed
        ):
            return grant
    return None


def same(shown: Version | None, comes: Version | None) -> bool:
    """Whether what comes is what was shown, as far as both are known."""
    return shown is None or comes is None or (shown.kind, shown.digest) == (comes.kind, comes.digest)


def _shown(state: State, request: int, path: str) -> Version | None:
    known = state.requests.get(request)
    crossing = None if known is None else known.crossings.get(path)
    return None if crossing is None else crossing.proposed


def open_proposal(state: State, agent: str, paths: Sequence[str]) -> RequestState | None:
    """The open request about one of `paths` that a hook of the agent asked, or the gate for its sake."""
    for request in reversed(state.open_requests):
        mine = request.kind is RequestKind.HELD and request.requester == agent
        if mine and any(path in request.crossings for path in paths):
            return request
    return None


def proposed(state: State, command: Propose) -> Iterator[e.Event]:
    """The request that a proposed edit makes or joins, and the wait that begins.

    What was approved once for another content of the same file does not hold any more.
    """
    paths = [crossing.path for crossing in command.crossings]
    for grant in state.grants.values():
        if grant.agent == command.agent and grant.pid is None and grant.scope is Scope.ONCE:
            for path in paths:
                if grant.unused(path):
                    yield e.GrantUsed(request=grant.request, path=path)
    about = f": {without_secrets(command.about, 200)}" if command.about else ""
    request = open_proposal(state, command.agent, paths)
    number = state.last_request + 1 if request is None else request.id
    if request is None:
        yield e.CoordinationRequest(
            request=number,
            kind=RequestKind.HELD,
            requester=command.agent,
            crossings=command.crossings,
            reason=command.reason,
            evidence=f"{command.client}'s {command.tool} tool asked{about}",
            program=command.client,
            lane=command.agent if state.plan.has_lanes else "",
            hook=command.client,
        )
    else:
        fresh = tuple(each for each in command.crossings if request.crossings.get(each.path) != each)
        if fresh or not request.hook:
            yield e.RequestGrew(request=number, crossings=fresh, hook=command.client)
    if command.until is not None:
        yield e.HoldStarted(request=number, program=command.client, until=command.until)
    elif request is None:
        yield e.HoldEnded(request=number, reason=command.reason or "it was refused at once")


def spent(state: State, command: SpendGrant) -> tuple[e.Event, ...]:
    """An approval for once is used up, if it was not before."""
    grant = state.grants.get(command.request)
    if grant is None or grant.agent != command.agent or grant.scope is not Scope.ONCE:
        return ()
    return (e.GrantUsed(request=grant.request, path=command.path),) if grant.unused(command.path) else ()


def activity_reported(agent: AgentState, command: ReportActivity) -> tuple[e.Event, ...]:
    """One event for each change: tokens and cost are told with the next."""
    doing = agent.doing
    session = command.session or (doing.session if doing is not None else "")
    model = command.model or (doing.model if doing is not None else "")
    if doing is not None and (doing.client, doing.activity, doing.about, doing.session, doing.model) == (
        command.client, command.activity, command.about, session, model,
    ):  # fmt: skip
        return ()
    return (
        ActivityChanged(
            agent=agent.id,
            client=command.client,
            activity=command.activity,
            about=command.about,
            session=session,
            model=model,
            tokens=command.tokens,
            cost=command.cost,
        ),
    )
