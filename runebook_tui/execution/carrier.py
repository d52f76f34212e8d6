"""The carrier: types unread messages into the panes of idle agents whose clients hear nothing by a hook.

Only at an empty prompt: the client's hook says that its turn is over, or a rule of its pane
(`clients/panes/`) knows the prompt. What could not be submitted is not typed again: it stands in the pane,
and in the inbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from runebook_tui.core.authority import standing
from runebook_tui.core.messages import ReportDelivered, unread
from runebook_tui.core.standing import Word
from runebook_tui.core.state import AgentState, Message, State
from runebook_tui.core.types import AgentStatus
from runebook_tui.execution.foreground import stranger
from runebook_tui.execution.mailbox import portion, told
from runebook_tui.execution.typist import Typist
from runebook_tui.hooks.replies import hears_anything
from runebook_tui.tmux.panes import TmuxError

PAUSE_SECONDS = 60.0
"""Between two prompts of the carrier to one agent: two agents that answer each other must not race."""


class Carrier:
    """Delivers by `typist`, and reports by `handle`."""

    def __init__(
        self,
        typist: Typist,
        state: Callable[[], State],
        handle: Callable[[ReportDelivered], Awaitable[object]],
    ) -> None:
        self._typist = typist
        self._state = state
        self._handle = handle
        self._last: dict[str, float] = {}
        self._tried: dict[tuple[str, int], int] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Type no more."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def settle(self) -> None:
        """Begin to type where there is something to deliver and somebody to read it."""
        state, now = self._state(), asyncio.get_running_loop().time()
        for agent in state.live_agents():
            messages = self._due(state, agent, now)
            if messages:
                self._last[agent.id] = now
                task = asyncio.get_running_loop().create_task(self._deliver(agent, messages))
                self._under_way[agent.id] = task
                task.add_done_callback(partial(self._done, agent.id))

    def _done(self, agent: str, task: asyncio.Task[None]) -> None:
        del self._under_way[agent]

    def _due(self, state: State, agent: AgentState, now: float) -> list[Message]:
        """What is to be typed into the pane of `agent` now."""
        if agent.spec.client is None or hears_anything(agent.spec.client) or agent.id in self._under_way:
            return []
        newest = self._tried.get((agent.id, agent.attempt), 0)
        messages = portion(each for each in unread(state, agent.id) if each.id > newest)
        waits = now - self._last.get(agent.id, now - PAUSE_SECONDS) < PAUSE_SECONDS
        if not messages or waits or agent.status is not AgentStatus.RUNNING:
            return []
        return messages if standing(state, agent).word is Word.IDLE else []

    async def _deliver(self, agent: AgentState, messages: list[Message]) -> None:
        if agent.pane is None or agent.pid is None or stranger(agent.pid):
            return
        self._tried[agent.id, agent.attempt] = messages[-1].id
        text = told(messages).replace("\n", "  ")  # a program that reads lines has it as one
        try:
            said = await self._typist.type_into(agent.pane, text)
        except TmuxError:
            return
        if said.outcome == "submitted":
            await self._handle(ReportDelivered(agent.id, tuple(each.id for each in messages), "typed"))
