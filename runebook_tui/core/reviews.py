"""Reviews: what the owners of a request's paths recommend; the operator alone decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from runebook_tui.core.fact import Fact
from runebook_tui.core.state import Recommendation, RequestState, State

Advice = Literal["approve", "reject"]

AGAIN_SECONDS = 2.0
"""An owner may change its mind, but not more often: each change is a record."""


class Recommended(Fact):
    """An owner said what it thinks of a request about its paths."""

    type: Literal["Recommended"] = "Recommended"
    request: int
    agent: str
    advice: Advice
    reason: str = ""


@dataclass(frozen=True)
class Recommend:
    """What `agent` thinks of a request."""

    agent: str
    request: int
    advice: Advice
    reason: str = ""


def why_not(state: State, command: Recommend, now: float) -> str:
    """Why this cannot be recommended, in words; "" when it can."""
    request = state.requests.get(command.request)
    if request is None:
        return f"there is no request {command.request}"
    if not request.open:
        return f"request {request.id} is {request.status} already"
    if command.agent not in request.owners:
        whose = ", ".join(request.owners) or "nobody"
        return f"request {request.id} is about paths of {whose}, not of {command.agent}"
    known = request.recommendations.get(command.agent)
    if known is not None and _differs(known, command) and 0 <= now - known.time < AGAIN_SECONDS:
        return f"you said what you think of request {request.id} a moment ago"
    return ""


def recommended(state: State, command: Recommend) -> tuple[Recommended, ...]:
    """The event that `command` brings about; () when just that was said before."""
    known = state.requests[command.request].recommendations.get(command.agent)
    if known is not None and not _differs(known, command):
        return ()
    return (
        Recommended(
            request=command.request, agent=command.agent, advice=command.advice, reason=command.reason
        ),
    )


def _differs(known: Recommendation, command: Recommend) -> bool:
    return (known.advice, known.reason) != (command.advice, command.reason)


def applied(state: State, event: Recommended, time: float) -> State:
    """The state after an owner said what it thinks."""
    request = state.requests.get(event.request)
    if request is None:
        return state
    said = Recommendation(event.agent, event.advice, event.reason, time)
    advised = replace(
        request, recommendations=MappingProxyType({**request.recommendations, event.agent: said})
    )
    return replace(state, requests=MappingProxyType({**state.requests, request.id: advised}))


def words(request: RequestState) -> tuple[str, ...]:
    """What owners think of a request, a line each: "beta recommends to reject it: not now"."""
    return tuple(
        f"{each.agent} recommends to {each.advice} it" + (f": {each.reason}" if each.reason else "")
        for each in request.recommendations.values()
    )
