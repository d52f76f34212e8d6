"""Attempts: what was refused is written down and shown, but never so often that it fills the log.

The same attempt within five seconds counts as one. Of one speaker so many a minute have records of their
own; how many more there were is said in one, when the minute is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from runebook_tui.core.commands import RecordAttempt
from runebook_tui.log.eventlog import LogError

SAME_SECONDS = 5.0
WINDOW_SECONDS = 60.0
MOST_RECORDS = 60
"""Records that one speaker's attempts make in a minute, the one that counts the rest aside."""
_UNKNOWN = "pid "

Record = Callable[[RecordAttempt], Awaitable[object]]


@dataclass
class _Minute:
    """What one speaker has tried within a minute."""

    seen: dict[str, float] = field(default_factory=dict)
    records: int = 0
    more: int = 0
    last: RecordAttempt | None = None


class Attempts:
    """Writes attempts down by `record`, which raises LogError."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._minutes: dict[str, _Minute] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def note(self, speaker: str, attempt: str, reason: str) -> None:
        """Somebody tried what only the operator may. Raises LogError.

        Processes that nobody knows ("pid 12") are one speaker, whatever their numbers.
        """
        key = _UNKNOWN if speaker.startswith(_UNKNOWN) else speaker
        minute = self._minute(key)
        now = asyncio.get_running_loop().time()
        again = now - minute.seen.get(attempt, -SAME_SECONDS) < SAME_SECONDS
        if again:
            return
        command = RecordAttempt(speaker, attempt, reason)
        if minute.records >= MOST_RECORDS:
            minute.more += 1
            minute.last = command
            return
        minute.seen[attempt] = now
        minute.records += 1
        await self._record(command)

    def close(self) -> None:
        """Count no more."""
        for timer in self._timers.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()

    def _minute(self, key: str) -> _Minute:
        if key not in self._minutes:
            self._minutes[key] = _Minute()
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(WINDOW_SECONDS, self._over, key)
        return self._minutes[key]

    def _over(self, key: str) -> None:
        minute = self._minutes.pop(key)
        del self._timers[key]
        if minute.last is not None:
            task = asyncio.create_task(self._tell(minute, minute.last))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell(self, minute: _Minute, last: RecordAttempt) -> None:
        try:
            await self._record(RecordAttempt(last.speaker, last.attempt, last.reason, minute.more))
        except LogError:  # the disk is full: it is tried again with the next minute's
            following = self._minute(_UNKNOWN if last.speaker.startswith(_UNKNOWN) else last.speaker)
            following.more += minute.more
            following.last = following.last or last
