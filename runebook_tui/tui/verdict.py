"""Verdict: what the operator answers, and the guard that they have seen what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runebook_tui.core.grants import Scope
from runebook_tui.core.state import RequestState

SETTLE_SECONDS = 0.3
"""How long a request that came up by itself must have been on the screen before a key decides it."""


def matter(request: RequestState) -> object:
    """What a key would decide: equal as long as an answer to the request means the same."""
    return request.crossings, request.contract, request.pid, request.held_until is not None


@dataclass(frozen=True)
class Verdict:
    """The operator's answer to one request."""

    request: int
    do: Literal["approve", "reject", "disown"]
    scope: Scope = Scope.ONCE
    reason: str = ""
    undo: bool = False
    """With "reject": take back what was written."""

    def fields(self) -> dict[str, object]:
        """What is sent to the engine with `do`."""
        if self.do == "disown":
            return {"request": self.request}
        fields: dict[str, object] = {
            "request": self.request,
            "scope": self.scope.value,
            "reason": self.reason,
        }
        return fields | {"undo": True} if self.undo else fields


class SeenGuard:
    """Lets a key decide only what was on the screen long enough to be what the operator meant.

    Times are monotonic seconds. A key that comes too early starts the wait anew, so that a key held down
    decides nothing.
    """

    def __init__(self) -> None:
        self._shown: tuple[int, object] | None = None
        self._ready_at = 0.0

    @property
    def request(self) -> int | None:
        """The request that was on the screen last."""
        return None if self._shown is None else self._shown[0]

    def painted(self, request: int, version: object, now: float, *, by_hand: bool) -> None:
        """The request was drawn as it stood at `version`; `by_hand`: the operator moved there."""
        if self._shown == (request, version):
            return
        moved = by_hand and self.request != request
        self._shown = (request, version)
        self._ready_at = now if moved else now + SETTLE_SECONDS

    def blank(self) -> None:
        """No request is on the screen."""
        self._shown = None

    def lets(self, request: int, version: object, now: float) -> bool:
        """Whether a key pressed now may decide the request as it stands at `version`."""
        if self._shown != (request, version):
            return False
        if now < self._ready_at:
            self._ready_at = now + SETTLE_SECONDS
            return False
        return True
