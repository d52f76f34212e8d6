"""Who owns a path: Runebook's matcher beside pathspec, on the same rules and paths."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from pathspec import PathSpec

from benchmarks.table import Table, rate, ratio
from runebook_tui.core.ownership import FileOwnership, OwnershipManager

T = TypeVar("T")

FULL, QUICK = 100_000, 5_000

_COLUMNS = (
    "rules",
    "Runebook, paths/s",
    "asked again",
    "pathspec, paths/s",
    "to pathspec",
    "build, ms",
    "pathspec build, ms",
)
_NOTE = (
    "Each of {count:,} different paths is asked once for its owner; `asked again` is a second round over "
    "50,000 of them at most, which the cache answers. Eight of ten rules are folders, one is files by suffix "
    'in a folder, one is a name at any depth. pathspec: `PathSpec.from_lines("gitignore", …, '
    'backend="simple").check_file`, whose index is the last rule that matches (Runebook: the most specific).'
)


def measure(folder: Path, count: int) -> Iterator[Table]:
    """The table of matchers."""
    rows = []
    for size in (10, 100, 1000):
        rules = [_rule(number) for number in range(size)]
        paths = [f"src/part{n % (size * 2)}/module{n % 97}/file{n}.py" for n in range(count)]
        claims = [FileOwnership(pattern=rule, owner=f"agent-{n % 8}") for n, rule in enumerate(rules)]
        manager, built = _timed(partial(OwnershipManager, claims))
        spec, spec_built = _timed(partial(PathSpec.from_lines, "gitignore", rules, backend="simple"))
        ours = _seconds(manager.owner_of, paths)
        again = paths[:50_000]
        _seconds(manager.owner_of, again)
        cached = _seconds(manager.owner_of, again)
        some = paths[: count // 5]
        theirs = _seconds(spec.check_file, some)
        rows.append(
            (
                f"{size:,}",
                rate(count, ours),
                rate(len(again), cached),
                rate(len(some), theirs),
                ratio(count / ours, len(some) / theirs),
                f"{built * 1000:.1f}",
                f"{spec_built * 1000:.1f}",
            )
        )
    yield Table("Who owns a path", _COLUMNS, rows, _NOTE.format(count=count))


def _rule(number: int) -> str:
    match number % 10:
        case 8:
            return f"src/part{number}/**/*.toml"
        case 9:
            return f"name{number}.lock"
        case _:
            return f"src/part{number}/**"


def _timed(make: Callable[[], T]) -> tuple[T, float]:
    begun = time.perf_counter()
    made = make()
    return made, time.perf_counter() - begun


def _seconds(ask: Callable[[str], object], paths: Sequence[str]) -> float:
    begun = time.perf_counter()
    for path in paths:
        ask(path)
    return time.perf_counter() - begun
