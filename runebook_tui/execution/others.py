"""Others: the engines of the plan's other hosts, heard through the store that all of them share.

What they append is folded here, and wakes this engine like its own records; what they ask for is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple, Protocol

from runebook_tui.core.events import Record
from runebook_tui.core.state import State
from runebook_tui.execution.errands import Errands
from runebook_tui.execution.outage import Outage
from runebook_tui.execution.server import Handler
from runebook_tui.log.aside import Use
from runebook_tui.log.errands import ErrandBox
from runebook_tui.log.eventlog import EventLog, LeaseTaken, LogError
from runebook_tui.log.lease import lease_name

LOOK_SECONDS = 1.0
"""How often it is looked when nothing was heard."""
_PAGE = 2_000


class Hearing(Protocol):
    """What tells that something came into the store."""

    async def wait(self, seconds: float) -> bool:
        """Wait for that, `seconds` at the most; whether it came."""

    def close(self) -> None:
        """Let go of it."""


class Shared(NamedTuple):
    """A store that the engines of several hosts share."""

    ear: Hearing
    box: ErrandBox


class Host(Protocol):
    """What this needs of the runner."""

    host: str

    @property
    def state(self) -> State:
        """The state now."""

    async def take(self, records: Sequence[Record]) -> None:
        """Fold what others have appended."""


class Others:
    """Listens until it is closed.

    `use` is how the log is used; `do` answers what other hosts ask, as the engine's socket would.
    """

    def __init__(
        self, host: Host, shared: Shared, log: EventLog, use: Use, do: Handler, say: Callable[[str], None]
    ) -> None:
        self._use = use
        self._host = host
        self._log = log
        self._ear = shared.ear
        self._outage = Outage(say, "other hosts are not heard", "other hosts are heard again")
        self._task: asyncio.Task[None] | None = None
        self.errands = Errands(host.host, shared.box, do, self._is_alive)

    def _is_alive(self, host: str) -> bool:
        return self._log.holder(lease_name(host, shared=True)) is not None

    def begin(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._keep(), name="listen to other hosts")

    def check(self) -> None:
        """Raise what ended the listening, which goes on for ever."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.errands.close()
        self._ear.close()

    async def _keep(self) -> None:
        while True:
            await self._ear.wait(LOOK_SECONDS)
            try:
                await self._look()
            except LeaseTaken:
                raise
            except LogError as error:
                self._outage.note(str(error))
                await asyncio.sleep(LOOK_SECONDS)
            else:
                self._outage.over()

    async def _look(self) -> None:
        while True:
            found = await self._use(partial(self._log.read, after=self._host.state.seq, limit=_PAGE))
            await self._host.take(found)
            if len(found) < _PAGE:
                break
        await self.errands.settle()
