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
_WATCHED_SECONDS = 5.0
_KEYS = ("the screen", "p50 / p99 ms", "to two idle agents", "CPU ms a key", "KiB a key")
_UNASKED = ("the screen", "CPU ms a second", "KiB a second")
_MEMORY = ("updates taken", "MiB after a tenth", "MiB at the end", "grown by")
_HOUR = "100 agents, one write an update, as fast as they are taken; 36,000 are ten a second for an hour."
_NOTE = (
    "From writing `j` to a pseudo-terminal of 120 × 36 until the next agent's name stands over the pane; "
    "{keys} keys, 50 ms apart. Streaming: the pane shows 50 other rows each 100 ms, and a hundred writes a "
    "second come into a log of 5,000 records, one in ten with what its agent's client does. The CPU of the "
    "screens' process and what it wrote to the terminal are from the key to its paint, with what streams."
)
_UNASKED_NOTE = (
    "While nobody presses a key, over {seconds:g} s: the pane's other rows, and what was written last."
)


class Size(NamedTuple):
    """How many keys are pressed, and how many updates an hour is."""

    keys: int
    updates: int


class Seen(NamedTuple):
    """What a terminal saw: seconds for each key, seconds of CPU, and bytes."""

    keys: list[float]
    cpu_a_key: float
    bytes_a_key: float
    cpu_a_second: float
    bytes_a_second: float


FULL, QUICK = Size(99, 36_000), Size(6, 300)


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The tables of keys and of memory."""
    idle, busy = (_look(folder, agents, size.keys) for agents in (2, 100))
    both = (("2 agents, idle", idle), ("100 agents, streaming", busy))
    rows = [
        (
            name,
            milliseconds(seen.keys),
            ratio(percentile(seen.keys, 50), percentile(idle.keys, 50)),
            f"{seen.cpu_a_key * 1000:.0f}",
            f"{seen.bytes_a_key / 1024:.1f}",
        )
        for name, seen in both
    ]
    yield Table("Key press to paint", _KEYS, rows, _NOTE.format(keys=size.keys))
    rows = [
        (name, f"{seen.cpu_a_second * 1000:.0f}", f"{seen.bytes_a_second / 1024:.1f}") for name, seen in both
    ]
    note = _UNASKED_NOTE.format(seconds=_WATCHED_SECONDS)
    yield Table("What is written to the terminal unasked", _UNASKED, rows, note)
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
        self.bytes = 0
        """How many were written to the terminal."""

    @property
    def cpu(self) -> float:
        """How many seconds of CPU the program has taken, with the kernel's for it."""
        words = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def until(self, text: str) -> None:
        """Read until `text` was painted, of what comes from now on."""
        self._seen = b""
        end = time.monotonic() + _PATIENCE
        while text.encode() not in _ESCAPES.sub(b"", self._seen):
            if not select.select([self._ours], [], [], max(0.0, end - time.monotonic()))[0]:
                raise BenchmarkError(f"{text!r} was not painted within {_PATIENCE:g} s")
            try:
                self._seen += self._read()
            except OSError as error:
                words = _ESCAPES.sub(b"", self._seen).decode("utf-8", "replace").strip()
                raise BenchmarkError(f"the screens ended: {words[-500:]}") from error

    def drain(self, seconds: float) -> None:
        """Let time pass, and read what is painted meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self._ours], [], [], left)[0]:
                self._read()

    def _read(self) -> bytes:
        found = os.read(self._ours, 1 << 16)
        self.bytes += len(found)
        return found

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._ours, key.encode())

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
        os.close(self._ours)


def _look(folder: Path, agents: int, keys: int) -> Seen:
    """What is written while nobody presses a key, then how long each key takes and what that writes."""
    terminal = _Terminal(folder, str(agents))
    taken: list[float] = []
    cpu = written = 0.0
    try:
        terminal.until("agent-000 ·")
        terminal.drain(2.0)
        cpu_before, bytes_before, begun = terminal.cpu, terminal.bytes, time.perf_counter()
        terminal.drain(_WATCHED_SECONDS)
        seconds = time.perf_counter() - begun
        unasked = (terminal.cpu - cpu_before) / seconds, (terminal.bytes - bytes_before) / seconds
        at = 0
        for number in range(keys):
            down = agents > 2 or number % 2 == 0
            at = (at + 1) % agents if agents > 2 else at + (1 if down else -1)
            if agents > 2 and at == 0:
                raise BenchmarkError("more keys than agents")
            cpu_before, bytes_before, begun = terminal.cpu, terminal.bytes, time.perf_counter()
            terminal.press("j" if down else "k")
            terminal.until(f"agent-{at:03} ·")
            taken.append(time.perf_counter() - begun)
            cpu, written = cpu + terminal.cpu - cpu_before, written + terminal.bytes - bytes_before
            terminal.drain(0.05)
    finally:
        terminal.close()
    return Seen(taken, cpu / keys, written / keys, *unasked)


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
