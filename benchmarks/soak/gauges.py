"""Gauges: what the processes of a session hold, sampled; and whether that grew."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runebook_tui.history.ledger import KEEP_SECONDS

WARM_UP = 0.1
"""The share of the time that is not judged, at its beginning."""
WARM_SECONDS = KEEP_SECONDS + 30.0
"""So long the engine fills what it keeps by the clock: ten minutes of the gates' records."""
MOST_GROWTH = 0.1
"""How much memory may grow from the warm-up's end to the end, by the fitted line."""


@dataclass
class Gauge:
    """One process: its memory over time."""

    name: str
    pid: int
    times: list[float] = field(default_factory=list)
    """Seconds since the beginning."""
    sizes: list[int] = field(default_factory=list)
    """Resident memory, bytes."""

    def sample(self, now: float) -> None:
        """Note the memory now; nothing when the process is gone."""
        size = resident(self.pid)
        if size is not None:
            self.take(now, size)

    def take(self, now: float, size: int) -> None:
        """Note a size that was found now."""
        self.times.append(now)
        self.sizes.append(size)

    def growth(self, warm: float | None = None) -> tuple[float, float]:
        """Memory at the end of the warm-up and at the end, by a line fitted to what lies between; bytes.

        The warm-up is over after `warm` seconds, or a share of the time.
        """
        last = self.times[-1] if self.times else 0.0
        begin = last * WARM_UP if warm is None else min(warm, last)
        points = [(t, s) for t, s in zip(self.times, self.sizes, strict=True) if t >= begin]
        return fitted(points)


def fitted(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """First and last value of the line of least squares through `points`; (0, 0) when there are none."""
    if not points:
        return 0.0, 0.0
    middle_t = sum(t for t, _ in points) / len(points)
    middle_s = sum(s for _, s in points) / len(points)
    spread = sum((t - middle_t) ** 2 for t, _ in points)
    slope = sum((t - middle_t) * (s - middle_s) for t, s in points) / spread if spread else 0.0
    return tuple(middle_s + slope * (t - middle_t) for t in (points[0][0], points[-1][0]))  # type: ignore[return-value]


def resident(pid: int) -> int | None:
    """Resident memory of the process in bytes, None when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return None


def descriptors(pid: int) -> int:
    """How many descriptors the process has open; 0 when it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def children(pid: int) -> list[int]:
    """The process's children now, whichever of its threads started them."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            found += [int(each) for each in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def stopped(pid: int) -> list[str]:
    """The threads below process `pid` that wait for the answer of a gate: "pid/thread name"."""
    found, left = [], [pid]
    while left:
        each = left.pop()
        left += children(each)
        for task in Path(f"/proc/{each}/task").glob("*"):
            try:
                if "seccomp" in (task / "wchan").read_text():
                    found.append(f"{each}/{task.name} {(task / 'comm').read_text().strip()}")
            except OSError:
                continue
    return found


def size_of(folder: Path) -> int:
    """Bytes in all files below `folder`."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total


def speaking_of(folder: Path) -> list[int]:
    """Processes, but this one, whose environment or arguments name `folder`."""
    name, found = os.fsencode(folder), []
    for each in Path("/proc").glob("[0-9]*"):
        pid = int(each.name)
        try:
            said = (each / "environ").read_bytes() + (each / "cmdline").read_bytes()
            dead = (each / "stat").read_bytes().rpartition(b") ")[2][:1] in b"ZX"
        except OSError:
            continue
        if name in said and not dead and pid != os.getpid():
            found.append(pid)
    return found
