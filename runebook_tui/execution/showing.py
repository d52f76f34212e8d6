"""Showing: what of this host's panes and files the operator of another one looks at.

A pane is asked for while somebody looks at it, and is shown as it is now, without what has scrolled out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from runebook_tui.core.state import RequestState, State
from runebook_tui.execution import wire
from runebook_tui.execution.contents import contents_at
from runebook_tui.execution.server import Connection
from runebook_tui.history.diffs import request_diff
from runebook_tui.history.heads import heads, tree
from runebook_tui.orchestrator.coordinator import Refused
from runebook_tui.place import tmux_socket_name
from runebook_tui.tmux.control import ControlClient
from runebook_tui.tmux.panes import TmuxError

Answer = dict[str, Any]
Verb = Callable[[Connection, Answer], Awaitable[Answer]]

MOST_FRAME = 256 * 1024
"""Characters of one frame; of a larger one the last rows are shown."""


class Host(Protocol):
    """What this needs of the runner."""

    root: Path

    @property
    def state(self) -> State:
        """The state now."""


class Showing:
    """Answers the verbs `frame`, `diff`, `heads` and `seen`."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._glass: ControlClient | None = None
        self._turn = asyncio.Lock()
        self.verbs: Mapping[str, Verb] = {
            "frame": self._frame,
            "diff": self._diff,
            "heads": self._heads,
            "seen": self._seen,
        }

    async def close(self) -> None:
        """Let go of tmux."""
        glass, self._glass = self._glass, None
        if glass is not None:
            await glass.close()

    async def _frame(self, connection: Connection, message: Answer) -> Answer:
        """What the pane of an agent shows: rows with SGR sequences, the cursor, the pane's width."""
        agent = self._host.state.agents.get(wire.text_field(message, "agent", limit=64))
        if agent is None or agent.pane is None:
            raise Refused("it has no pane now")
        async with self._turn:
            try:
                if self._glass is None or not self._glass.connected:
                    await self.close()
                    self._glass = ControlClient(tmux_socket_name(self._host.root))
                    await self._glass.connect()
                frame = (await self._glass.captures([agent.pane]))[agent.pane]
            except TmuxError as error:
                await self.close()
                raise Refused(str(error)) from error
        if isinstance(frame, TmuxError):
            raise Refused(str(frame))
        lines = [line.decode("utf-8", "surrogateescape") for line in frame.lines]
        while lines and sum(map(len, lines)) > MOST_FRAME:
            lines.pop(0)
        cursor = list(frame.cursor) if frame.cursor_visible else None
        return {"lines": lines, "cursor": cursor, "width": frame.width}

    async def _diff(self, connection: Connection, message: Answer) -> Answer:
        """The unified diff of a request, bounded."""
        request = self._request(message)
        ahead = tree(self._host.root, request.lane) if request.open else None
        files = await asyncio.to_thread(request_diff, self._host.root, request.crossings, ahead=ahead)
        return {"diff": request.contract + files}

    async def _heads(self, connection: Connection, message: Answer) -> Answer:
        """The first lines of the files of a request."""
        request = self._request(message)
        found = await asyncio.to_thread(heads, tree(self._host.root, request.lane), request.crossings)
        return {
            "heads": [{"path": each.path, "lines": list(each.lines), "more": each.more} for each in found]
        }

    async def _seen(self, connection: Connection, message: Answer) -> Answer:
        """The digests of what is at the paths of a request that it has not written."""
        request = self._request(message)
        paths = [path for path, crossing in request.crossings.items() if crossing.change is None]
        where = tree(self._host.root, request.lane)
        return {"seen": await asyncio.to_thread(contents_at, where, paths)}

    def _request(self, message: Answer) -> RequestState:
        number = wire.number_field(message, "request")
        request = self._host.state.requests.get(number)
        if request is None:
            raise Refused(f"there is no request {number}")
        return request
