"""Calls: what the operator is told of when they do not look: once for each change, and not what they see."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runebook_tui.core.needs import needs
from runebook_tui.core.printable import visible
from runebook_tui.core.sentences import KIND_WORDS
from runebook_tui.core.standing import Word
from runebook_tui.core.state import RequestState, State

MOST_CHARACTERS = 200
SETTLE_SECONDS = 2.0
"""What is over before is not told: a client is idle for a moment between two turns."""
_NAMED = 3

Key = tuple[str, str, float]


@dataclass(frozen=True, slots=True)
class Call:
    """One reason to look. The words are one line, safe to print, bounded."""

    key: Key
    """Equal for the same reason."""
    words: str
    agent: str = ""
    """Whose; "" where that is not certain."""
    request: int | None = None
    state: str = ""
    """What the agent does, of an agent's call."""


def calls(state: State, now: float) -> tuple[Call, ...]:
    """Everything that there is to be told of now, the most pressing first."""
    if state.outcome is not None:
        key = ("run", str(state.run), state.ended_at or 0.0)
        return (Call(key, visible(f"the run {state.outcome}", MOST_CHARACTERS)),)
    return tuple(_calls(state, now))


def _calls(state: State, now: float) -> Iterable[Call]:
    for need in needs(state, now):
        if need.request is not None:
            yield _of_request(state.requests[need.request])
        elif need.standing is not None:
            stands = need.standing
            how = "has failed" if stands.word is Word.FAILED else f"is {stands.word}"
            line = f": {stands.line}" if stands.line else ""
            yield Call(
                ("agent", need.agent, stands.since or 0.0),
                visible(f"{need.agent} {how}{line}", MOST_CHARACTERS),
                agent=need.agent,
                state=stands.word.value,
            )


def _of_request(request: RequestState) -> Call:
    path = f" {request.paths[0]}" if request.paths else ""
    more = f" and {len(request.paths) - 1} more" if len(request.paths) > 1 else ""
    words = f"request {request.id}: {request.who} {KIND_WORDS[request.kind]}{path}{more}"
    return Call(
        ("request", str(request.id), 0.0),
        visible(words, MOST_CHARACTERS),
        agent=request.requester or "",
        request=request.id,
    )


class Herald:
    """Which calls are to be told, as time goes on. `told` holds those that are known already.

    A call is told once, when it has lasted `SETTLE_SECONDS`; one that was seen is not. What ends and comes
    back is told again.
    """

    def __init__(self, told: Iterable[Call] = ()) -> None:
        self._told = {call.key for call in told}
        self._since: dict[Key, float] = {}
        self._last = -math.inf
        self.pending = False
        """Whether something is still to be told that must last, or be kept back, for a while."""

    def hear(
        self, found: Iterable[Call], now: float, seen: Callable[[Call], bool], quiet_seconds: float
    ) -> tuple[Call, ...]:
        """What of `found` is to be told at `now`; () for `quiet_seconds` after something was."""
        calls = tuple(found)
        keys = {call.key for call in calls}
        self._told = (self._told & keys) | {call.key for call in calls if seen(call)}
        self._since = {key: self._since.get(key, now) for key in keys}
        new = tuple(call for call in calls if call.key not in self._told)
        fresh = tuple(call for call in new if now - self._since[call.key] >= SETTLE_SECONDS)
        if not fresh or now - self._last < quiet_seconds:
            self.pending = bool(new)
            return ()
        self._told |= {call.key for call in fresh}
        self._last, self.pending = now, len(new) > len(fresh)
        return fresh


def together(found: Iterable[Call]) -> str:
    """Several calls in one line, safe to print."""
    words = [call.words for call in found]
    more = f"; and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return "; ".join(words[:_NAMED]) + more
