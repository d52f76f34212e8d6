"""The observer: what the live watch saw becomes touches with an author, and touches become commands."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from runebook_tui.core import commands as c
from runebook_tui.core.hosts import is_lane
from runebook_tui.core.state import State
from runebook_tui.core.types import OPERATOR, Author, Change
from runebook_tui.git.ignore import Ignore
from runebook_tui.history.authors import Authors
from runebook_tui.history.errors import HistoryError
from runebook_tui.history.versions import History
from runebook_tui.place import PLAN_NAME
from runebook_tui.watch.backlog import Batch
from runebook_tui.watch.tree import TreeWatch

Handle = Callable[[c.Command], Awaitable[object]]

_TOUCHES_AT_ONCE = 500
_RETRY_SECONDS = 2.0


class Observer:
    """Joins watch, history and authors over one tree, which touches name as their `lane`.

    `on_blind` is awaited with a reason when the tree cannot be seen, and with None when it can again;
    `on_plan` when the plan's file was edited; `hear` to take all that the gates have said. What `is_brought`
    says of crosses no boundary.
    """

    def __init__(
        self,
        root: Path,
        history: History,
        authors: Authors,
        handle: Handle,
        state: Callable[[], State],
        on_blind: Callable[[str | None], Awaitable[None]],
        on_plan: Callable[[Author], Awaitable[None]],
        hear: Callable[[], Awaitable[None]],
        *,
        lane: str,
        is_brought: Callable[[Change], bool],
    ) -> None:
        self._history = history
        self._authors = authors
        self._handle = handle
        self._state = state
        self._on_blind = on_blind
        self._on_plan = on_plan
        self._hear = hear
        self._lane = lane
        self._is_brought = is_brought
        self._ignore = Ignore(root)
        self._blind: asyncio.Queue[str | None] = asyncio.Queue()
        self._watch = TreeWatch(root, self._ignore, on_blind=self._blind.put_nowait)
        self._turn = asyncio.Lock()
        self._looking = threading.Lock()
        self._closed = False

    async def run(self) -> None:
        """Observe until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report_blindness())
            async with aclosing(self._watch.batches()) as batches:
                async for batch in batches:
                    await self._observe(batch)

    async def sweep(self) -> None:
        """Look at the whole tree now; returns when what was found is in the log."""
        for batch in await self._watch.sweep():
            await self._observe(batch)

    @asynccontextmanager
    async def still(self, paths: Sequence[str]) -> AsyncIterator[None]:
        """Look at `paths` now, and observe nothing further until the block ends."""
        async with self._turn:
            await self._observe_some(sorted(paths), Batch(frozenset(paths), "sweep", "", time.time()))
            yield

    async def rewritten(self, changes: Sequence[Change]) -> None:
        """Runebook made these changes for the operator; they are in the log already."""
        for change in changes:
            self._authors.rewritten(change.path, time.time(), self._history.look(change.path).changed)
        if any(change.path == PLAN_NAME for change in changes):
            await self._on_plan(Author(name=OPERATOR, evidence="undo"))

    async def look(self, paths: Sequence[str]) -> None:
        """Look at `paths` now: after a restart, those that were touched before."""
        ignored = await asyncio.to_thread(self._ignore.among, paths)
        kept = frozenset(path for path in paths if path not in ignored)
        await self._observe(Batch(paths=kept, cause="sweep", detail="", time=time.time()))

    async def wrote(self, paths: Sequence[str], author: Author) -> None:
        """Within `still`: the engine wrote `paths`, in the name of `author`; that crosses no boundary."""
        changes = await self._changes(paths)
        for change in changes:
            self._authors.rewritten(change.path, time.time(), self._history.look(change.path).changed)
        if changes:
            touches = tuple(c.Touch(change, author, self._lane, free=True) for change in changes)
            await self._handle(c.Observe(touches))

    def worth_keeping(self, records: Sequence[Mapping[str, object]]) -> Sequence[Mapping[str, object]]:
        """The write records that can explain a touch: those that name a path git does not ignore.

        One `npm install` writes more ignored files than the authors keep records.
        """
        named = {place for record in records for place in _places(record)}
        ignored = self._ignore.among(named)
        return [record for record in records if not _places(record) or not _places(record) <= ignored]

    def close(self) -> None:
        """Let go of git's co-processes. A look that a cancelled task left in a thread ends first."""
        with self._looking:
            self._closed = True
        self._ignore.close()

    async def _report_blindness(self) -> None:
        while True:
            await self._on_blind(await self._blind.get())

    async def _observe(self, batch: Batch) -> None:
        async with self._turn:
            paths = sorted(batch.paths)
            for start in range(0, len(paths), _TOUCHES_AT_ONCE):
                await self._observe_some(paths[start : start + _TOUCHES_AT_ONCE], batch)

    async def _observe_some(self, paths: Sequence[str], batch: Batch) -> None:
        changes = await self._changes(paths)
        for path in set(paths).difference(change.path for change in changes):
            self._authors.unchanged(path, self._history.changed(path))
        if not changes:
            return
        # The gate's records of these writes are in the sockets already: let them be read first.
        await self._hear()
        brought = await asyncio.to_thread(lambda: [self._is_brought(change) for change in changes])
        touches = tuple(
            c.Touch(change, self._author(change, batch.time), self._lane, free)
            for change, free in zip(changes, brought, strict=True)
        )
        await self._handle(c.Observe(touches, cause=batch.detail if batch.cause == "git" else ""))
        for touch in touches:
            if touch.change.path == PLAN_NAME:
                await self._on_plan(touch.author)

    async def _changes(self, paths: Sequence[str]) -> list[Change]:
        """What changed in `paths`. While the history cannot keep it, the watch counts as blind."""
        troubled = False
        while True:
            try:
                changes = await asyncio.to_thread(self._observed, paths)
            except HistoryError as error:
                troubled = True
                self._blind.put_nowait(str(error))
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if troubled:
                self._blind.put_nowait(None)
            return changes

    def _observed(self, paths: Sequence[str]) -> list[Change]:
        with self._looking:
            if self._closed:
                return []
            return [change for path in paths if (change := self._history.observe(path)) is not None]

    def _author(self, change: Change, when: float) -> Author:
        live = self._state().live_agents()
        changed, gone = self._history.changed(change.path), change.after.kind == "absent"
        if is_lane(self._lane):
            author = self._authors.author(
                change.path, when, unobserved=[], observed=[], changed=changed, gone=gone
            )
            return author_in_lane(self._lane, author)
        return self._authors.author(
            change.path,
            when,
            unobserved=[agent.id for agent in live if agent.gate_holds is False],
            observed=[agent.id for agent in live if agent.gate_holds is not False],
            changed=changed,
            gone=gone,
        )


def author_in_lane(agent: str, author: Author) -> Author:
    """Who made a change in the lane of `agent`, given who the gates' records say it was.

    What no other pane wrote is the agent's: nobody else works there.
    """
    if author.certain and author.name != OPERATOR:
        return author
    names = dict.fromkeys(agent if each == OPERATOR else each for each in author.candidates or (agent,))
    if list(names) == [agent]:
        return Author(name=agent, evidence=f"written in the worktree of {agent}")
    return author.model_copy(update={"candidates": tuple(names)})


def _places(record: Mapping[str, object]) -> set[str]:
    """The paths that a write record names; what cannot be a path is for the authors to refuse."""
    named = (record.get("path"), record.get("to"))
    return {place for place in named if isinstance(place, str) and place and "\0" not in place}
