"""Storms of foreign writes in which watchfiles alone loses some: how many are in no request afterwards."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.scratch import Scratch, texts, tree
from benchmarks.session import DEADLINE, RawWatch, Session, warm_up
from benchmarks.table import Table

_COLUMNS = (
    "storm",
    "files",
    "storm, s",
    "missed: Runebook",
    "watchfiles defaults",
    "watchfiles 50/10",
    "all in requests after, s",
    "author certain",
)
_NOTE = (
    "Each storm is made by an agent in its pane under the kernel gate, in a fresh repository with an engine "
    "of its own, beside {tree:,} files. A file counts as missed unless a request holds it with the content "
    "that it has in the end; for watchfiles, unless any batch names it. `all in requests after`: from the "
    "storm's end."
)
_QUIET = 20.0
"""Seconds without any new record after which what is not in the log counts as missed."""

_RAW_QUIET = 3.0
_STOPPED = 2.5


class Size(NamedTuple):
    """Files in the tree beside, and in each storm; `every` n-th storm is made."""

    tree: int
    pairs: int
    copied: int
    changed: int
    added: int
    creates: int
    every: int = 1


FULL = Size(2_000, 1_000, 20_000, 10_000, 120, 20_000)
QUICK = Size(200, 60, 300, 300, 20, 300, every=2)


class Storm(NamedTuple):
    """One storm: `raise_` makes it and returns the paths that it wrote."""

    name: str
    raise_: Callable[[Session, Sequence[RawWatch]], list[str]]


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The table of losses."""
    rows = []
    missed = 0
    for number, storm in enumerate(_storms(folder, size)):
        print(f"storm: {storm.name}", file=sys.stderr, flush=True)
        scratch = Scratch(folder / f"storm-{number}")
        try:
            scratch.commit(_branches(size))
            lost, row = _weather(scratch, storm)
        finally:
            scratch.remove()
        rows.append(row)
        missed += lost
    yield Table("Foreign writes missed in storms", _COLUMNS, rows, _NOTE.format(tree=size.tree), missed)


def _branches(size: Size) -> dict[str, dict[str, str]]:
    """Branch `main`, and `topic` with all of `beta/tracked/` changed and files in new folders."""
    same = texts([*tree(size.tree), *(f"beta/many/d{n}/kept.py" for n in range(40))])
    tracked = [f"beta/tracked/d{n // 40}/file{n}.py" for n in range(size.changed)]
    added = [f"beta/fresh{n}/deep/file.py" for n in range(size.added)]
    return {"main": same | texts(tracked), "topic": same | texts(tracked, "second") | texts(added)}


def _storms(folder: Path, size: Size) -> list[Storm]:
    source = folder / "copied"
    for path, text in texts(tree(size.copied)).items():
        place = source / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    storms = [
        Storm(f"{size.pairs:,} × mkdir + write", _pairs(size.pairs, 1, 0.0)),
        Storm(f"{size.pairs:,} × mkdir + write, 3 ms apart", _pairs(size.pairs, 1, 0.003)),
        Storm(f"{size.pairs:,} × makedirs of 3 + write", _pairs(size.pairs, 3, 0.0)),
        Storm(f"{size.pairs:,} × makedirs of 3 + write, 3 ms apart", _pairs(size.pairs, 3, 0.003)),
        Storm("cp -r", _command(["cp", "-r", str(source), "beta/copy"], tree(size.copied), "beta/copy/")),
        Storm(f"git checkout, {size.changed:,} changed + {size.added} new", _checkout(size)),
        Storm("engine and watchers stopped during creates", _stopped(size.creates)),
        Storm("git worktree add below the root", _worktree),
    ]
    return storms[:: size.every]


def _pairs(count: int, depth: int, gap: float) -> Callable[[Session, Sequence[RawWatch]], list[str]]:
    below = "".join(f"/level{level}" for level in range(1, depth))
    paths = [f"beta/new{number}{below}/file.py" for number in range(count)]

    def raise_(session: Session, raws: Sequence[RawWatch]) -> list[str]:
        session.tell("pairs", paths=paths, gap=gap)
        return paths

    return raise_


def _command(
    command: list[str], paths: list[str], prefix: str
) -> Callable[[Session, Sequence[RawWatch]], list[str]]:
    def raise_(session: Session, raws: Sequence[RawWatch]) -> list[str]:
        session.tell("run", command=command)
        return [prefix + path for path in paths]

    return raise_


def _checkout(size: Size) -> Callable[[Session, Sequence[RawWatch]], list[str]]:
    changed = [path for path in _branches(size)["topic"] if path.startswith(("beta/tracked/", "beta/fresh"))]
    return _command(["git", "checkout", "-q", "topic"], changed, "")


def _worktree(session: Session, raws: Sequence[RawWatch]) -> list[str]:
    session.tell("run", command=["git", "worktree", "add", "-q", "beta/tree", "topic"])
    names = session.scratch.git("ls-tree", "-r", "-z", "--name-only", "topic")
    return [f"beta/tree/{path}" for path in names.split("\0") if path]


def _stopped(count: int) -> Callable[[Session, Sequence[RawWatch]], list[str]]:
    paths = [f"beta/many/d{number % 40}/file{number}.py" for number in range(count)]

    def raise_(session: Session, raws: Sequence[RawWatch]) -> list[str]:
        assert session.engine is not None
        stopped = [session.engine.pid, *(raw.process.pid for raw in raws)]
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        begun = time.monotonic()
        try:
            session.tell("steady", paths=paths, gap=0.0)
            time.sleep(max(0.0, _STOPPED - (time.monotonic() - begun)))
        finally:
            for process in stopped:
                os.kill(process, signal.SIGCONT)
        return paths

    return raise_


def _weather(scratch: Scratch, storm: Storm) -> tuple[int, list[str]]:
    with ExitStack() as stack:
        session = stack.enter_context(Session(scratch))
        raws = {}
        for debounce, step in ((1600, 50), (50, 10)):
            raws[debounce] = RawWatch(scratch, debounce, step)
            stack.callback(raws[debounce].close)
        warm_up(session, list(raws.values()))
        begun = time.time()
        paths = storm.raise_(session, list(raws.values()))
        ended = time.time()
        wanted = {path: _digest(scratch.root / path) for path in paths}
        found, certain, last = _wait(session, wanted)
        _wait_raw(list(raws.values()))
        lost = len(wanted) - found
        plain = [len(wanted.keys() - raw.seen().keys()) for raw in raws.values()]
    return lost, [
        storm.name,
        f"{len(wanted):,}",
        f"{ended - begun:.1f}",
        f"{lost:,}",
        *(f"{each:,}" for each in plain),
        f"{max(0.0, last - ended):.1f}" if not lost else "–",
        f"{certain / max(1, found):.0%}",
    ]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _wait(session: Session, wanted: Mapping[str, str]) -> tuple[int, int, float]:
    """How many paths are in a request as they are now, how many of them by a certain author, since when."""
    left = set(wanted)
    certain, last = 0, 0.0

    def all_in() -> bool:
        nonlocal certain, last
        for path in list(left):
            for seen in session.log.seen.get(path, ()):
                if seen.digest == wanted[path]:
                    left.discard(path)
                    certain += seen.named
                    last = max(last, seen.followed)
                    break
        return not left

    session.log.until(all_in, _QUIET)
    return len(wanted) - len(left), certain, last


def _wait_raw(raws: Sequence[RawWatch]) -> None:
    """Wait until the raw watchers have had nothing more to say for a while."""
    deadline = time.monotonic() + DEADLINE
    sizes, since = [raw.size() for raw in raws], time.monotonic()
    while time.monotonic() - since < _RAW_QUIET and time.monotonic() < deadline:
        time.sleep(0.1)
        now = [raw.size() for raw in raws]
        if now != sizes:
            sizes, since = now, time.monotonic()
