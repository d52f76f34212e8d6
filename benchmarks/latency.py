"""From a foreign write to its request in the log, beside raw watchfiles on the same tree at the same time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import start
from benchmarks.scratch import Scratch, texts, tree
from benchmarks.session import RawWatch, Session, warm_up
from benchmarks.table import Table, milliseconds, percentile, ratio
from benchmarks.writer import Note

_COLUMNS = (
    "tree, machine, writes",
    "request in the log, p50 / p99 ms",
    "decided, p50 / p99 ms",
    "watchfiles 50/10, p50 / p99 ms",
    "watchfiles defaults, p50 / p99 ms",
    "p50 to 50/10",
    "p50 to defaults",
    "missed",
)
_NOTE = (
    "From just before the write system call until a follower of the log holds the crossing with exactly the "
    "written bytes (`decided`: until the engine decided, as the record's own time says). Different tracked "
    "files are overwritten in place by an agent in its pane under the kernel gate. `lone`: one write every "
    "{lone:g} ms, each opens a new request; `steady`: one every {steady:g} ms, the open request grows. "
    "`50/10` is watchfiles with debounce=50, step=10. Load: two busy loops. The gate held the opens for "
    "{held} ms (p50 / p99)."
)


class Size(NamedTuple):
    """How much is written: trees by their number of files, writes of each kind, seconds between them."""

    trees: Sequence[int]
    lone: int
    steady: int
    lone_gap: float = 0.15
    steady_gap: float = 0.02


FULL = Size((20_000, 100_000), 100, 400)
QUICK = Size((1_000,), 8, 40)


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The table of latencies."""
    rows: list[Sequence[str]] = []
    held: list[float] = []
    missed = 0
    for count in size.trees:
        scratch = Scratch(folder / f"latency-{count}")
        try:
            paths = tree(count)
            scratch.commit({"main": texts(paths)})
            with ExitStack() as stack:
                session = stack.enter_context(Session(scratch))
                raws = {}
                for debounce, step in ((50, 10), (1600, 50)):
                    raws[debounce] = RawWatch(scratch, debounce, step)
                    stack.callback(raws[debounce].close)
                warm_up(session, list(raws.values()))
                spread = iter(paths[:: max(1, count // (2 * (size.lone + size.steady)))])
                for machine in ("idle", "load"):
                    with busy(2 if machine == "load" else 0):
                        lone = _lone(session, _next(spread, size.lone), size.lone_gap)
                        steady = _steady(session, _next(spread, size.steady), size.steady_gap)
                    for kind, notes in (("lone", lone), ("steady", steady)):
                        lost, row = _row(session, raws, notes)
                        rows.append((f"{count:,} files, {machine}, {kind}", *row))
                        held += [begun - opened for _, opened, begun, _ in notes]
                        missed += lost
        finally:
            scratch.remove()
    note = _NOTE.format(lone=size.lone_gap * 1000, steady=size.steady_gap * 1000, held=milliseconds(held))
    yield Table("From a foreign write to its request", _COLUMNS, rows, note, missed)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """`count` processes that do nothing but keep a core busy."""
    loops = [start([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _next(paths: Iterator[str], count: int) -> list[str]:
    return [path for path, _ in zip(paths, range(count), strict=False)]


def _lone(session: Session, paths: list[str], gap: float) -> list[Note]:
    session.reject_all()
    notes = session.start("steady", paths=paths, gap=gap)
    while not session.done():
        session.log.until(lambda: bool(session.log.state.open_requests) or session.done(), gap)
        session.reject_all()
    found = session.finish(notes)
    _settled(session, found)
    session.reject_all()
    return found


def _steady(session: Session, paths: list[str], gap: float) -> list[Note]:
    notes = session.tell("steady", paths=paths, gap=gap)
    _settled(session, notes)
    return notes


def _settled(session: Session, notes: Sequence[Note]) -> None:
    session.log.until(lambda: all(_first(session, path, digest) for path, _, _, digest in notes), 30.0)


def _first(session: Session, path: str, digest: str) -> tuple[float, float] | None:
    """When the crossing of `path` with that content was decided, and when it was followed."""
    for seen in session.log.seen.get(path, ()):
        if seen.digest == digest:
            return seen.decided, seen.followed
    return None


def _row(session: Session, raws: Mapping[int, RawWatch], notes: Sequence[Note]) -> tuple[int, list[str]]:
    decided, followed = [], []
    for path, _, begun, digest in notes:
        found = _first(session, path, digest)
        if found is not None:
            decided.append(found[0] - begun)
            followed.append(found[1] - begun)
    plain = {debounce: _yields(raw, notes) for debounce, raw in raws.items()}
    middle = percentile(followed, 50)
    return len(notes) - len(followed), [
        milliseconds(followed),
        milliseconds(decided),
        milliseconds(plain[50]),
        milliseconds(plain[1600]),
        ratio(middle, percentile(plain[50], 50)),
        ratio(middle, percentile(plain[1600], 50)),
        str(len(notes) - len(followed)),
    ]


def _yields(raw: RawWatch, notes: Sequence[Note]) -> list[float]:
    """Seconds from each write to the first batch with its path."""
    deadline = time.monotonic() + 10.0
    while True:
        seen = raw.seen()
        found = [
            next((when - begun for when in seen.get(path, ()) if when >= begun), None)
            for path, _, begun, _ in notes
        ]
        if None not in found or time.monotonic() > deadline:
            return [each for each in found if each is not None]
        time.sleep(0.1)
