"""The working trees that are observed: the repository's own and, with isolation, one a lane."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path

from runebook_tui.core import commands as c
from runebook_tui.core.events import Touched
from runebook_tui.core.hosts import host_of_tree, is_lane
from runebook_tui.core.state import State
from runebook_tui.core.types import Author, Change
from runebook_tui.execution.holders import Holders
from runebook_tui.execution.observer import Observer
from runebook_tui.history.authors import Authors
from runebook_tui.history.baseline import Baseline
from runebook_tui.history.errors import HistoryError
from runebook_tui.history.git import GitTree
from runebook_tui.history.versions import History
from runebook_tui.log.eventlog import EventLog
from runebook_tui.place import lanes_folder, state_folder

Handle = Callable[[c.Command], Awaitable[object]]


class Tree:
    """One working tree: what its files were, and the observer over it once it is watched.

    A lane's name is its agent; the checkout's is what `core.hosts.tree_of` says.
    """

    def __init__(self, name: str, root: Path, history: History, baseline: Path) -> None:
        self.name = name
        self.root = root
        self.history = history
        self.observer: Observer | None = None
        self.task: asyncio.Task[None] | None = None
        self._baseline = Baseline(baseline)

    def remember(self, touches: Sequence[tuple[float, Change]]) -> None:
        """Tell the history what every file was when it was last known, by the log's newest touches.

        The baseline is taken once: what changed while no engine ran is to be seen as a change.
        """
        taken = self._baseline.taken_at()
        for path, version in self._baseline.read().items():
            self.history.remember(path, version)
        for time, change in touches:
            if not is_lane(self.name) or time > (taken or 0.0):
                self.history.remember(change.path, change.after)
        if taken is None:
            self.history.baseline()
            self._baseline.write(self.history.remembered)

    def unexpected(self, paths: Collection[str]) -> frozenset[str]:
        """Those of `paths` that neither git's index nor the baseline holds: only the log tells of them."""
        git = GitTree(self.root)
        try:
            held = git.entries()
            known = self._baseline.read()
        except HistoryError:
            return frozenset()
        finally:
            git.close()
        return frozenset(path for path in paths if path not in held and path not in known)

    def begin_anew(self) -> None:
        """Forget the baseline: the tree's files were replaced."""
        self._baseline.remove()


class Trees:
    """Observes trees, and hands what the gates recorded to the tree that it is about."""

    def __init__(
        self,
        root: Path,
        name: str,
        log: EventLog,
        is_agents: Callable[[int], bool],
        handle: Handle,
        state: Callable[[], State],
        on_plan: Callable[[Author], Awaitable[None]],
        hear: Callable[[], Awaitable[None]],
    ) -> None:
        self._root = root
        self._log = log
        self._is_agents = is_agents
        self._handle = handle
        self._state = state
        self._on_plan = on_plan
        self._hear = hear
        self._folder = state_folder(root) / "history"
        self._authors: dict[str, Authors] = {}
        self._away_since: float | None = None
        self._blind: dict[str, str] = {}
        self.main = Tree(name, root, History(root, self._folder), self._folder / "baseline.json")
        self._trees = {name: self.main}

    def get(self, name: str) -> Tree | None:
        """The tree of that name, if it is observed; "" is the checkout."""
        return self._trees.get(name or self.main.name)

    def unexpected(self, name: str, paths: Collection[str]) -> frozenset[str]:
        """See Tree.unexpected; none of a tree that is not observed."""
        tree = self._trees.get(name)
        return frozenset() if tree is None else tree.unexpected(paths)

    def published(self, state: State) -> None:
        """Keep to what a new state's plan says of the history; what is too much goes with the next change."""
        self.main.history.store.limit_bytes = int(state.plan.policy.history_mb * 1e6)

    # ── what the gates recorded ─────────────────────────────────────────────────────────────────

    def recorded(self, agent: str, records: Sequence[Mapping[str, object]]) -> None:
        """Take what the gate of `agent` saw being written. Raises ValueError, TypeError."""
        by_tree: dict[str, list[Mapping[str, object]]] = {}
        for record in records:
            by_tree.setdefault(str(record.get("tree") or self.main.name), []).append(record)
        for name, those in by_tree.items():
            if is_lane(name) and name not in self._state().agents:
                continue
            tree = self._trees.get(name)
            observer = None if tree is None else tree.observer
            for record in those if observer is None else observer.worth_keeping(those):
                self._authors_of(name).record(agent, record)

    def missed(self, agent: str) -> None:
        """Writes of `agent` went unrecorded."""
        for name in self._trees:
            self._authors_of(name).missed(agent)

    def resume(self, away_since: float) -> None:
        """Agents lived on while no engine looked, from `away_since` (unix seconds) until now."""
        self._away_since = away_since

    def _authors_of(self, name: str) -> Authors:
        if name not in self._authors:
            root = lanes_folder(self._root) / name if is_lane(name) else self._root
            made = self._authors[name] = Authors(Holders(root, self._is_agents).still_open)
            if self._away_since is not None:
                made.resume(self._away_since)
        return self._authors[name]

    # ── observing ───────────────────────────────────────────────────────────────────────────────

    async def begin(self) -> None:
        """Observe the repository's own tree, from what was last known of it; `settle` comes next."""
        await asyncio.to_thread(lambda: self.main.remember(self._touches(self.main.name)))
        self.main.observer = self._observer(self.main)

    async def settle(self) -> None:
        """Watch the repository's own tree from now on, and see what changed while no engine ran."""
        await self._watch(self.main)

    async def open(self, agent: str, root: Path, *, fresh: bool) -> None:
        """Observe the lane of `agent` at `root`; `fresh` when its files were replaced."""
        await self.shut(agent)
        history = History(root, self._folder, beside=self.main.history)
        tree = Tree(agent, root, history, self._folder / f"baseline-{agent}.json")
        if fresh:
            tree.begin_anew()
        await asyncio.to_thread(lambda: tree.remember(self._touches(agent)))
        tree.observer = self._observer(tree)
        self._trees[agent] = tree
        await self._watch(tree)

    async def shut(self, agent: str) -> None:
        """Cease to observe the lane of `agent`."""
        tree = self._trees.pop(agent, None)
        if tree is not None:
            await self._end(tree)
            await self._see(agent, None)

    async def sweep(self) -> None:
        """Look at every tree now; what is found is in the log afterwards."""
        for tree in tuple(self._trees.values()):
            if tree.observer is not None and tree.task is not None:
                await tree.observer.sweep()

    def check(self) -> None:
        """Raise what ended an observer that should go on."""
        for tree in self._trees.values():
            if tree.task is not None and tree.task.done():
                tree.task.result()

    async def close(self) -> None:
        """Cease to observe."""
        for tree in self._trees.values():
            await self._end(tree)

    async def _watch(self, tree: Tree) -> None:
        assert tree.observer is not None
        tree.task = asyncio.create_task(tree.observer.run(), name=f"observe {tree.name}")
        # A sweep sees only what git calls dirty.
        known = await asyncio.to_thread(self._touches, tree.name)
        await tree.observer.look([change.path for _, change in known])

    async def _end(self, tree: Tree) -> None:
        if tree.task is not None:
            tree.task.cancel()
            await asyncio.gather(tree.task, return_exceptions=True)
            tree.task = None
        if tree.observer is not None:
            tree.observer.close()
        tree.history.close()

    def _touches(self, name: str) -> list[tuple[float, Change]]:
        """The newest change of each path of a tree, with its time."""
        return [
            (record.time, record.event.change)
            for record in self._log.latest_touches()
            if isinstance(record.event, Touched) and record.event.lane == name
        ]

    def _observer(self, tree: Tree) -> Observer:
        async def on_blind(reason: str | None) -> None:
            await self._see(tree.name, reason)

        return Observer(
            tree.root,
            tree.history,
            self._authors_of(tree.name),
            self._handle,
            self._state,
            on_blind,
            self._on_plan if tree is self.main else _no_plan,
            self._hear,
            lane=tree.name,
            is_brought=_never if tree is self.main else self._is_brought,
        )

    def _is_brought(self, change: Change) -> bool:
        """Whether a lane's change only brings what the repository has."""
        try:
            there = self.main.history.known(change.path)
        except HistoryError:
            return False  # the disk is full, which the observers say
        return (there.kind, there.digest) == (change.after.kind, change.after.digest)

    async def _see(self, name: str, reason: str | None) -> None:
        """The live watch over one tree is blind for this reason, or sees (None): tell of all of them."""
        if reason is None:
            self._blind.pop(name, None)
        else:
            self._blind[name] = f"the worktree of {name}: {reason}" if is_lane(name) else reason
        words = "; ".join(self._blind.values())
        await self._handle(
            c.ReportNet("watch", None, not self._blind, words, host=host_of_tree(self.main.name))
        )


async def _no_plan(author: Author) -> None:
    """The plan that counts is the repository's own, not a lane's copy."""


def _never(change: Change) -> bool:
    return False
