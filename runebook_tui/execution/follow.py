"""Following the log from another process than the engine's: the state, and each change to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from runebook_tui.core.events import Record
from runebook_tui.core.fold import fold
from runebook_tui.core.state import State
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.loading import load
from runebook_tui.log.nudge import Ear
from runebook_tui.log.sqlite import SqliteLog
from runebook_tui.place import LOG_NAME, runtime_folder, state_folder

_LOOK_SECONDS = 0.5
_PAGE = 5_000
_NEWEST = 50


class Update(NamedTuple):
    """The state after `records`; the first update of a follower holds the newest only."""

    state: State
    records: tuple[Record, ...]
    engine_alive: bool


def log_path(root: Path) -> Path:
    """The file of the log of the repository at `root`."""
    return state_folder(root) / LOG_NAME


def open_log(root: Path) -> SqliteLog:
    """The log, for reading. Raises LogError with words for people when nothing has run here yet."""
    path = log_path(root)
    if not path.exists():
        raise LogError(f"nothing has run here yet: there is no {path}")
    return SqliteLog(path, read_only=True)


def run_under_way(root: Path) -> State | None:
    """The state of a run that has begun and is not over; None when there is none. Raises LogError."""
    if not log_path(root).exists():
        return None
    with open_log(root) as log:
        state = load(log)
    return state if state.run > 0 and state.outcome is None else None


def engine_alive(log: SqliteLog) -> bool:
    """Whether an engine holds the lease on this host and lives."""
    return log.holder(socket.gethostname()) is not None


async def follow(root: Path, *, after: int | None = None) -> AsyncIterator[Update]:
    """The state now, then again after each change; also when the engine comes or goes.

    The first update holds the records after `after`, or the newest ones when that is None. A log that
    cannot be read is opened anew until it can.
    """
    ear = Ear(runtime_folder(root, create=True))
    try:
        while True:
            log = await _opened(root, ear)
            try:
                async for update in _follow(log, ear, after):
                    after = update.state.seq
                    yield update
            except LogError:
                after = None
                await ear.wait(_LOOK_SECONDS)
            finally:
                log.close()
    finally:
        ear.close()


async def _follow(log: SqliteLog, ear: Ear, after: int | None) -> AsyncIterator[Update]:
    state, records = await asyncio.to_thread(_begin, log, after)
    alive = engine_alive(log)
    yield Update(state, records, alive)
    while True:
        await ear.wait(_LOOK_SECONDS)
        if log.is_lost():
            raise LogError("the log was deleted")
        more = _PAGE
        while more == _PAGE:
            records = tuple(await asyncio.to_thread(log.read, after=state.seq, limit=_PAGE))
            more = len(records)
            now_alive = engine_alive(log)
            if records or now_alive != alive:
                state, alive = fold(records, state), now_alive
                yield Update(state, records, alive)


def _begin(log: SqliteLog, after: int | None) -> tuple[State, tuple[Record, ...]]:
    state = load(log)
    if after is None:
        newest = log.read(before=state.seq + 1, limit=_NEWEST, newest_first=True)
        return state, tuple(reversed(newest))
    return state, tuple(log.read(after=after, before=state.seq + 1))


async def _opened(root: Path, ear: Ear) -> SqliteLog:
    while True:
        with suppress(LogError):
            return open_log(root)
        await ear.wait(_LOOK_SECONDS)
