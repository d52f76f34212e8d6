"""Verdict: what the operator answers, and the guard that they have seen what they answer."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from runebook_tui.core.aftermath import Means
from runebook_tui.core.grants import Scope
from runebook_tui.core.state import RequestState, State

SETTLE_SECONDS = 0.3
"""How long a request that came up by itself must have been on the screen before a key decides it."""


def matter(request: RequestState) -> object:
    """What a key would decide: equal as long as an answer to the request means the same."""
    return request.crossings, request.contract, request.pid, request.held_until is not None


@dataclass(frozen=True)
class Verdict:
    """The operator's answer to one request, or the same answer to several."""

    requests: tuple[int, ...]
    do: Literal["approve", "reject", "disown"]
    scope: Scope = Scope.ONCE
    reason: str = ""
    undo: bool = False
    """With "reject": take back what was written."""
    means: Means = ""
    """What else the answer does: widen the plan, transfer the files, hand the work over."""
    plan: str = ""
    """With `means` that change the plan: the SHA-256 of its text that the operator saw."""
    seen: Mapping[str, str] = field(default_factory=dict)
    """What the operator saw, before it is written: the SHA-256 by path."""
    about: Mapping[int, object] = field(default_factory=dict)
    """The `matter` of each request when the operator made up their mind on another screen."""

    def fields(self) -> dict[str, object]:
        """What is sent to the engine with `do`."""
        one = len(self.requests) == 1
        which: dict[str, object] = {"request": self.requests[0]} if one else {"requests": list(self.requests)}
        if self.do == "disown":
            return which
        more = {"undo": self.undo, "means": self.means, "plan": self.plan, "seen": dict(self.seen)}
        return {
            **which,
            "scope": self.scope.value,
            "reason": self.reason,
            **{name: value for name, value in more.items() if value},
        }

    def outdated(self, state: State) -> tuple[int, ...]:
        """The requests that are no longer what the operator made up their mind about."""
        return tuple(
            number
            for number, before in self.about.items()
            if (now := state.requests.get(number)) is None or not now.open or matter(now) != before
        )


def about(requests: Iterable[RequestState]) -> dict[int, object]:
    """What an answer to these requests is about."""
    return {request.id: matter(request) for request in requests}


class SeenGuard:
    """Lets a key decide only what was on the screen long enough to be what the operator meant.

    Requests are known by their numbers, questions by their agents. Times are monotonic seconds. A key that
    comes too early starts the wait anew, so that a key held down decides nothing.
    """

    def __init__(self) -> None:
        self._shown: tuple[Hashable, object] | None = None
        self._ready_at = 0.0

    @property
    def request(self) -> Hashable | None:
        """The request that was on the screen last."""
        return None if self._shown is None else self._shown[0]

    def painted(self, request: Hashable, version: object, now: float, *, by_hand: bool) -> None:
        """The request was drawn as it stood at `version`; `by_hand`: the operator moved there."""
        if self._shown == (request, version):
            return
        moved = by_hand and self.request != request
        self._shown = (request, version)
        self._ready_at = now if moved else now + SETTLE_SECONDS

    def blank(self) -> None:
        """No request is on the screen."""
        self._shown = None

    def lets(self, request: Hashable, version: object, now: float) -> bool:
        """Whether a key pressed now may decide the request as it stands at `version`."""
        if self._shown != (request, version):
            return False
        if now < self._ready_at:
            self._ready_at = now + SETTLE_SECONDS
            return False
        return True
