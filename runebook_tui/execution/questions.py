"""Questions: what agents' clients ask of their users before a tool runs, answered from the operator's list.

A client that shows its own dialog while its hook waits (measured: Claude Code 2.1.330, opencode 1.18.33)
takes whichever answer comes first. So the hook waits as long as the client lets it: who sits at the pane
loses nothing. A hook whose dialog was answered with yes in the pane waits on: that its tool has run ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal

from runebook_tui.core.speech import Answer
from runebook_tui.hooks.event import HookEvent, Kind
from runebook_tui.hooks.patience import give_up_seconds

BESIDE = ("claude", "opencode")
"""Clients whose own dialog is open while their hook waits for an answer."""
_MORE_THAN_YES = ("AskUserQuestion",)
"""Tools whose dialog wants another answer than yes or no."""
_EARLIER_SECONDS = 10.0
"""So long before the hook gives up by itself it is told to."""
_MOST_OPEN = 100

End = Answer | Literal["over", "left", "late"]
"""The operator's answer; or it was answered in the pane; or the client broke it off; or it took too long."""


class _Question:
    """One that waits; `words` as the operator reads them."""

    def __init__(self, event: HookEvent, words: str) -> None:
        self.words = words
        self.event = event
        self.end: asyncio.Future[End] = asyncio.get_running_loop().create_future()

    def is_of(self, event: HookEvent) -> bool:
        """Whether an event after a tool is about the tool that was asked about."""
        mine = self.event
        if mine.call and event.call:
            return mine.call == event.call
        return (mine.tool, mine.command) == (event.tool, event.command)


class Questions:
    """The questions that wait by hooks, by agent, in the order in which they came."""

    def __init__(self) -> None:
        self._open: dict[str, list[_Question]] = {}

    def waits(self, client: str, event: HookEvent) -> bool:
        """Whether the client's hook waits for an answer to this."""
        return client in BESIDE and event.tool not in _MORE_THAN_YES

    def first(self, agent: str) -> str | None:
        """The question of `agent` that is answered next, in words; None when none waits."""
        return next((each.words for each in self._waiting(agent)), None)

    def answer(self, agent: str, answer: Answer) -> bool:
        """Answer the first question of `agent`; False when none waits."""
        question = next(iter(self._waiting(agent)), None)
        if question is not None:
            question.end.set_result(answer)
        return question is not None

    def heard(self, agent: str, event: HookEvent) -> None:
        """The client says what it does: a question whose tool has run, or whose turn is over, is answered."""
        for question in self._waiting(agent):
            over = event.kind in (Kind.PROMPT, Kind.STOP, Kind.SESSION_START, Kind.SESSION_END)
            ran = event.kind is Kind.AFTER_TOOL and question.is_of(event)
            if ran or (over and not event.part):
                question.end.set_result("over")

    async def wait(
        self, agent: str, event: HookEvent, words: str, client: str, gone: Callable[[], Awaitable[None]]
    ) -> End:
        """How the question ended."""
        if len(self._waiting(agent)) >= _MOST_OPEN:
            return "late"
        question = _Question(event, words)
        self._open.setdefault(agent, []).append(question)
        left = asyncio.ensure_future(gone())
        try:
            await asyncio.wait(
                (question.end, left),
                timeout=give_up_seconds(client) - _EARLIER_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if question.end.done():
                return question.end.result()
            return "left" if left.done() else "late"
        finally:
            self._open[agent].remove(question)
            left.cancel()
            with suppress(asyncio.CancelledError):
                await left

    def _waiting(self, agent: str) -> list[_Question]:
        return [each for each in self._open.get(agent, ()) if not each.end.done()]
