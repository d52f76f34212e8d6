"""From a key press to its paint while many agents stream, and what the screens hold after an hour of it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import start
from benchmarks.session import BenchmarkError
from benchmarks.table import Table, milliseconds, percentile, ratio

_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
_PATIENCE = 120.0
_KEYS = ("the screen", "p50 / p99 ms", "to two idle agents")
_MEMORY = ("updates taken", "MiB after a tenth", "MiB at the end", "grown by")
_HOUR = "100 agents, one write an update, as fast as they are taken; 36,000 are ten a second for an hour."
_NOTE = (
    "From writing `j` to a pseudo-terminal of 120 × 36 until the next agent's name stands over the pane; "
    "{keys} keys, 50 ms apart. Streaming: the pane shows 50 other rows each 100 ms, and a hundred writes a "
    "second come into a log of 5,000 records."
)


class Size(NamedTuple):
    """How many keys are pressed, and how many updates an hour is."""

    keys: int
    updates: int


FULL, QUICK = Size(99, 36_000), Size(6, 300)


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The tables of keys and of memory."""
    idle = _keys(folder, 2, size.keys)
    rows = [("2 agents, idle", milliseconds(idle), ratio(1.0, 1.0))]
    busy = _keys(folder, 100, size.keys)
    rows.append(
        ("100 agents, streaming", milliseconds(busy), ratio(percentile(busy, 50), percentile(idle, 50)))
    )
    yield Table("Key press to paint", _KEYS, rows, _NOTE.format(keys=size.keys))
    early, late = _memory(folder, size.updates)
    row = (
        f"{size.updates:,}",
        f"{early / 1024:.1f}",
        f"{late / 1024:.1f}",
        f"{(late / early - 1) * 100:+.1f} %",
    )
    yield Table("Memory of the screens", _MEMORY, [row], _HOUR)


class _Terminal:
    """The screens in a pseudo-terminal."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        root = Path(__file__).parent.parent
        self._process = start(
            [sys.executable, "-m", "benchmarks.busy_screen", *words],
            cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(root)},
        )  # fmt: skip
        os.close(theirs)
        self._seen = b""

    def until(self, text: str) -> None:
        """Read until `text` was painted, of what comes from now on."""
        self._seen = b""
        end = time.monotonic() + _PATIENCE
        while text.encode() not in _ESCAPES.sub(b"", self._seen):
            if not select.select([self._ours], [], [], max(0.0, end - time.monotonic()))[0]:
                raise BenchmarkError(f"{text!r} was not painted within {_PATIENCE:g} s")
            try:
                self._seen += os.read(self._ours, 1 << 16)
            except OSError as error:
                words = _ESCAPES.sub(b"", self._seen).decode("utf-8", "replace").strip()
                raise BenchmarkError(f"the screens ended: {words[-500:]}") from error

    def drain(self, seconds: float) -> None:
        """Let time pass, and read what is painted meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self._ours], [], [], left)[0]:
                os.read(self._ours, 1 << 16)

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._ours, key.encode())

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
        os.close(self._ours)


def _keys(folder: Path, agents: int, keys: int) -> list[float]:
    """How long each key took, in seconds."""
    terminal = _Terminal(folder, str(agents))
    taken: list[float] = []
    try:
        terminal.until("agent-000 ·")
        terminal.drain(2.0)
        at = 0
        for number in range(keys):
            down = agents > 2 or number % 2 == 0
            at = (at + 1) % agents if agents > 2 else at + (1 if down else -1)
            if agents > 2 and at == 0:
                raise BenchmarkError("more keys than agents")
            begun = time.perf_counter()
            terminal.press("j" if down else "k")
            terminal.until(f"agent-{at:03} ·")
            taken.append(time.perf_counter() - begun)
            terminal.drain(0.05)
    finally:
        terminal.close()
    return taken


def _memory(folder: Path, updates: int) -> tuple[int, int]:
    """The KiB that are held after a tenth of the updates and at the end."""
    report = folder / "memory"
    report.unlink(missing_ok=True)
    terminal = _Terminal(folder, "100", str(updates))
    try:
        end = time.monotonic() + max(_PATIENCE, updates / 50)
        while not report.exists() or not report.read_text():
            if time.monotonic() > end:
                raise BenchmarkError("the updates were not taken in time")
            terminal.drain(0.1)
        early, late = map(int, report.read_text().split())
        return early, late
    finally:
        terminal.close()
