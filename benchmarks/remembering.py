"""The memory: searching many commands beside a plain LIKE scan and ripgrep over the exported lines."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.table import Table, milliseconds, percentile, rate, ratio
from runebook_tui.memory.reader import Reader
from runebook_tui.memory.retention import TEXT_INDEXES
from runebook_tui.memory.store import Store

FULL, QUICK = 1_000_000, 20_000

_COLUMNS = ("commands searched by", "p50 / p99 ms", "worst, ms", "to the memory")
_NOTE = (
    "{count:,} commands of twelve agents, written in {seconds:.0f} s ({rate}/s, {size:.0f} MB). "
    "Each of {queries} searches asks for the 20 newest, {rounds} times: a word in every command, in few, in "
    "one and in none, two common ones together, a beginning, a path, one agent's. LIKE: the same table "
    "without its index, newest first, until 20 are found. ripgrep: `rg --fixed-strings` over the exported "
    "lines. Both look for the text as it stands; ripgrep reports all hits, oldest first. The aim: 50 ms."
)
_SEARCHES = (
    ("run", ""),
    ("pytest", ""),
    ("seldom", ""),
    ("onlyonce", ""),
    ("nowhereatall", ""),
    ("git rebase", ""),
    ("pytest cargo", ""),
    ("onlyo*", ""),
    ("src/part7/module3.py", ""),
    ("pytest", "agent-3"),
    ("seldom", "agent-3"),
)
_ROUNDS = 3


def measure(folder: Path, count: int) -> Iterator[Table]:
    """The table of searches."""
    place = folder / "memory"
    place.mkdir()
    with Store(place / "memory.sqlite", write=True) as store:
        begun = time.perf_counter()
        _fill(store, count)
        written = time.perf_counter() - begun
        size = store.size() / 1e6
    with Store(place / "memory.sqlite") as store:
        reader = Reader(store)
        ours = _timed(lambda words, agent: reader.search(words, ("command",), agent=agent))
        theirs = _timed(lambda words, agent: _like(store, words, agent))
        rows = [_row("the memory", ours, ours), _row("LIKE in SQLite", theirs, ours)]
        program = shutil.which("rg")
        if program is None:
            rows.append(("ripgrep is not installed", "–", "–", "–"))
        else:
            lines = place / "exported.jsonl"
            with lines.open("w") as file:
                for row in reader.everything(("command",)):
                    file.write(json.dumps(row) + "\n")
            grepped = _timed(lambda words, agent: _grep(program, lines, words))
            rows.append(_row("ripgrep", grepped, ours))
    note = _NOTE.format(
        count=count,
        seconds=written,
        rate=rate(count, written),
        size=size,
        queries=len(_SEARCHES),
        rounds=_ROUNDS,
    )
    yield Table("Searching the memory", _COLUMNS, rows, note)


def _fill(store: Store, count: int) -> None:
    chance = random.Random(1)
    tools = (
        "pytest -q tests/",
        "cargo test run --lib ",
        "git rebase main ",
        "npm run build -- ",
        "make run ",
    )
    step = 20_000
    with store.transaction() as db:
        db.execute("INSERT INTO origin (id, began) VALUES (1, 1.0)")
    for first in range(1, count + 1, step):
        rows = []
        for seq in range(first, min(first + step, count + 1)):
            part, module = chance.randrange(100), chance.randrange(100)
            extra = " seldom" if seq % 10_000 == 5 else " onlyonce" if seq == count // 3 else ""
            command = f"{chance.choice(tools)}src/part{part}/module{module}.py --seed {seq} run{extra}"
            rows.append((seq, seq, float(seq), f"agent-{seq % 12}", command))
        with store.transaction() as db:
            db.executemany(
                "INSERT INTO command (id, origin, seq, run, time, agent, command)"
                " VALUES (?, 1, ?, 1, ?, ?, ?)",
                rows,
            )
    for index in TEXT_INDEXES:
        with store.transaction() as db:
            db.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('merge', 100)")


def _timed(search: Callable[[str, str], object]) -> list[float]:
    seconds = []
    for words, agent in _SEARCHES:
        for _ in range(_ROUNDS):
            begun = time.perf_counter()
            search(words, agent)
            seconds.append(time.perf_counter() - begun)
    return seconds


def _like(store: Store, words: str, agent: str) -> list[object]:
    parts = [f"%{word.rstrip('*')}%" for word in words.split()]
    where = " AND ".join("command LIKE ?" for _ in parts)
    whose = " AND agent = ?" if agent else ""
    rows = f"SELECT id, time, agent, command FROM command NOT INDEXED WHERE {where}{whose}"
    query = f"{rows} ORDER BY id DESC LIMIT 20"
    return store.db.execute(query, (*parts, *([agent] if agent else []))).fetchall()


def _grep(program: str, lines: Path, words: str) -> None:
    command = [program, "--fixed-strings", "--no-config", words.rstrip("*"), str(lines)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)


def _row(name: str, seconds: Sequence[float], ours: Sequence[float]) -> tuple[str, ...]:
    return (
        name,
        milliseconds(seconds),
        f"{max(seconds) * 1000:,.1f}",
        ratio(percentile(seconds, 50), percentile(ours, 50)),
    )
