"""From a key press to its paint while many agents stream, and what the screens hold after an hour of it."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.session import BenchmarkError
from benchmarks.table import Table, milliseconds, percentile, ratio
from benchmarks.terminal import Terminal

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


def _screens(folder: Path, *words: str) -> Terminal:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    return Terminal([sys.executable, "-m", "benchmarks.busy_screen", *words], folder, environment)


def _shows(terminal: Terminal, agent: int) -> None:
    terminal.until(re.compile(f"agent-{agent:03} ·"), _PATIENCE)


def _look(folder: Path, agents: int, keys: int) -> Seen:
    """What is written while nobody presses a key, then how long each key takes and what that writes."""
    terminal = _screens(folder, str(agents))
    taken: list[float] = []
    cpu = written = 0.0
    try:
        _shows(terminal, 0)
        time.sleep(2.0)
        cpu_before, bytes_before, begun = terminal.cpu, terminal.painted, time.perf_counter()
        time.sleep(_WATCHED_SECONDS)
        seconds = time.perf_counter() - begun
        unasked = (terminal.cpu - cpu_before) / seconds, (terminal.painted - bytes_before) / seconds
        at = 0
        for number in range(keys):
            down = agents > 2 or number % 2 == 0
            at = (at + 1) % agents if agents > 2 else at + (1 if down else -1)
            if agents > 2 and at == 0:
                raise BenchmarkError("more keys than agents")
            cpu_before, bytes_before, begun = terminal.cpu, terminal.painted, time.perf_counter()
            terminal.press("j" if down else "k")
            _shows(terminal, at)
            taken.append(time.perf_counter() - begun)
            cpu, written = cpu + terminal.cpu - cpu_before, written + terminal.painted - bytes_before
            time.sleep(0.05)
    finally:
        terminal.close()
    return Seen(taken, cpu / keys, written / keys, *unasked)


def _memory(folder: Path, updates: int) -> tuple[int, int]:
    """The KiB that are held after a tenth of the updates and at the end."""
    report = folder / "memory"
    report.unlink(missing_ok=True)
    terminal = _screens(folder, "100", str(updates))
    try:
        end = time.monotonic() + max(_PATIENCE, updates / 50)
        while not report.exists() or not report.read_text():
            if time.monotonic() > end:
                raise BenchmarkError("the updates were not taken in time")
            time.sleep(0.1)
        early, late = map(int, report.read_text().split())
        return early, late
    finally:
        terminal.close()
