"""What a program weighs: the CPU and memory of its processes, without the agents that run in it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")


class Weight(NamedTuple):
    """Seconds of CPU so far, with the children that have ended; bytes held (PSS); and how many processes."""

    cpu: float
    memory: int
    processes: int


def weight(roots: Iterable[int], agent: str) -> Weight:
    """Of the processes `roots` and all below them, but for those that have `agent` in their command line.

    Raises OSError when a root is gone.
    """
    parents: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        parents.setdefault(int(fields[1]), []).append(int(process.name))
        spent[int(process.name)] = sum(map(int, fields[11:15])) / _TICKS
    left = list(roots)
    if gone := [pid for pid in left if pid not in spent]:
        raise OSError(f"process {gone[0]} has ended")
    cpu, memory, count = 0.0, 0, 0
    while left:
        pid = left.pop()
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            held = _held(pid)
        except OSError:
            continue
        if _runs(command, agent):
            continue
        cpu += spent[pid]
        memory += held
        count += 1
        left += parents.get(pid, [])
    return Weight(cpu, memory, count)


def _runs(command: list[bytes], agent: str) -> bool:
    """Whether it is the agent itself: a shell whose first word is its script."""
    return len(command) > 1 and command[1].decode(errors="replace") == agent


def _held(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
