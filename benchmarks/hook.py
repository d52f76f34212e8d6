"""What the hook of an agent's client costs before each edit, beside starting Python at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.latency import busy
from benchmarks.scratch import Scratch, texts, tree
from benchmarks.session import PROGRAM, BenchmarkError, Session
from benchmarks.table import Table, milliseconds, percentile, ratio
from runebook_tui.hooks import entry

FULL, QUICK = 100, 5

_ENTRY = (sys.executable, "-I", "-S", entry.__file__, "claude")
_COLUMNS = ("what runs", "quiet, ms", "busy, ms", "quiet", "busy")
_NOTE = (
    "p50 / p99 of {rounds} rounds each, in turn; the last two columns compare the medians with bare Python, "
    "which is what any hook written in it pays. Busy: two loops that never rest. The edit is Claude Code's "
    "Write of an owned file, which is answered at once."
)


class _Way(NamedTuple):
    """One program, and what it finds in its environment."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = {}


def measure(folder: Path, rounds: int) -> Iterator[Table]:
    """The table of the hook's price."""
    scratch = Scratch(folder / "hook")
    try:
        scratch.commit({"main": texts(tree(200))})
        pane = {"RUNEBOOK_AGENT": "alpha", "RUNEBOOK_ROOT": str(scratch.root)}
        ways = [
            _Way("the hook, an owned edit", _ENTRY, pane),
            _Way("the hook, outside a pane", _ENTRY),
            _Way("`runebook-tui hook`", (*PROGRAM, "hook", "claude"), pane),
            _Way("`python -I -S -c pass`", (sys.executable, "-I", "-S", "-c", "pass")),
            _Way("`python -c pass`", (sys.executable, "-c", "pass")),
        ]
        payload = json.dumps(
            {
                "session_id": "bench",
                "cwd": str(scratch.root),
                "hook_event_name": "PreToolUse",
                "tool_name": "Write",
                "tool_input": {"file_path": str(scratch.root / "alpha/x"), "content": "x\n" * 200},
                "tool_use_id": "bench",
            }
        ).encode()
        with Session(scratch):
            quiet = _taken(ways, payload, rounds)
            with busy(2):
                loaded = _taken(ways, payload, rounds)
    finally:
        scratch.remove()
    bare = ways[-1].name
    rows = [
        (
            way.name,
            milliseconds(quiet[way.name]),
            milliseconds(loaded[way.name]),
            ratio(percentile(quiet[way.name], 50), percentile(quiet[bare], 50)),
            ratio(percentile(loaded[way.name], 50), percentile(loaded[bare], 50)),
        )
        for way in ways
    ]
    yield Table("The hook before an edit", _COLUMNS, rows, _NOTE.format(rounds=rounds))


def _taken(ways: Sequence[_Way], payload: bytes, rounds: int) -> dict[str, list[float]]:
    """Seconds from start to end of each way, in each round."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("RUNEBOOK_")}
    taken: dict[str, list[float]] = {way.name: [] for way in ways}
    for number in range(rounds + 1):
        for way in ways:
            begun = time.perf_counter()
            done = subprocess.run(
                way.command, input=payload, env={**clean, **way.environment}, capture_output=True, check=False
            )
            if done.returncode or done.stdout:
                said = (done.stdout + done.stderr).decode(errors="replace")
                raise BenchmarkError(f"{way.name} had an opinion: {said[:500]}")
            if number:  # the first of each fills the caches
                taken[way.name].append(time.perf_counter() - begun)
    return taken
