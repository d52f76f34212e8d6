"""The stores: SQLite, durable SQLite and PostgreSQL, beside the same rows without Runebook."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks.appending import touch
from benchmarks.table import Table, milliseconds, percentile, rate, ratio
from runebook_tui.core.events import Touched
from runebook_tui.execution.follow import follow
from runebook_tui.log.eventlog import encode
from runebook_tui.log.nudge import Bell
from runebook_tui.log.opening import STORE_VARIABLE, store_of
from runebook_tui.place import runtime_folder, state_folder
from tests.postgres import Cluster, NoPostgres

BATCH = 50
_PAGE = 1_000
_GAP = 0.01
_POLL = 0.02
_WAIT = 60.0
_INSERT = "INSERT INTO bare VALUES ({marks})"
_TABLE = (
    "CREATE TABLE IF NOT EXISTS bare (seq bigint PRIMARY KEY, time float8, run bigint, actor text, type text,"
    " path text, body text)"
)
_RATES = (
    "store",
    "single appends/s",
    "p50 / p99 ms",
    f"events/s, {BATCH} an append",
    "p50 / p99 ms",
    "events/s read",
    "to bare: single, batch, read",
)
_RATES_NOTE = (
    f"The same touches for all: some by an append each, more by {BATCH} an append, then all read in pages of "
    f"{_PAGE:,}. Bare: INSERT and COMMIT of the same text (one COMMIT a batch) by sqlite3 in WAL mode and by "
    "psycopg, into a table with one index; what is read is not understood. PostgreSQL is on this machine, "
    "reached by its unix socket, and waits for the disk at each commit, as durable SQLite does."
)
_TAIL = ("another process has an append in", "p50 / p99 ms", "to bare")
_TAIL_NOTE = (
    "From just before the append to when another process has the record, {count} appends {gap:g} ms apart. "
    "Runebook: `execution.follow`, as the screens read. Bare: sqlite3 asks for `data_version` every 20 ms; "
    "psycopg has LISTEN, with a NOTIFY in each commit."
)


class Size(NamedTuple):
    """How many events are appended one each, in batches altogether, and for the tail."""

    single: int
    batched: int
    tail: int


FULL = Size(3_000, 20_000, 300)
QUICK = Size(60, 200, 20)


class Way(NamedTuple):
    """One way to keep events: by Runebook, or bare; `url` is "" for SQLite."""

    name: str
    url: str
    durable: bool
    bare: bool


class Figures(NamedTuple):
    """Seconds that each append took, and events read a second."""

    single: list[float]
    batched: list[float]
    read: float


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The tables of rates and of the tail."""
    try:
        cluster = Cluster(durable=True)
    except NoPostgres:
        yield from _tables(folder, size, lambda: "")
    else:
        with cluster:
            yield from _tables(folder, size, lambda: cluster.url(cluster.database()))
    finally:
        os.environ.pop(STORE_VARIABLE, None)


def _tables(folder: Path, size: Size, database: Callable[[], str]) -> Iterator[Table]:
    ways = [
        Way("SQLite", "", durable=False, bare=False),
        Way("bare sqlite3", "", durable=False, bare=True),
        Way("SQLite, durable", "", durable=True, bare=False),
        Way("bare sqlite3, synchronous=FULL", "", durable=True, bare=True),
    ]
    if url := database():
        ways += [
            Way("PostgreSQL", url, durable=True, bare=False),
            Way("bare psycopg", database(), durable=True, bare=True),
        ]
    rates = {way: _figures(folder / f"rates{at}", way, size) for at, way in enumerate(ways)}
    rows = [_rate_row(way, rates[way], rates[_beside(way, ways)], size) for way in ways]
    yield Table("The stores", _RATES, rows + _lacking(bool(url), len(_RATES)), _RATES_NOTE)
    if url:  # the tail's logs begin anew
        ways = [way._replace(url=database() if way.url else "") for way in ways]
    tails = {way: _tail(folder / f"tail{at}", way, size.tail) for at, way in enumerate(ways)}
    told = [_tail_row(way, tails[way], tails[_beside(way, ways)]) for way in ways]
    note = _TAIL_NOTE.format(count=size.tail, gap=_GAP * 1000)
    yield Table("The stores' tails", _TAIL, told + _lacking(bool(url), len(_TAIL)), note)


def _beside(way: Way, ways: Sequence[Way]) -> Way:
    """The bare way that `way` is held against."""
    kind = bool(way.url), way.durable
    return next(each for each in ways if each.bare and (bool(each.url), each.durable) == kind)


def _lacking(there: bool, columns: int) -> list[tuple[str, ...]]:
    return [] if there else [("PostgreSQL is not installed", *["–"] * (columns - 1))] * 2


# ── appends and reads ───────────────────────────────────────────────────────────────────────────


def _rate_row(way: Way, ours: Figures, bare: Figures, size: Size) -> tuple[str, ...]:
    ratios = (
        ratio(sum(bare.single), sum(ours.single)),
        ratio(sum(bare.batched), sum(ours.batched)),
        ratio(ours.read, bare.read),
    )
    return (
        way.name,
        rate(size.single, sum(ours.single)),
        milliseconds(ours.single),
        rate(size.batched, sum(ours.batched)),
        milliseconds(ours.batched),
        rate(ours.read, 1.0),
        ", ".join(ratios),
    )


def _figures(root: Path, way: Way, size: Size) -> Figures:
    prepare(root, way)
    events = [touch(number) for number in range(size.single + size.batched)]
    write, read = _bare(root, way) if way.bare else _kept(root, way)
    single = [_timed(write, events[at : at + 1], at) for at in range(size.single)]
    batched = [_timed(write, events[at : at + BATCH], at) for at in range(size.single, len(events), BATCH)]
    begun = time.perf_counter()
    found = read()
    spent = time.perf_counter() - begun
    if found != len(events):
        raise AssertionError(f"{way.name}: {found} of {len(events)} events are there")
    return Figures(single, batched, found / spent)


def _timed(write: Write, events: Sequence[Touched], after: int) -> float:
    begun = time.perf_counter()
    write(events, after)
    return time.perf_counter() - begun


def prepare(root: Path, way: Way) -> None:
    """Make an empty log, or the bare table."""
    state_folder(root).mkdir(parents=True)
    runtime_folder(root, create=True)
    if way.bare:
        with closing(_connect(root, way)) as link:
            link.execute(_TABLE)
        return
    _name_store(way)
    store = store_of(root)
    if way.url:
        store.make()
    store.open().close()


Write = Callable[[Sequence[Touched], int], None]


def _kept(root: Path, way: Way) -> tuple[Write, Callable[[], int]]:
    _name_store(way)
    log = store_of(root).open()

    def write(events: Sequence[Touched], after: int) -> None:
        log.append(events, run=1, actor="engine", expected=after, time=time.time(), durable=way.durable)

    def read() -> int:
        seq = 0
        while page := log.read(after=seq, limit=_PAGE):
            seq = page[-1].seq
        log.close()
        return seq

    return write, read


def _bare(root: Path, way: Way, *, tell: bool = False) -> tuple[Write, Callable[[], int]]:
    link = _connect(root, way)
    insert = _INSERT.format(marks=", ".join(["%s" if way.url else "?"] * 7))
    cursor = link.cursor()

    def write(events: Sequence[Touched], after: int) -> None:
        now = time.time()
        rows = [
            (seq, now, 1, "engine", event.type, event.change.path, encode(event))
            for seq, event in enumerate(events, start=after + 1)
        ]
        cursor.execute("BEGIN")
        cursor.executemany(insert, rows)
        if tell:
            cursor.execute("NOTIFY bare")
        cursor.execute("COMMIT")

    def read() -> int:
        seq = 0
        page = f"SELECT seq, time, run, actor, body FROM bare WHERE seq > {{}} ORDER BY seq LIMIT {_PAGE}"
        while found := link.execute(page.format(seq)).fetchall():
            seq = found[-1][0]
        link.close()
        return int(seq)

    return write, read


def _connect(root: Path, way: Way) -> sqlite3.Connection | psycopg.Connection[tuple[object, ...]]:
    if way.url:
        return psycopg.connect(way.url, autocommit=True)
    link = sqlite3.connect(state_folder(root) / "bare.sqlite", isolation_level=None, timeout=_WAIT)
    link.execute("PRAGMA journal_mode = WAL")
    link.execute(f"PRAGMA synchronous = {'FULL' if way.durable else 'NORMAL'}")
    return link


def _name_store(way: Way) -> None:
    """Let this process, and those it starts, use the store of `way`."""
    os.environ[STORE_VARIABLE] = way.url


# ── the tail ────────────────────────────────────────────────────────────────────────────────────


def _tail_row(way: Way, ours: list[float], bare: list[float]) -> tuple[str, ...]:
    return way.name, milliseconds(ours), ratio(percentile(ours, 50), percentile(bare, 50))


def _tail(root: Path, way: Way, count: int) -> list[float]:
    """Seconds from each append in another process to when it is known here."""
    prepare(root, way)
    ready, found = threading.Event(), list[float]()
    read = (_listened if way.url else _polled) if way.bare else _followed
    reader = threading.Thread(target=lambda: found.extend(read(root, way, count, ready)), daemon=True)
    reader.start()
    ready.wait(_WAIT)
    words = [os.fspath(root), str(count), way.url, str(int(way.durable)), str(int(way.bare))]
    subprocess.run(
        [sys.executable, "-m", "benchmarks.storing", *words],
        check=True, start_new_session=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    reader.join(_WAIT)
    if len(found) < count:
        raise AssertionError(f"{way.name}: another process had {len(found)} of {count} appends")
    return found


def _followed(root: Path, way: Way, count: int, ready: threading.Event) -> list[float]:
    async def read() -> list[float]:
        found: list[float] = []
        async for update in follow(root):
            now = time.time()
            ready.set()
            found += [now - record.time for record in update.records]
            if len(found) >= count:
                break
        return found

    _name_store(way)
    return asyncio.run(read())


def _polled(root: Path, way: Way, count: int, ready: threading.Event) -> list[float]:
    found: list[float] = []
    with closing(_connect(root, way)) as link:
        before = None
        while len(found) < count:
            version = link.execute("PRAGMA data_version").fetchone()
            if version != before:
                before = version
                found += _since(link, len(found))
            ready.set()
            time.sleep(_POLL)
    return found


def _listened(root: Path, way: Way, count: int, ready: threading.Event) -> list[float]:
    found: list[float] = []
    # A connection of its own to read by: what is told while one is asked something else can be lost.
    with psycopg.connect(way.url, autocommit=True) as ear, closing(_connect(root, way)) as link:
        ear.execute("LISTEN bare")
        ready.set()
        for _ in ear.notifies(timeout=_WAIT):
            found += _since(link, len(found))
            if len(found) >= count:
                break
    return found


def _since(link: sqlite3.Connection | psycopg.Connection[tuple[object, ...]], seq: int) -> list[float]:
    rows = link.execute(f"SELECT time FROM bare WHERE seq > {seq} ORDER BY seq").fetchall()
    now = time.time()
    return [now - float(row[0]) for row in rows]


def append_slowly(root: Path, count: int, way: Way) -> None:
    """What the other process does: append an event, again and again."""
    write, _ = _bare(root, way, tell=bool(way.url)) if way.bare else _kept(root, way)
    bell = Bell(runtime_folder(root))
    for number in range(count):
        write([touch(number)], number)
        bell.ring()
        time.sleep(_GAP)
    bell.close()


if __name__ == "__main__":
    _, _root, _count, _url, _durable, _is_bare = sys.argv
    append_slowly(Path(_root), int(_count), Way("", _url, durable=_durable == "1", bare=_is_bare == "1"))
