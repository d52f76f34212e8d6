"""Runebook as a whole beside programs that also run several agents: CPU, memory and processes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.evidence.rivals import CAO, CCMANAGER, Start, ccmanager, orchestrator, runebook
from benchmarks.evidence.weighing import weight
from benchmarks.session import BenchmarkError
from benchmarks.table import Table

_COLUMNS = ("program", "what it does meanwhile", "CPU, ms a second", "memory, MiB", "processes")
_NOTE = (
    "{count} agents each, which print ten lines a second and do nothing else; {seconds:g} s, {warm:g} s "
    "after the start. CPU and memory (PSS) are of all processes of the program, with its tmux server and the "
    "panes' shells, without the agents' own. {failed}"
)


class Size(NamedTuple):
    """How many agents, for how many seconds, after how many to settle."""

    agents: int
    seconds: float
    warm: float


FULL, QUICK = Size(8, 20.0, 10.0), Size(3, 3.0, 2.0)

_PROGRAMS: tuple[tuple[str, str, Start], ...] = (
    ("Runebook", "watches files, gates every write; no screen", partial(runebook, screen=False)),
    ("Runebook, cockpit open", "the same, and shows a live pane", partial(runebook, screen=True)),
    (f"CLI Agent Orchestrator {CAO}", "follows what agents print; no screen", orchestrator),
    (f"ccmanager {CCMANAGER}", "shows one session; no tmux, no files", ccmanager),
)


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The table of whole programs. One that cannot be run here has a row that says so."""
    rows, failed = [], []
    for number, (name, does, begin) in enumerate(_PROGRAMS):
        print(f"programs: {name}", file=sys.stderr, flush=True)
        try:
            cells = _weighed(folder / f"program-{number}", begin, size)
        except (BenchmarkError, OSError, subprocess.SubprocessError) as error:
            if "Runebook" in name:
                raise
            cells = ["could not be run here"] * 3
            failed.append(f"{name} could not be run here: {error}.")
        rows.append((name, does, *cells))
    note = _NOTE.format(count=size.agents, seconds=size.seconds, warm=size.warm, failed=" ".join(failed))
    yield Table(f"{size.agents} agents that print", _COLUMNS, rows, note.strip())


def _weighed(folder: Path, begin: Start, size: Size) -> list[str]:
    with begin(folder, size.agents) as running:
        time.sleep(size.warm)
        before = weight(running.roots, running.agent)
        begun = time.monotonic()
        time.sleep(size.seconds)
        after = weight(running.roots, running.agent)
        spent = (after.cpu - before.cpu) / (time.monotonic() - begun)
    return [f"{spent * 1000:.0f}", f"{after.memory / (1 << 20):.0f}", str(after.processes)]
