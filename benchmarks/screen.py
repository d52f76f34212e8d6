"""From a key press to its paint while many agents stream, and what the screens hold after an hour of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.session import BenchmarkError
from benchmarks.table import Table, milliseconds, percentile, ratio
from benchmarks.terminal import Terminal

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


def _terminal(folder: Path, *words: str) -> Terminal:
    """The screens in a pseudo-terminal."""
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "benchmarks.busy_screen", *words]
    return Terminal(command, folder, {"PYTHONPATH": str(root)})


def _keys(folder: Path, agents: int, keys: int) -> list[float]:
    """How long each key took, in seconds."""
    terminal = _terminal(folder, str(agents))
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
    terminal = _terminal(folder, "100", str(updates))
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
