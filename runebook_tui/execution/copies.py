"""Copies: whether this host's checkout has what was published on another, and how it gets there.

Compared by the hash of the file as it was published. Where the plan names a git remote, it is fetched, and
that one file is taken when nothing of anybody's is lost by it: when tree and index have there what HEAD has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from runebook_tui.core import commands as c
from runebook_tui.core.gates import waits_for_copy
from runebook_tui.core.hosts import host_of_agent, leading
from runebook_tui.core.state import PublishedApi, State
from runebook_tui.core.types import Author, Version
from runebook_tui.git.process import GitError
from runebook_tui.git.published import Found, fetch, find, untouched
from runebook_tui.history.errors import HistoryError
from runebook_tui.history.look import look
from runebook_tui.history.rewrite import rewrite

AGAIN_SECONDS = 10.0
"""How often the remote is asked again for what it does not have yet."""


class Watched(Protocol):
    """What this needs of the checkout's observer."""

    def still(self, paths: Sequence[str]) -> AbstractAsyncContextManager[None]:
        """Look at `paths` now, and observe nothing further until the block ends."""

    async def wrote(self, paths: Sequence[str], author: Author) -> None:
        """Within `still`: the engine wrote `paths`, in the name of `author`."""


class Host(Protocol):
    """What this needs of the runner."""

    root: Path
    host: str

    @property
    def state(self) -> State:
        """The state now."""

    @property
    def observer(self) -> Watched | None:
        """Observes the checkout; None until it does."""

    async def handle_surely(self, command: c.Command) -> None:
        """Carry out what has happened already, however long the log takes."""


class Copies:
    """Looks for what other hosts published, and reports what this one lacks of it."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._due: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    def concerns(self, api: PublishedApi) -> bool:
        """Whether the interface was published on another host."""
        state = self._host.state
        publisher = host_of_agent(state, api.agent)
        return self._host.host != (leading(state.plan) if publisher is None else publisher)

    async def look(self, api: PublishedApi) -> None:
        """Compare this host's file with the published one, and report it. What has arrived once is here."""
        if api.lacking.get(self._host.host) == "":
            return
        if await asyncio.to_thread(self._is_here, api):
            self._due.pop(api.name, None)
            await self._report(api, "")
        else:
            self._due.setdefault(api.name, 0.0)
            if self._host.host not in api.lacking:
                await self._report(api, _lacks(api))

    def settle(self) -> None:
        """Begin to fetch what is lacking and waited for, when it is time to ask for it again."""
        state, now = self._host.state, asyncio.get_running_loop().time()
        due = [
            state.apis.published[name]
            for name, at in self._due.items()
            if at <= now and name in state.apis.published and waits_for_copy(state, self._host.host, name)
        ]
        if due and state.plan.plan.remote and (self._task is None or self._task.done()):
            for api in due:
                self._due[api.name] = now + AGAIN_SECONDS
            self._task = asyncio.create_task(self._bring(due))

    async def fetched(self) -> None:
        """Wait until what is being fetched has been."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Fetch no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _is_here(self, api: PublishedApi) -> bool:
        seen = look(self._host.root, api.path, keep=0)
        return seen is not None and seen.version.kind == "file" and seen.version.digest == api.digest

    async def _bring(self, apis: list[PublishedApi]) -> None:
        remote = self._host.state.plan.plan.remote
        try:
            await asyncio.to_thread(fetch, self._host.root, remote)
        except GitError as error:
            for api in apis:
                await self._report(api, f"{_lacks(api)}; {error}")
            return
        for api in apis:
            if self._is_current(api):
                await self._take(api, remote)

    def _is_current(self, api: PublishedApi) -> bool:
        known = self._host.state.apis.get(api.name)
        return known is not None and known.digest == api.digest

    async def _take(self, api: PublishedApi, remote: str) -> None:
        """Take the published file into the tree, or say why it stays out."""
        root, observer = self._host.root, self._host.observer
        try:
            found = await asyncio.to_thread(find, root, remote, api.path, api.digest)
            if found is None:
                await self._report(api, f"{_lacks(api)}; {remote} does not have it yet")
                return
            if observer is None:
                return
            async with observer.still([api.path]):
                if not await asyncio.to_thread(self._put, api, found):
                    await self._report(
                        api, f"{_lacks(api)}; its own copy differs from HEAD: take it from {found.branch}"
                    )
                    return
                evidence = f"taken from {found.branch} as published (v{api.version})"
                await observer.wrote([api.path], Author(name=api.agent, evidence=evidence))
        except (GitError, HistoryError) as error:
            await self._report(api, f"{_lacks(api)}; {error}")
            return
        await self.look(api)

    def _put(self, api: PublishedApi, found: Found) -> bool:
        """Write the file; False when something of somebody's is in its place."""
        seen = look(self._host.root, api.path, keep=0)
        if seen is None or seen.version.kind not in ("file", "absent"):
            return False
        if not untouched(self._host.root, api.path):
            return False
        then = Version(
            kind="file", digest=api.digest, size=len(found.data), mode=0o755 if found.executable else 0o644
        )
        rewrite(self._host.root, api.path, seen.version, then, found.data)
        return True

    async def _report(self, api: PublishedApi, lacks: str) -> None:
        await self._host.handle_surely(c.CheckCopy(api.name, self._host.host, api.version, lacks))


def _lacks(api: PublishedApi) -> str:
    return f"lacks {api.path} as published"
