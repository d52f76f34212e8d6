"""Faraway: panes and files on other hosts, asked for by way of the engine while somebody looks at them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from runebook_tui.history.heads import FileHead
from runebook_tui.tui.backend import BackendError, Frame

PANE_SECONDS = 1.0
"""How often a pane of another host is asked for at most."""
TROUBLE_SECONDS = 3.0
"""And how often one that could not be had."""
FORGOTTEN_SECONDS = 10.0
"""How long what a pane showed is kept when nobody looks at it any more."""
FIRST_SECONDS = 0.05
"""So long an answer is waited for that may be there at once."""

Ask = Callable[..., Awaitable[dict[str, object]]]


class Faraway:
    """What `ask` brings from other hosts. `clock` gives seconds."""

    def __init__(self, ask: Ask, clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._known: dict[str, Frame | BackendError] = {}
        self._due: dict[str, float] = {}
        self._asked: dict[str, asyncio.Task[None]] = {}

    async def captures(self, agents: Sequence[str]) -> Mapping[str, Frame | BackendError]:
        """What each pane showed when it was last told, about a second ago.

        A host that is slow to answer keeps nobody waiting.
        """
        now = self._clock()
        for agent in [agent for agent, due in self._due.items() if now > due + FORGOTTEN_SECONDS]:
            del self._known[agent], self._due[agent]
        for agent in agents:
            if agent not in self._asked and now >= self._due.get(agent, now):
                self._asked[agent] = asyncio.create_task(self._learn(agent))
        if self._asked:
            await asyncio.wait(self._asked.values(), timeout=FIRST_SECONDS)
        return {
            agent: self._known.get(agent, BackendError("its host has not answered yet")) for agent in agents
        }

    async def close(self) -> None:
        """Ask no more."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def _learn(self, agent: str) -> None:
        try:
            frame = await self._capture(agent)
        finally:
            del self._asked[agent]
        self._known[agent] = frame
        self._due[agent] = self._clock() + (
            TROUBLE_SECONDS if isinstance(frame, BackendError) else PANE_SECONDS
        )

    async def _capture(self, agent: str) -> Frame | BackendError:
        try:
            answer = await self._ask("frame", agent=agent)
        except BackendError as error:
            return error
        lines, cursor, width = answer.get("lines"), answer.get("cursor"), answer.get("width")
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            return BackendError("what another host's engine says of the pane cannot be read")
        return Frame(
            tuple(line.encode("utf-8", "surrogateescape") for line in lines),
            _place(cursor),
            width=width if isinstance(width, int) else 0,
        )

    async def diff(self, request: int) -> str:
        """The diff of a request. Raises BackendError."""
        return str((await self._ask("diff", request=request)).get("diff", ""))

    async def heads(self, request: int) -> tuple[FileHead, ...]:
        """The first lines of its files. Raises BackendError."""
        listed = (await self._ask("heads", request=request)).get("heads", [])
        if not isinstance(listed, list):
            return ()
        return tuple(
            FileHead(str(each["path"]), tuple(map(str, each["lines"])), str(each["more"])) for each in listed
        )

    async def seen(self, request: int) -> dict[str, str]:
        """The digests of what is at its paths. Raises BackendError."""
        found = (await self._ask("seen", request=request)).get("seen", {})
        return {str(path): str(digest) for path, digest in found.items()} if isinstance(found, dict) else {}


def _place(cursor: object) -> tuple[int, int] | None:
    if isinstance(cursor, list) and len(cursor) == 2 and all(type(each) is int for each in cursor):
        return cursor[0], cursor[1]
    return None
