"""The boundary: writes that cross it become requests, and approvals become grants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from runebook_tui.core import events as e
from runebook_tui.core.commands import Ask, EndHold, Hold, Observe, Touch
from runebook_tui.core.fold import apply
from runebook_tui.core.grants import ABSENT, JOIN_SECONDS, Grant, Scope, There, as_approved, covering
from runebook_tui.core.ownership import Verdict, operators_own
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import ENGINE, OPERATOR, Author, Crossing, RequestKind

BURST = 20
"""From this many paths on, changes seen together are one request whoever owns them."""


def covering_grant(
    state: State,
    agent: str,
    path: str,
    pid: int | None,
    now: float,
    *,
    late: bool = False,
    there: There | None = None,
) -> Grant | None:
    """The grant under which `agent` may write `path`, or None; `late` says that it has been written.

    With `there` an approval for once holds only while the path has what it had when it was approved.
    """
    owner = _owner(state, path)
    return covering(state.grants.values(), agent, path, owner, pid, now, late=late, there=there)


def may_write(
    state: State,
    agent: str,
    path: str,
    now: float,
    *,
    pid: int | None = None,
    late: bool = False,
    there: There | None = None,
) -> Verdict:
    """The rule for a path that git does not ignore; `late` and `there` as in `covering_grant`."""
    return state.owners.may_modify(
        agent,
        path,
        granted=covering_grant(state, agent, path, pid, now, late=late, there=there) is not None,
        unowned_asks=state.plan.policy.unowned == "ask",
    )


def commit_refusal(state: State, agent: str, path: str) -> str | None:
    """Why `agent` may not commit `path`, in words; None when it may.

    What it may write it may commit. Of what others own, that for which a request of its was approved, unless
    a write that was seen since was not.
    """
    whose = state.owners.not_to_commit(agent, path, unowned_asks=state.plan.policy.unowned == "ask")
    if whose is None or operators_own(path, agent):
        return whose
    because = ""
    for request in reversed(tuple(state.requests.values())):
        theirs = request.requester == agent or (request.requester is None and agent in request.candidates)
        about = path in request.crossings and request.kind is not RequestKind.DRIFT
        if not theirs or not about or request.status == "withdrawn":
            continue
        if request.status == "approved":
            return None
        waits = "waits for a decision" if request.open else f"was {request.status}"
        because = because or f", and request {request.id} {waits}"
        if request.kind is RequestKind.CROSSED:
            return f"{whose}{because}"
    used = any(grant.agent == agent and path in grant.used for grant in state.grants.values())
    return None if used else f"{whose}{because}"


def asked(state: State, command: Ask, now: float) -> tuple[e.Event, ...]:
    """The request that `command` makes; () when none is needed or one is open for it already."""
    foreign = to_ask(state, command, now)
    if not foreign or open_question(state, command.agent, foreign) is not None:
        return ()
    crossings = tuple(Crossing(path=path, owner=_owner(state, path)) for path in foreign)
    return (
        e.CoordinationRequest(
            request=state.last_request + 1,
            kind=RequestKind.ASKED,
            requester=command.agent,
            crossings=crossings,
            reason=command.reason,
            evidence=f"{command.agent} asked" + (f" (pid {command.pid})" if command.pid else ""),
            pid=command.pid,
            program=command.program,
        ),
    )


def to_ask(state: State, command: Ask, now: float) -> tuple[str, ...]:
    """Those of the paths of `command` that are to be asked about."""
    return tuple(
        path
        for path in dict.fromkeys(command.paths)
        if may_write(state, command.agent, path, now, pid=command.pid).crosses
        or (
            command.always
            and _owner(state, path) not in (None, command.agent)
            and covering_grant(state, command.agent, path, command.pid, now) is None
        )
    )


def open_question(state: State, agent: str, paths: Sequence[str]) -> RequestState | None:
    """The open request in which `agent` asks for all of `paths`, or None."""
    for request in state.open_requests:
        if (
            request.kind is RequestKind.ASKED
            and request.requester == agent
            and set(paths) <= set(request.paths)
        ):
            return request
    return None


def held(state: State, command: Hold, now: float) -> Iterator[e.Event]:
    """The request that a stopped write makes or joins, and the wait that begins."""
    crossing = Crossing(path=command.path, owner=_owner(state, command.path), source=command.source)
    request = open_hold(state, command.agent, command.pid, crossing, now)
    number = state.last_request + 1 if request is None else request.id
    if request is None:
        yield e.CoordinationRequest(
            request=number,
            kind=RequestKind.HELD,
            requester=command.agent,
            crossings=(crossing,),
            reason=command.reason,
            evidence=f"the kernel gate stopped {command.words}",
            pid=command.pid,
            program=command.program,
            lane=command.agent if state.plan.has_lanes else "",
        )
    elif crossing.path not in request.crossings:
        yield e.RequestGrew(request=number, crossings=(crossing,))
    if command.until is not None:
        yield e.HoldStarted(request=number, pid=command.pid, program=command.program, until=command.until)
    elif request is None:
        yield e.HoldEnded(request=number, reason=command.reason or "it was refused at once")


def open_hold(state: State, agent: str, pid: int, crossing: Crossing, now: float) -> RequestState | None:
    """The open request that a further stopped write of `agent` belongs to, or None.

    That of the same path, of the same process, or of the same owner while it waits or shortly after.
    """
    for request in reversed(state.open_requests):
        if request.kind is not RequestKind.HELD or request.requester != agent:
            continue
        near = request.held_until is not None or 0 <= now - request.updated_at <= JOIN_SECONDS
        if (
            crossing.path in request.crossings
            or (pid == request.pid and near)
            or (near and any(each.owner == crossing.owner for each in request.crossings.values()))
        ):
            return request
    return None


def hold_ended(state: State, command: EndHold) -> tuple[e.Event, ...]:
    """A write does not wait for the request any more; one that nobody wants any more is withdrawn."""
    request = state.requests.get(command.request)
    if request is None or not request.open:
        return ()
    if command.gone:
        return (e.RequestWithdrawn(request=request.id, reason=command.reason),)
    if request.held_until is None:
        return ()
    return (e.HoldEnded(request=request.id, reason=command.reason, until=command.until),)


def observed(state: State, command: Observe, now: float) -> Iterator[e.Event]:
    """What follows from changes that were seen together: touches, used grants, requests."""
    crossings: list[tuple[Author, str, Crossing]] = []
    landed: dict[int, list[Crossing]] = {}
    """What was written under an approval, by its request: there it can be seen and undone."""
    for touch in command.touches:
        yield e.Touched(change=touch.change, author=touch.author, cause=command.cause, lane=touch.lane)
        if touch.free:
            continue
        path = touch.change.path
        crossing = Crossing(path=path, owner=_owner(state, path), change=touch.change)
        grant = _once(state, touch, now)
        if grant is not None:
            landed.setdefault(grant.request, []).append(crossing)
            if path not in grant.used:
                used = e.GrantUsed(request=grant.request, path=path, pid=touch.author.pid)
                yield used
                record = e.Record(seq=state.seq, time=now, run=state.run, actor=ENGINE, event=used)
                state = apply(state, record)
        if _crosses(state, touch, now):
            crossings.append((touch.author, touch.lane, crossing))
        elif grant is not None and not _as_approved(state, grant, touch):
            other = f"{touch.author.evidence}; request {grant.request} approved another content"
            author = touch.author.model_copy(update={"evidence": other})
            crossings.append((author, touch.lane, crossing))
    for request_id, those in landed.items():
        if request_id in state.requests:
            yield e.RequestGrew(request=request_id, crossings=tuple(those))
    burst = len(crossings) >= BURST or bool(command.cause)
    number = state.last_request

    def key(entry: tuple[Author, str, Crossing]) -> tuple[str, tuple[str, ...], str, str]:
        author, lane, crossing = entry
        return (author.name or "", author.candidates, lane, "" if burst else crossing.owner or "")

    for _, group in groupby(sorted(crossings, key=key), key=key):
        entries = list(group)
        author, lane, _ = entries[0]
        fresh: list[Crossing] = []
        grown: dict[int, list[Crossing]] = {}
        for *_, crossing in entries:
            request = _joinable(state, author, lane, crossing, now)
            if request is None:
                fresh.append(crossing)
            else:
                grown.setdefault(request.id, []).append(crossing)
        for request_id, joined in grown.items():
            yield e.RequestGrew(request=request_id, crossings=tuple(joined))
        if fresh:
            number += 1
            yield e.CoordinationRequest(
                request=number,
                kind=RequestKind.CROSSED,
                requester=author.name,
                candidates=author.candidates,
                crossings=tuple(fresh),
                reason=command.cause,
                evidence=author.evidence,
                pid=author.pid,
                program=author.program,
                lane=lane,
            )


def _owner(state: State, path: str) -> str | None:
    """Whose path it is: an agent's by the plan; None for nobody's and the operator's."""
    if operators_own(path, None):
        return None
    claim = state.owners.owner_of(path)
    return None if claim is None else claim.owner


def _once(state: State, touch: Touch, now: float) -> Grant | None:
    """The `once` grant that the touch was made under, if there is one."""
    agent, path, pid = touch.author.name, touch.change.path, touch.author.pid
    if agent == _owner(state, path):
        return None
    grant = state.grants.get(touch.author.under or 0)
    if grant is None:
        if agent is None or may_write(state, agent, path, now, pid=pid, late=True) is not Verdict.GRANTED:
            return None
        grant = covering_grant(state, agent, path, pid, now, late=True)
    return grant if grant is not None and grant.scope is Scope.ONCE else None


def _as_approved(state: State, grant: Grant, touch: Touch) -> bool:
    """Whether what is there now is what was approved, where a content was."""
    path, after = touch.change.path, touch.change.after
    if after.kind == "other" or path not in grant.comes:
        return True
    return as_approved(state.grants.values(), grant.agent, path, after.digest or ABSENT)


def _crosses(state: State, touch: Touch, now: float) -> bool:
    """Whether the change crossed a boundary, whoever of its candidates made it."""
    author, path = touch.author, touch.change.path
    if author.name == OPERATOR or author.under is not None:
        return False
    if author.name is not None:
        return may_write(state, author.name, path, now, pid=author.pid, late=True).crosses
    agents = [each for each in author.candidates if each != OPERATOR]
    return bool(agents) and all(may_write(state, agent, path, now, late=True).crosses for agent in agents)


def _joinable(state: State, author: Author, lane: str, crossing: Crossing, now: float) -> RequestState | None:
    """The open request that a further crossing belongs to: it grows, no second one is raised."""
    for request in reversed(state.open_requests):
        if request.kind is not RequestKind.CROSSED or request.lane != lane:
            continue
        if request.requester != author.name or request.candidates != author.candidates:
            continue
        if crossing.path in request.crossings:
            return request
        same_process = author.pid is not None and author.pid == request.pid
        if same_process or (
            0 <= now - request.updated_at <= JOIN_SECONDS
            and any(each.owner == crossing.owner for each in request.crossings.values())
        ):
            return request
    return None
