"""The log: appends beside raw sqlite3 inserts in the same settings, and how soon another process has them."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.table import Table, milliseconds, percentile, rate, ratio
from runebook_tui.core.events import Touched
from runebook_tui.core.types import Author, Change, Version
from runebook_tui.execution.follow import follow, log_path
from runebook_tui.log.eventlog import encode
from runebook_tui.log.nudge import Bell
from runebook_tui.log.sqlite import SqliteLog
from runebook_tui.place import runtime_folder, state_folder

_RATES = (
    "one commit each",
    "Runebook, events/s",
    "raw sqlite3, events/s",
    "to raw",
    "Runebook, p50 / p99 ms",
    "raw, p50 / p99 ms",
)
_RATES_NOTE = (
    "One touch of {size} bytes as JSON each. Raw: the same row into the same table and indexes (WAL, BEGIN "
    "IMMEDIATE), already encoded, without the checks of `expected` and of the key."
)
_TAIL = ("another process has an append by", "p50 / p99 ms", "to polling")
_TAIL_NOTE = (
    "From just before the append to when a reader in another process has the record; {count} appends "
    "{gap:g} ms apart. Nudge: `execution.follow`, as the TUI and `log --follow` read. Polling: "
    "`PRAGMA data_version` every 20 ms."
)
_GAP = 0.01


class Size(NamedTuple):
    """How many events are appended for each row."""

    plain: int
    durable: int
    tail: int


FULL = Size(20_000, 2_000, 300)
QUICK = Size(500, 50, 30)


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The tables of rates and of the tail's latency."""
    yield _rates(folder, size)
    yield _tails(folder, size.tail)


def touch(number: int) -> Touched:
    """An event as the engine appends most."""
    version = Version(kind="file", digest=f"{number:064x}", size=number, mode=0o644, stored=True)
    change = Change(
        path=f"src/part{number % 100}/file{number}.py",
        before=Version(kind="absent"), after=version, added=number, removed=0,
    )  # fmt: skip
    return Touched(change=change, author=Author(name="alpha", evidence="the kernel gate saw it", pid=number))


def _rates(folder: Path, size: Size) -> Table:
    rows = []
    for label, count, durable, batch in (
        ("synchronous=NORMAL", size.plain, False, 1),
        ("synchronous=FULL", size.durable, True, 1),
        ("NORMAL, 100 events a commit", size.plain, False, 100),
    ):
        events = [touch(number) for number in range(count)]
        ours = _appends(folder / "ours.sqlite", events, durable, batch)
        theirs = _inserts(folder / "raw.sqlite", events, durable, batch)
        rows.append(
            (
                label,
                rate(count, sum(ours)),
                rate(count, sum(theirs)),
                ratio(count / sum(ours), count / sum(theirs)),
                milliseconds(ours),
                milliseconds(theirs),
            )
        )
    return Table("Appends to the log", _RATES, rows, _RATES_NOTE.format(size=len(encode(touch(1_000)))))


def _appends(path: Path, events: Sequence[Touched], durable: bool, batch: int) -> list[float]:
    taken = []
    with SqliteLog(path) as log:
        for start in range(0, len(events), batch):
            begun = time.perf_counter()
            log.append(
                events[start : start + batch],
                run=1, actor="engine", expected=start, time=time.time(), durable=durable,
            )  # fmt: skip
            taken.append(time.perf_counter() - begun)
    _remove(path)
    return taken


def _inserts(path: Path, events: Sequence[Touched], durable: bool, batch: int) -> list[float]:
    taken = []
    SqliteLog(path).close()  # makes the table and the indexes
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        now = time.time()
        rows = [
            (seq, now, 1, "engine", event.type, event.change.path.encode(), None, encode(event))
            for seq, event in enumerate(events, start=1)
        ]
        for start in range(0, len(rows), batch):
            begun = time.perf_counter()
            database.execute("BEGIN IMMEDIATE")
            database.executemany(
                "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows[start : start + batch]
            )
            database.execute("COMMIT")
            taken.append(time.perf_counter() - begun)
    finally:
        database.close()
    _remove(path)
    return taken


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


# ── the tail ────────────────────────────────────────────────────────────────────────────────────


def _tails(folder: Path, count: int) -> Table:
    polled = _tail(folder / "polled", count, _poll)
    nudged = _tail(folder / "nudged", count, _nudge)
    middle = percentile(polled, 50)
    rows = [
        ("nudge", milliseconds(nudged), ratio(percentile(nudged, 50), middle)),
        ("polling", milliseconds(polled), ratio(middle, middle)),
    ]
    return Table("The log's tail", _TAIL, rows, _TAIL_NOTE.format(count=count, gap=_GAP * 1000))


def _tail(root: Path, count: int, read: Callable[[Path, int, threading.Event], list[float]]) -> list[float]:
    """Seconds from each append in another process to when `read` has it here."""
    state_folder(root).mkdir(parents=True)
    runtime_folder(root, create=True)
    SqliteLog(log_path(root)).close()
    found: list[float] = []
    ready = threading.Event()
    reader = threading.Thread(target=lambda: found.extend(read(root, count, ready)), daemon=True)
    reader.start()
    ready.wait()
    subprocess.run(
        [sys.executable, "-m", "benchmarks.appending", os.fspath(root), str(count)],
        check=True, start_new_session=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    reader.join(30)
    return found


def _nudge(root: Path, count: int, ready: threading.Event) -> list[float]:
    return asyncio.run(_followed(root, count, ready))


async def _followed(root: Path, count: int, ready: threading.Event) -> list[float]:
    found: list[float] = []
    async for update in follow(root):
        now = time.time()
        ready.set()
        found += [now - record.time for record in update.records]
        if len(found) >= count:
            break
    return found


def _poll(root: Path, count: int, ready: threading.Event) -> list[float]:
    found: list[float] = []
    with SqliteLog(log_path(root), read_only=True) as log:
        version = -1
        while len(found) < count:
            if log.version() != version:
                version = log.version()
                records = log.read(after=len(found))
                now = time.time()
                found += [now - record.time for record in records]
            ready.set()
            time.sleep(0.02)
    return found


def append_slowly(root: Path, count: int) -> None:
    """What the other process does: append an event and ring, again and again."""
    bell = Bell(runtime_folder(root))
    with SqliteLog(log_path(root)) as log:
        for number in range(count):
            log.append([touch(number)], run=1, actor="engine", expected=number, time=time.time())
            bell.ring()
            time.sleep(_GAP)
    bell.close()


if __name__ == "__main__":
    append_slowly(Path(sys.argv[1]), int(sys.argv[2]))
