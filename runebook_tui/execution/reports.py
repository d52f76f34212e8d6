"""Reports: what agents' clients say of themselves, recorded in order; a far log keeps none of them waiting.

An answer to a hook says what the rule says, and nothing of whether its report is in the log already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import replace

from runebook_tui.core import commands as c
from runebook_tui.log.eventlog import LeaseTaken

MOST = 1_000
"""Reports that wait at the most; whoever makes one more waits with them."""
_LAST_SECONDS = 2.0
"""So long those that wait have to get into the log when the engine ends."""

Report = c.ReportActivity | c.ReportNet | c.ReportCommand | c.RecordAttempt
Record = Callable[[c.Command, str], Awaitable[None]]


class Reports:
    """Reports that wait for `record`, which tries until the log has one.

    `idle` says that one would change nothing, as far as is known. Raises Refused.
    """

    def __init__(self, record: Record, idle: Callable[[c.Command], bool]) -> None:
        self._record = record
        self._idle = idle
        self._waiting: dict[Hashable, tuple[Report, str]] = {}
        self._room = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def add(self, report: Report, actor: str) -> None:
        """Have `report` recorded after those before it. Of what an agent does, the newest counts.

        Raises Refused.
        """
        if self._idle(report) and (self._task is None or self._task.done()):
            return
        key = _key(report)
        if key not in self._waiting:
            async with self._room:
                await self._room.wait_for(lambda: len(self._waiting) < MOST)
        before = self._waiting.get(key)
        self._waiting[key] = (report if before is None else _joined(before[0], report)), actor
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(), name="record reports")

    async def close(self) -> None:
        """Record no more than what can be within two seconds."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=_LAST_SECONDS)
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _drain(self) -> None:
        while self._waiting:
            report, actor = self._waiting.pop(next(iter(self._waiting)))
            with suppress(LeaseTaken):  # another engine is at work for this host by now, and this one ends
                await self._record(report, actor)
            async with self._room:
                self._room.notify_all()


def _key(report: Report) -> Hashable:
    """What tells reports apart of which the newest is enough, and all others from each other."""
    match report:
        case c.ReportActivity() | c.ReportNet():
            return type(report), report.agent
        case _:
            return object()


def _joined(before: Report, report: Report) -> Report:
    """`report`, with what `before` said of the session and is not said again."""
    if isinstance(before, c.ReportActivity) and isinstance(report, c.ReportActivity):
        return replace(report, session=report.session or before.session, model=report.model or before.model)
    return report
