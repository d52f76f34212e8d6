"""The engine's commands, one after the other, and whoever waits for what they bring about.

Where the log is far, it is used in a thread of its own: a server that is silent keeps commands waiting, each
in its turn, and nothing else of the engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.forgetting import Old
from runebook_tui.core.state import State
from runebook_tui.core.types import ENGINE
from runebook_tui.execution.outage import Outage
from runebook_tui.execution.reports import Report, Reports
from runebook_tui.log.aside import Aside, Use, at_once
from runebook_tui.log.eventlog import EventLog, LeaseTaken, LogError
from runebook_tui.orchestrator.coordinator import Coordinator, Listener, Refused

_LOG_RETRY_SECONDS = 2.0


class CommandQueue:
    """The coordinator of `log` in an event loop, once it is open; `far` says that the log may be far.

    `wake` is called when the state has changed, `say` with a line for people.
    """

    def __init__(
        self, log: EventLog, *, far: bool, say: Callable[[str], None], wake: Callable[[], None]
    ) -> None:
        self._log = log
        self._say = say
        self._wake = wake
        self._aside = Aside("log") if far else None
        self.use: Use = self._aside or at_once
        """How the log is used."""
        self._reports = Reports(self.handle_surely, self._is_idle)
        self._outage = Outage(say, "waiting for the log", "the log takes records again")
        self._changed = asyncio.Condition()
        self._coordinator: Coordinator | None = None

    def open(self, listener: Listener, clean: Callable[[e.Event], e.Event]) -> None:
        """Read the log; see Coordinator. Raises LogError."""
        self._coordinator = Coordinator(self._log, listener=listener, clean=clean, use=self.use)

    async def close(self) -> None:
        """Take no more commands than those that are in the log's hands."""
        await self._reports.close()
        if self._aside is not None:
            self._aside.close()

    @property
    def state(self) -> State:
        """The state now."""
        return State() if self._coordinator is None else self._coordinator.state

    async def handle(self, command: c.Command, actor: str = ENGINE) -> tuple[e.Record, ...]:
        """Carry out one command. Raises Refused, LogError."""
        assert self._coordinator is not None, "the runner is not executing"
        records = await self._coordinator.carry_out(command, actor)
        if records:
            await self._tell()
        return records

    async def handle_surely(self, command: c.Command, actor: str = ENGINE) -> None:
        """Carry out what has happened already: when the log cannot take it, try until it can."""
        while True:
            try:
                await self.handle(command, actor)
                self._outage.over()
                return
            except Refused as refusal:
                self._say(f"refused: {refusal}")
                return
            except LeaseTaken:
                raise  # another engine is at work for this host by now
            except LogError as error:
                self._outage.note(str(error))
                await asyncio.sleep(_LOG_RETRY_SECONDS)

    def forget(self, old: Old) -> tuple[e.Record, ...]:
        """Have the log forget; the record that says so. Raises Refused, LogError."""
        assert self._coordinator is not None, "the runner is not executing"
        return self._coordinator.forget(old)

    async def report(self, report: Report, actor: str = ENGINE) -> None:
        """Record what need not be in the log before its sender goes on. Raises Refused, LogError."""
        if self._aside is None:
            await self.handle(report, actor)
        else:
            await self._reports.add(report, actor)

    async def take(self, records: Sequence[e.Record]) -> None:
        """Fold what the engines of other hosts have appended."""
        if self._coordinator is not None and await self._coordinator.hear(records):
            await self._tell()

    async def changed(self, condition: Callable[[State], bool], seconds: float) -> bool:
        """Wait until `condition` holds of the state; False after `seconds`."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: condition(self.state))
        except TimeoutError:
            return condition(self.state)
        return True

    async def last_touch(self, path: str, lane: str) -> e.Touched | None:
        """The newest touch of a path of a tree. Raises LogError."""
        read = self._log.read
        found = await self.use(
            partial(read, types=["Touched"], path=path, lane=lane, limit=1, newest_first=True)
        )
        touched = found[0].event if found else None
        return touched if isinstance(touched, e.Touched) else None

    def _is_idle(self, command: c.Command) -> bool:
        return self._coordinator is not None and self._coordinator.is_idle(command)

    async def _tell(self) -> None:
        self._wake()
        async with self._changed:
            self._changed.notify_all()
