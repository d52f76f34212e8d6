"""Following the log from another process than the engine's: the state, and each change to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from runebook_tui.core.events import Record
from runebook_tui.core.fold import fold
from runebook_tui.core.state import State
from runebook_tui.log.eventlog import EventLog, LogError
from runebook_tui.log.loading import load
from runebook_tui.log.opening import Hearing, store_of
from runebook_tui.place import host_name, runtime_folder

_LOOK_SECONDS = 0.5
_PAGE = 5_000
_NEWEST = 50


class Update(NamedTuple):
    """The state after `records`; the first update of a follower holds the newest only."""

    state: State
    records: tuple[Record, ...]
    engine_alive: bool


def log_path(root: Path) -> Path:
    """The file of the log of the repository at `root`, where that is in SQLite."""
    return store_of(root).path


def has_log(root: Path) -> bool:
    """Whether the repository at `root` has a log, or one in a server, which is not asked. Raises LogError."""
    return store_of(root).exists()


def open_log(root: Path) -> EventLog:
    """The log, for reading. Raises LogError with words for people when nothing has run here yet."""
    return store_of(root).open(read_only=True)


def run_under_way(root: Path) -> State | None:
    """The state of a run that has begun and is not over; None when there is none. Raises LogError."""
    if not has_log(root):
        return None
    with open_log(root) as log:
        state = load(log)
    return state if state.run > 0 and state.outcome is None else None


def engine_alive(log: EventLog, root: Path, host: str | None = None) -> bool:
    """Whether the engine of the checkout at `root`, or of another `host` of the plan, lives."""
    name = host_name(root) if host is None else host
    return log.holder(store_of(root).lease_of(name)) is not None


async def follow(root: Path, *, after: int | None = None) -> AsyncIterator[Update]:
    """The state now, then again after each change; also when the engine comes or goes.

    The first update holds the records after `after`, or the newest ones when that is None. A log that
    cannot be read is opened anew until it can.
    """
    ear = store_of(root).ear(runtime_folder(root, create=True))
    try:
        while True:
            log = await _opened(root, ear)
            try:
                async for update in _follow(log, root, ear, after):
                    after = update.state.seq
                    yield update
            except LogError:
                after = None
                await ear.wait(_LOOK_SECONDS)
            finally:
                log.close()
    finally:
        ear.close()


async def _follow(log: EventLog, root: Path, ear: Hearing, after: int | None) -> AsyncIterator[Update]:
    state, records, alive = await asyncio.to_thread(_begin, log, root, after)
    yield Update(state, records, alive)
    while True:
        await ear.wait(_LOOK_SECONDS)
        if log.is_lost():
            raise LogError("the log was deleted")
        more = _PAGE
        while more == _PAGE:
            records, now_alive = await asyncio.to_thread(_look, log, root, state.seq)
            more = len(records)
            if records or now_alive != alive:
                state, alive = fold(records, state), now_alive
                yield Update(state, records, alive)


def _begin(log: EventLog, root: Path, after: int | None) -> tuple[State, tuple[Record, ...], bool]:
    state = load(log)
    if after is None:
        newest = log.read(before=state.seq + 1, limit=_NEWEST, newest_first=True)
        return state, tuple(reversed(newest)), engine_alive(log, root)
    return state, tuple(log.read(after=after, before=state.seq + 1)), engine_alive(log, root)


def _look(log: EventLog, root: Path, after: int) -> tuple[tuple[Record, ...], bool]:
    return tuple(log.read(after=after, limit=_PAGE)), engine_alive(log, root)


async def _opened(root: Path, ear: Hearing) -> EventLog:
    while True:
        with suppress(LogError):
            return await asyncio.to_thread(open_log, root)
        await ear.wait(_LOOK_SECONDS)
