"""Following the log from another process than the engine's: the state, and each change to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from runebook_tui.core.events import Record
from runebook_tui.core.fold import fold
from runebook_tui.core.hosts import hosts
from runebook_tui.core.state import State
from runebook_tui.log.eventlog import EventLog, LogError
from runebook_tui.log.loading import load
from runebook_tui.log.opening import Hearing, Store, store_of
from runebook_tui.place import host_name, runtime_folder

_LOOK_SECONDS = 0.5
_PAGE = 5_000
_NEWEST = 50


class Update(NamedTuple):
    """The state after `records`; the first update of a follower holds the newest only."""

    state: State
    records: tuple[Record, ...]
    engine_alive: bool
    away: tuple[str, ...] = ()
    """The other hosts of the plan of which no engine lives."""


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
    """The state now, then again after each change; also when an engine comes or goes.

    The first update holds the records after `after`, or the newest ones when that is None. A log that
    cannot be read is opened anew until it can.
    """
    store, host = store_of(root), host_name(root)
    ear = store.ear(runtime_folder(root, create=True))
    try:
        while True:
            log = await _opened(root, ear)
            try:
                async for update in _follow(_Seen(log, store, host), ear, after):
                    after = update.state.seq
                    yield update
            except LogError:
                after = None
                await ear.wait(_LOOK_SECONDS)
            finally:
                log.close()
    finally:
        ear.close()


class _Seen(NamedTuple):
    """A log as one host's reader sees it."""

    log: EventLog
    store: Store
    host: str

    def engines(self, state: State) -> tuple[bool, tuple[str, ...]]:
        """Whether the host's own engine lives, and the other hosts of the plan of which none does."""
        others = [host for host in hosts(state.plan) if host != self.host] if self.store.shared else []
        return self._lives(self.host), tuple(host for host in others if not self._lives(host))

    def _lives(self, host: str) -> bool:
        return self.log.holder(self.store.lease_of(host)) is not None

    def begin(self, after: int | None) -> Update:
        """The first update."""
        state = load(self.log)
        if after is None:
            records = self.log.read(before=state.seq + 1, limit=_NEWEST, newest_first=True)[::-1]
        else:
            records = self.log.read(after=after, before=state.seq + 1)
        return Update(state, tuple(records), *self.engines(state))

    def next(self, last: Update) -> Update:
        """The update after another one."""
        records = tuple(self.log.read(after=last.state.seq, limit=_PAGE))
        return Update(last.state, records, *self.engines(last.state))


async def _follow(seen: _Seen, ear: Hearing, after: int | None) -> AsyncIterator[Update]:
    last = await asyncio.to_thread(seen.begin, after)
    yield last
    while True:
        await ear.wait(_LOOK_SECONDS)
        if seen.log.is_lost():
            raise LogError("the log was deleted")
        more = _PAGE
        while more == _PAGE:
            update = await asyncio.to_thread(seen.next, last)
            more = len(update.records)
            if update.records or update[2:] != last[2:]:
                last = update._replace(state=fold(update.records, last.state))
                yield last


async def _opened(root: Path, ear: Hearing) -> EventLog:
    while True:
        with suppress(LogError):
            return await asyncio.to_thread(open_log, root)
        await ear.wait(_LOOK_SECONDS)
