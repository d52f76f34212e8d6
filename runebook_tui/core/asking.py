"""Asking: the open requests in the order in which they need the operator."""

from __future__ import annotations

from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import RequestKind


def somebody_waits(request: RequestState) -> bool:
    """Whether an agent can wait for the answer: it asked, or its write is stopped."""
    return request.kind is RequestKind.ASKED or request.held_until is not None


def in_order(state: State) -> tuple[RequestState, ...]:
    """The open requests as they need the operator.

    Writes that wait come first, the one that is refused first before the others; then what was asked; then
    the rest. Within each, the oldest first.
    """

    def need(request: RequestState) -> tuple[int, float, int]:
        if request.held_until is not None:
            return 0, request.held_until, request.id
        return 1 if request.kind is RequestKind.ASKED else 2, 0.0, request.id

    return tuple(sorted(state.open_requests, key=need))


def asking(state: State, agent: str) -> RequestState | None:
    """The open request for whose answer the agent waits first, or None."""
    for request in in_order(state):
        if request.requester == agent and somebody_waits(request):
            return request
    return None
