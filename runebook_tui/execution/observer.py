"""The observer: what the live watch saw becomes touches with an author, and touches become commands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from runebook_tui.core import commands as c
from runebook_tui.core.state import State
from runebook_tui.core.types import OPERATOR, Author, Change
from runebook_tui.history.authors import Authors
from runebook_tui.history.versions import History
from runebook_tui.place import PLAN_NAME
from runebook_tui.watch.ignore import Ignore
from runebook_tui.watch.tree import Batch, TreeWatch

Handle = Callable[[c.Command], Awaitable[object]]

_TOUCHES_AT_ONCE = 500


class Observer:
    """Joins watch, history and authors. `on_plan` is awaited when the operator has edited the plan."""

    def __init__(
        self,
        root: Path,
        history: History,
        authors: Authors,
        handle: Handle,
        state: Callable[[], State],
        on_plan: Callable[[Author], Awaitable[None]],
    ) -> None:
        self._history = history
        self._authors = authors
        self._handle = handle
        self._state = state
        self._on_plan = on_plan
        self._ignore = Ignore(root)
        self._blind: asyncio.Queue[str | None] = asyncio.Queue()
        self._watch = TreeWatch(root, self._ignore, on_blind=self._blind.put_nowait)
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Observe until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report_blindness())
            async for batch in self._watch.batches():
                await self._observe(batch)

    async def sweep(self) -> None:
        """Look at the whole tree now; returns when what was found is in the log."""
        for batch in await self._watch.sweep():
            await self._observe(batch)

    async def look(self, paths: Sequence[str]) -> None:
        """Look at `paths` now: after a restart, those that were touched before."""
        ignored = await asyncio.to_thread(self._ignore.among, paths)
        kept = frozenset(path for path in paths if path not in ignored)
        await self._observe(Batch(paths=kept, cause="sweep", detail="", time=time.time()))

    def close(self) -> None:
        """Let go of git's co-processes."""
        self._ignore.close()

    async def _report_blindness(self) -> None:
        while True:
            reason = await self._blind.get()
            await self._handle(c.ReportNet("watch", None, holds=reason is None, reason=reason or ""))

    async def _observe(self, batch: Batch) -> None:
        async with self._turn:
            paths = sorted(batch.paths)
            for start in range(0, len(paths), _TOUCHES_AT_ONCE):
                await self._observe_some(paths[start : start + _TOUCHES_AT_ONCE], batch)

    async def _observe_some(self, paths: Sequence[str], batch: Batch) -> None:
        changes = await asyncio.to_thread(self._changes, paths)
        if not changes:
            return
        # The gate's records of these writes are in the sockets already: let them be read first.
        await asyncio.sleep(0)
        touches = tuple(c.Touch(change, self._author(change.path, batch.time)) for change in changes)
        cause = batch.detail or ("a git operation" if batch.cause == "git" else "")
        await self._handle(c.Observe(touches, cause=cause))
        for touch in touches:
            if touch.change.path == PLAN_NAME:
                await self._on_plan(touch.author)

    def _changes(self, paths: Sequence[str]) -> list[Change]:
        return [change for path in paths if (change := self._history.observe(path)) is not None]

    def _author(self, path: str, when: float) -> Author:
        live = self._state().live_agents()
        return self._authors.author(
            path,
            when,
            unobserved=[agent.id for agent in live if agent.gate_holds is False],
            observed=[agent.id for agent in live if agent.gate_holds is not False],
        )


def made_by_operator(author: Author) -> bool:
    """Whether a person, and nobody else, can have made the change."""
    return author.name == OPERATOR
