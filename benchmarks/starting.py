"""From starting `runebook-tui` in a terminal to the first frame that shows the plan."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import start
from benchmarks.scratch import PLAN_TITLE, Scratch, texts, tree
from benchmarks.session import PROGRAM, BenchmarkError, Session
from benchmarks.table import Table, milliseconds, percentile, ratio

_COLUMNS = ("start", "p50 / p99 ms", "to import textual.app")
_NOTE = (
    "From starting the process to the first frame in which the plan's name can be read, in a "
    "pseudo-terminal of 120 × 40; {rounds} rounds each. The alternatives run to their end."
)
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|[ -/]*[0-~])"
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
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    begun = time.perf_counter()
    process = start(
        PROGRAM, cwd=root, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
    )  # fmt: skip
    os.close(theirs)
    painted = b""
    try:
        while PLAN_TITLE.encode() not in _ESCAPES.sub(b"", painted):
            left = _PATIENCE - (time.perf_counter() - begun)
            if not select.select([ours], [], [], max(0.0, left))[0]:
                raise BenchmarkError(f"no frame showed the plan within {_PATIENCE:g} s")
            try:
                painted += os.read(ours, 65_536)
            except OSError as error:
                words = _ESCAPES.sub(b"", painted).decode("utf-8", "replace").strip()
                raise BenchmarkError(f"the interactive session ended at once: {words[-500:]}") from error
        return time.perf_counter() - begun
    finally:
        process.kill()
        process.wait()
        os.close(ours)
