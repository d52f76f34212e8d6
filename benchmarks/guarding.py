"""What the commit guard costs: git with it beside git without it, for the operator and for an agent."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from benchmarks.scratch import Scratch, texts, tree
from benchmarks.session import Session
from benchmarks.table import Table, milliseconds, percentile, ratio
from runebook_tui.git.hooks import GuardHooks

FULL, QUICK = 20, 3

_INTERPRETER = (sys.executable, "-E", "-P", "-m", "runebook_tui")
_COLUMNS = (
    "what git does",
    "without, ms",
    "operator, ms",
    "an engine runs",
    "agent, ms",
    "operator",
    "agent",
)
_NOTE = (
    "p50 / p99 of {rounds} rounds; the last two columns compare the medians with those without it. The "
    "agent is one by its environment, without an engine: the plan's file is the rule. A `branch` to a known "
    "commit holds nothing to check: one git call. The fetch is 50 refs below refs/remotes in one "
    "transaction."
)


def measure(folder: Path, rounds: int) -> Iterator[Table]:
    """The table of the guard's price."""
    scratch = Scratch(folder / "guard")
    number = count()
    try:
        scratch.commit({"main": texts(tree(2000))})
        head = scratch.git("rev-parse", "HEAD").strip()
        other = scratch.git("commit-tree", "-m", "x", "HEAD^{tree}").strip()

        def branch() -> None:
            scratch.git("branch", f"b{next(number)}")

        def commit() -> None:
            scratch.git("commit", "-q", "--allow-empty", "-m", "x")

        def fetch() -> None:
            commit = (head, other)[next(number) % 2]
            made = "".join(f"update refs/remotes/far/{name} {commit}\n" for name in range(50))
            scratch.git("update-ref", "--stdin", feed=made.encode())

        works: dict[str, Callable[[], None]] = {
            "branch": branch,
            "commit": commit,
            "fetch of 50 refs": fetch,
        }
        without = {name: _taken(work, rounds) for name, work in works.items()}
        hooks = GuardHooks(scratch.root, _INTERPRETER)
        hooks.install()
        operator = {name: _taken(work, rounds) for name, work in works.items()}
        agent = {name: _taken(work, rounds, agent="alpha") for name, work in works.items()}
        with Session(scratch):
            engine = {name: _taken(work, rounds) for name, work in works.items()}
    finally:
        scratch.remove()
    rows = [
        (
            name,
            milliseconds(without[name]),
            milliseconds(operator[name]),
            milliseconds(engine[name]),
            milliseconds(agent[name]),
            ratio(percentile(operator[name], 50), percentile(without[name], 50)),
            ratio(percentile(agent[name], 50), percentile(without[name], 50)),
        )
        for name in works
    ]
    yield Table("The commit guard", _COLUMNS, rows, _NOTE.format(rounds=rounds))


def _taken(work: Callable[[], None], rounds: int, agent: str = "") -> list[float]:
    taken = []
    if agent:
        os.environ["RUNEBOOK_AGENT"] = agent
    try:
        for _ in range(rounds):
            begun = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begun)
    finally:
        os.environ.pop("RUNEBOOK_AGENT", None)
    return taken
