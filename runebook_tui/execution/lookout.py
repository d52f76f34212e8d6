"""Lookout: reads the last lines of agents' panes, and reports what a rule knows of them when that changes.

One connection to tmux tells once a second which panes have changed, for all of them together. Only those are
read: at once when they have been quiet for that second, and every few seconds while they go on changing.
"""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Protocol

from runebook_tui.core.observed import MOST_LINE, ReportObserved
from runebook_tui.core.panerules import PaneRule, read_pane, rules_of
from runebook_tui.core.printable import visible
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import AgentStatus
from runebook_tui.execution.vault import Vault
from runebook_tui.tmux.panes import TmuxError

LOOK_SECONDS = 1.0
"""How often it is asked which panes have changed."""
BUSY_SECONDS = 3.0
"""How often a pane is read that changes all the time."""
_AGAIN_SECONDS = 5.0
"""How long it waits before it asks a tmux again that did not answer."""
GENERAL = "general"
"""The rules for every program."""


class Glass(Protocol):
    """What this needs of tmux."""

    async def connect(self) -> None:
        """Raises TmuxError when there is no server."""

    async def close(self) -> None:
        """Let go of it."""

    async def fingerprints(self) -> dict[str, str]:
        """A text for every pane that changes when its content does. Raises TmuxError."""

    async def text(self, pane_id: str) -> tuple[str, ...]:
        """What a pane shows, row by row. Raises TmuxError."""


class Lookout:
    """Reports by `handle` what the panes of the agents in `state` say."""

    def __init__(
        self,
        glass: Glass,
        state: Callable[[], State],
        handle: Callable[[ReportObserved], Awaitable[object]],
        vault: Vault,
    ) -> None:
        self._glass = glass
        self._state = state
        self._handle = handle
        self._vault = vault
        self._seen: dict[tuple[str, int], str] = {}
        self._read: dict[tuple[str, int], float] = {}
        self._due: set[tuple[str, int]] = set()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start to look."""
        self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._glass.close()

    async def _keep(self) -> None:
        while True:
            pause = LOOK_SECONDS
            try:
                await self._look()
            except TmuxError:
                # The panes are the runner's to complain about; nothing new is known until tmux is back.
                pause = _AGAIN_SECONDS
            await asyncio.sleep(pause)

    async def _look(self) -> None:
        watched = {
            (agent.pane, agent.attempt): agent
            for agent in self._state().live_agents()
            if agent.pane and agent.status is AgentStatus.RUNNING and agent.spec.builtin is None
        }
        for gone in set(self._seen) - set(watched):
            del self._seen[gone]
            self._read.pop(gone, None)
            self._due.discard(gone)
        if not watched:
            return
        await self._glass.connect()
        prints = await self._glass.fingerprints()
        now = asyncio.get_running_loop().time()
        due: list[AgentState] = []
        for key, agent in watched.items():
            if key[0] not in prints:
                continue
            changed = self._seen.get(key) != prints[key[0]]
            self._seen[key] = prints[key[0]]
            if changed:
                self._due.add(key)
            waited = now - self._read.get(key, now - BUSY_SECONDS)
            if key in self._due and (not changed or waited >= BUSY_SECONDS):
                self._due.discard(key)
                self._read[key] = now
                due.append(agent)
        asked = (self._glass.text(agent.pane or "") for agent in due)
        texts = await asyncio.gather(*asked, return_exceptions=True)
        failed: list[BaseException] = []
        for agent, lines in zip(due, texts, strict=True):
            if isinstance(lines, BaseException):
                self._due.add((agent.pane or "", agent.attempt))
                failed.append(lines)
            else:
                await self._tell(agent, lines)
        for error in failed:
            raise error

    async def _tell(self, agent: AgentState, lines: tuple[str, ...]) -> None:
        reading = read_pane(rules_for(agent), lines)
        line = visible(self._vault.secrets.hide(reading.line), MOST_LINE)
        await self._handle(ReportObserved(agent.id, replace(reading, line=line)))


def rules_for(agent: AgentState) -> tuple[PaneRule, ...]:
    """The rules for what runs in the pane of the agent: those of its client, then those for every program."""
    words = agent.spec.command or ("",)
    name = agent.spec.client or os.path.basename(words[0])
    known = all_rules()
    return (*(known.get(name, ()) if name != GENERAL else ()), *known[GENERAL])


@cache
def all_rules() -> Mapping[str, tuple[PaneRule, ...]]:
    """The rules that ship, by client. Raises ValueError for a file that holds none."""
    found = {}
    for each in (files("runebook_tui.clients") / "panes").iterdir():
        name, dot, ending = each.name.rpartition(".")
        if (dot, ending) == (".", "toml"):
            found[name] = rules_of(name, tomllib.loads(each.read_text("utf-8")))
    return found
