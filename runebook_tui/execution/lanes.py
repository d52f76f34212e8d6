"""Lanes: each agent's worktree made ready before it starts, and integrated when others may rely on it.

Integration comes when an agent is complete, before its phase is; before another starts that needs one of
its tasks or APIs; and for an interface's path when it is published. With `isolation = "shared"` all of this
is idle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from pathlib import Path

from runebook_tui.core import commands as c
from runebook_tui.core import lanes as rule
from runebook_tui.core.state import State
from runebook_tui.core.types import Author, Change, Crossing, Version
from runebook_tui.execution.trees import Tree, Trees
from runebook_tui.git.integration import Answers, Busy, Integration, integrate
from runebook_tui.git.process import GitError
from runebook_tui.git.worktrees import Worktrees
from runebook_tui.history.errors import HistoryError
from runebook_tui.orchestrator.coordinator import Refused

_AGAIN_SECONDS = 2.0
_NAMED = 3

Handle = Callable[[c.Command], Awaitable[object]]


class Lanes:
    """The lanes of the repository at `root`. `say` tells the operator what cannot be done now."""

    def __init__(
        self,
        root: Path,
        trees: Trees,
        handle: Handle,
        state: Callable[[], State],
        say: Callable[[str], None],
    ) -> None:
        self._root = root
        self._trees = trees
        self._handle = handle
        self._state = state
        self._say = say
        self._worktrees = Worktrees(root)
        self._turn = asyncio.Lock()
        self._later: dict[str, tuple[float, str]] = {}

    def root_of(self, agent: str) -> Path:
        """The top of the tree in which `agent` works."""
        tree = self._trees.get(agent)
        return self._root if tree is None else tree.root

    async def resume(self) -> None:
        """Observe the lanes that are in use, and make good an integration that was interrupted."""
        for agent in self._state().agents.values():
            lane = self._worktrees.lane(agent.id)
            there = await asyncio.to_thread(lane.exists) if agent.lane else False
            if there:
                await self._trees.open(agent.id, lane.root, fresh=False)
        await self.integrate_completed()

    async def prepare(self, agent: str) -> Path | None:
        """The top of the tree in which `agent` is to start; None while it has to wait.

        Raises GitError when its worktree cannot be had.
        """
        state = self._state()
        if not state.plan.has_lanes:
            await self._trees.shut(agent)
            return self._root
        async with self._turn:
            for provider in rule.providers(state, state.agents[agent]):
                if provider in state.agents and not await self._is_integrated(provider):
                    return None
            await self._trees.shut(agent)
            lane, fresh = await asyncio.to_thread(self._worktrees.open, agent)
            try:
                await self._trees.open(agent, lane.root, fresh=fresh)
            except (HistoryError, OSError) as error:
                raise GitError(f"its worktree cannot be observed: {error}") from error
            await self._handle(c.ReportLane(agent, lane.branch, fresh))
        return lane.root

    async def integrate_completed(self) -> None:
        """Integrate the lanes of agents that are complete, but for those of which a conflict is open."""
        for agent in self._state().agents.values():
            if rule.awaits_integration(self._state(), agent):
                async with self._turn:
                    await self._is_integrated(agent.id)

    async def publish(self, agent: str, path: str) -> None:
        """Integrate an interface's path. Raises Refused when that cannot be."""
        if self._trees.get(agent) is None:
            return
        async with self._turn:
            try:
                found = await self._integrate(agent, [path])
            except (GitError, HistoryError) as error:
                raise Refused(f"{path} cannot be integrated: {error}") from error
        why = found.left.get(path) or found.conflicts.get(path)
        if why:
            raise Refused(f"{path} is not integrated: {why}")

    async def remove(self, agent: str) -> bool:
        """Remove the worktree of `agent`; whether its branch went too. Raises Refused, GitError."""
        known = self._state().agents.get(agent)
        if known is not None and known.alive:
            raise Refused(f"{agent} is at work in it: stop it first")
        async with self._turn:
            await self._trees.shut(agent)
            try:
                return await asyncio.to_thread(self._worktrees.remove, agent)
            except GitError as error:
                lane = self._worktrees.lane(agent)
                if lane.exists():
                    await self._trees.open(agent, lane.root, fresh=False)
                raise Refused(str(error)) from error

    async def _is_integrated(self, agent: str) -> bool:
        """Integrate all of a lane that may be; False while that has to wait."""
        now = asyncio.get_running_loop().time()
        due, said = self._later.get(agent, (0.0, ""))
        if rule.waits_for_decision(self._state(), agent) or now < due:
            return False
        try:
            found = await self._integrate(agent, None)
        except (GitError, HistoryError) as error:
            words = f"{agent} is integrated later: {error}"
            if words != said and not isinstance(error, Busy):
                self._say(words)
            self._later[agent] = (now + _AGAIN_SECONDS, words)
            return False
        self._later.pop(agent, None)
        return not found.conflicts

    async def _integrate(self, agent: str, only: Collection[str] | None) -> Integration:
        """Integrate, write down what came of it, and only then reckon from there. Raises GitError."""
        tree, lane = self._trees.get(agent), self._worktrees.lane(agent)
        if tree is None or not lane.exists():
            await self._handle(c.ReportIntegrated(agent, "", (), {}, (), "", whole=True))
            return Integration()
        await self._trees.sweep()
        state = self._state()
        answers = self._answers(state, agent, tree)
        spec = state.agents[agent].spec
        settle = only is None and not state.agents[agent].alive
        work = partial(integrate, lane, answers, title=spec.title, only=only, settle=settle)
        main = self._trees.main
        assert main.observer is not None
        async with main.observer.still(()):
            found = await asyncio.to_thread(work)
            await main.observer.wrote(
                found.taken, Author(name=agent, evidence=f"integrated from {lane.branch}")
            )
        conflicts = tuple(
            Crossing(path=path, owner=None, change=Change(path=path, before=before, after=after))
            for path in sorted(found.conflicts)
            for before, after in [_versions(main, tree, path)]
        )
        report = c.ReportIntegrated(
            agent, found.commit, tuple(found.taken), found.left, conflicts, _why(found), whole=only is None
        )
        await self._handle(report)
        await asyncio.to_thread(lane.reckon_from, found.base)
        return found

    def _answers(self, state: State, agent: str, tree: Tree) -> Answers:
        """What rule and operator say; a decision about a conflict holds for the contents that it showed."""
        forced, kept, refused = set(), set(), dict[str, str]()
        for request in state.requests.values():
            for path in request.crossings:
                if rule.conflict_of(state, agent, path) is not request:
                    continue
                change = request.crossings[path].change
                before, after = _versions(self._trees.main, tree, path)
                if change is None or (change.before, change.after) != (before, after):
                    continue
                if request.status == "rejected":
                    refused[path] = f"request {request.id} is rejected"
                elif request.status == "approved":
                    forced.add(path)
                    kept.update([path] if before.stored or before.kind == "absent" else [])

        def why(path: str) -> str:
            return refused.get(path) or rule.may_integrate(state, agent, path)

        return Answers(why, forced, kept)


def _versions(main: Tree, tree: Tree, path: str) -> tuple[Version, Version]:
    """What the repository's tree and the lane have at a path, as last seen."""
    return main.history.known(path), tree.history.known(path)


def _why(found: Integration) -> str:
    """The conflicts in words, the first few by name."""
    named = [f"{path}: {why}" for path, why in sorted(found.conflicts.items())]
    more = f"; and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return "; ".join(named[:_NAMED]) + more
