"""From starting `runebook-tui` in a terminal to the first frame that shows the plan."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.scratch import PLAN_TITLE, Scratch, texts, tree
from benchmarks.session import PROGRAM, Session
from benchmarks.table import Table, milliseconds, percentile, ratio
from benchmarks.terminal import Terminal

_COLUMNS = ("start", "p50 / p99 ms", "to import textual.app")
_NOTE = (
    "From starting the process to the first frame in which the plan's name can be read, in a "
    "pseudo-terminal of 120 × 40; {rounds} rounds each. The alternatives run to their end."
)
_PATIENCE = 60.0

FULL, QUICK = 10, 2


class Start(NamedTuple):
    """One way to start: what to run, and how long each round took."""

    name: str
    taken: list[float]


def measure(folder: Path, rounds: int) -> Iterator[Table]:
    """The table of starts."""
    scratch = Scratch(folder / "start")
    try:
        scratch.commit({"main": texts(tree(200))})
        with Session(scratch):
            running = [_first_paint(scratch.root) for _ in range(rounds)]
        alone = [_cold(scratch) for _ in range(rounds)]
    finally:
        scratch.remove()
    textual = [_ends([sys.executable, "-c", "import textual.app"]) for _ in range(rounds)]
    python = [_ends([sys.executable, "-c", "pass"]) for _ in range(rounds)]
    starts = [
        Start("runebook-tui, the engine runs already", running),
        Start("runebook-tui, which starts the engine", alone),
        Start("python -c 'import textual.app'", textual),
        Start("python -c pass", python),
    ]
    middle = percentile(textual, 50)
    rows: list[Sequence[str]] = [
        (start.name, milliseconds(start.taken), ratio(percentile(start.taken, 50), middle))
        for start in starts
    ]
    yield Table("Start to first paint", _COLUMNS, rows, _NOTE.format(rounds=rounds))


def _cold(scratch: Scratch) -> float:
    """First paint without an engine; the one that it started is stopped again."""
    try:
        return _first_paint(scratch.root)
    finally:
        subprocess.run(
            [*PROGRAM, "down"],
            cwd=scratch.root,
            stdout=subprocess.DEVNULL,
            check=True,
            start_new_session=True,
        )


def _ends(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun


def _first_paint(root: Path) -> float:
    begun = time.perf_counter()
    terminal = Terminal(PROGRAM, root, os.environ, rows=40)
    try:
        terminal.until(re.compile(re.escape(PLAN_TITLE)), _PATIENCE)
        return time.perf_counter() - begun
    finally:
        terminal.close()
