"""Notices: what the engine tells agents by itself, in words: decisions, and requests that they may review.

A decision is told to the requester and to the owners of its paths. A requester whose write or hook waits
for it is not told twice: it has the answer itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runebook_tui.core import events as e
from runebook_tui.core.aftermath import DecisionTakenBack
from runebook_tui.core.away import policy_for
from runebook_tui.core.messages import MessageSent, cleaned
from runebook_tui.core.printable import visible
from runebook_tui.core.sentences import KIND_WORDS, SCOPE_WORDS, lines_changed
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import ENGINE, AgentStatus, Crossing, RequestKind

_MOST_REASON = 2000

_Notice = tuple[str, int, str]
"""To whom, about which request, what."""


def following(before: State, state: State, events: Sequence[e.Event]) -> tuple[MessageSent, ...]:
    """The messages that follow from `events`, which led from `before` to `state`."""
    if any(isinstance(event, e.RunStarted) for event in events):
        return ()
    notices = [notice for event in events for notice in _about(before, state, event)]
    return tuple(
        MessageSent(message=state.last_message + n, sender=ENGINE, to=(reader,), text=text, request=request)
        for n, (reader, request, text) in enumerate(notices, start=1)
    )


def _about(before: State, state: State, event: e.Event) -> Iterator[_Notice]:
    match event:
        case e.CoordinationRequest() | e.RequestGrew():
            request = state.requests.get(event.request)
            if request is not None and request.open:
                yield from _to_review(before, state, request, event.crossings)
        case e.CoordinationResponse():
            request, was = state.requests.get(event.request), before.requests.get(event.request)
            if request is None or was is None or not was.open:
                return
            scope = f" {SCOPE_WORDS[event.scope]}" if event.decision == "approved" else ""
            outcome = f"was {event.decision}{scope}{_because(event.reason)}"
            # A decision and the hold that ends with it may come in one append, whatever their order.
            waits = was.held_until is not None
            if request.requester is not None and not waits and _listens(state, request.requester):
                yield request.requester, request.id, f"request {request.id} ({_paths(request)}) {outcome}"
            if event.means == "handed over":
                return  # the owner is told by that
            for owner in _owners(state, request, request.crossings.values()):
                yield owner, request.id, f"{_yours(request, owner)} {outcome}"
        case DecisionTakenBack():
            request = state.requests.get(event.request)
            if request is None:
                return
            again = f"is open again: the operator took back that it was {event.was}"
            if request.requester is not None and _listens(state, request.requester):
                yield request.requester, request.id, f"request {request.id} ({_paths(request)}) {again}"
            for owner in _owners(state, request, request.crossings.values()):
                yield owner, request.id, f"{_yours(request, owner)} {again}"
        case e.RequestWithdrawn():
            request = before.requests.get(event.request)
            if request is None:
                return
            outcome = f"was withdrawn{_because(event.reason)}"
            asked = request.kind is RequestKind.ASKED and request.requester is not None
            if asked and request.requester is not None and _listens(state, request.requester):
                yield request.requester, request.id, f"request {request.id} ({_paths(request)}) {outcome}"
            for owner in _owners(state, request, request.crossings.values()):
                if _was_told(before, owner, request.id):
                    yield owner, request.id, f"{_yours(request, owner)} {outcome}"
        case _:
            return


def _to_review(
    before: State, state: State, request: RequestState, crossings: Iterable[Crossing]
) -> Iterator[_Notice]:
    """Owners whom the plan asks first are told of the request once."""
    asked = [each for each in crossings if policy_for(state.plan.policy, each.path).review == "owner"]
    for owner in _owners(state, request, asked):
        if _was_told(before, owner, request.id):
            continue
        theirs = [each for each in asked if each.owner == owner]
        changed = [lines_changed(each.change) for each in theirs if each.change is not None]
        lines = f" ({', '.join(filter(None, changed[:3]))})" if any(changed) else ""
        yield (
            owner,
            request.id,
            f"request {request.id}: {request.who} {KIND_WORDS[request.kind]} {_named(theirs)}, which is "
            f"yours{lines}{_because(request.reason)}. Say what you think of it: `runebook-tui recommend "
            f"{request.id} approve --reason TEXT`, or `reject`; `runebook-tui requests --diff` shows it. "
            "The operator decides.",
        )


def _owners(state: State, request: RequestState, crossings: Iterable[Crossing]) -> Iterator[str]:
    """The agents that own paths of it and listen, each once, without the requester."""
    for owner in dict.fromkeys(each.owner for each in crossings):
        if owner is not None and owner != request.requester and _listens(state, owner):
            yield owner


def _listens(state: State, name: str) -> bool:
    """Whether the plan has the agent and it has not ended its work."""
    agent = state.agents.get(name)
    return agent is not None and (agent.alive or agent.status is not AgentStatus.COMPLETED)


def _was_told(state: State, reader: str, request: int) -> bool:
    return any(each.request == request and reader in each.to for each in state.messages)


def _yours(request: RequestState, owner: str) -> str:
    theirs = [each for each in request.crossings.values() if each.owner == owner]
    return f"request {request.id} of {request.who} ({_named(theirs)}, yours)"


def _paths(request: RequestState) -> str:
    return _named(list(request.crossings.values()))


def _named(crossings: Sequence[Crossing]) -> str:
    if not crossings:
        return "nothing"
    more = f" and {len(crossings) - 1} more" if len(crossings) > 1 else ""
    return visible(crossings[0].path, 500) + more


def _because(reason: str) -> str:
    return f": {cleaned(reason[:_MOST_REASON])}" if reason else ""
