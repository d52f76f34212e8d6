"""The kernel gate: what programs do under it beside the same without it, and what one open costs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.gated import FOREIGN, OWNED, UNOWNED, Gated
from benchmarks.loads import FULL, QUICK, Load, Size, loads
from benchmarks.session import BenchmarkError
from benchmarks.table import Table, percentile, ratio
from runebook_tui.place import runtime_folder

__all__ = ["FULL", "QUICK", "measure"]

_LOADS = ("load", "plain, s", "gated, s", "gated to plain", "aim", "records")
_LOADS_NOTE = (
    "Median of {rounds}, plain and gated by turns. Gated: in the command of a pane, as `runebook-tui exec` "
    "runs it, enforcing 52 claims, with an engine's end that reads and answers the records and does nothing "
    "more. The start of the pane is not in the figures, the starts of all programs of the load are."
)
_OPENS = ("one open of an existing file", "plain, p50 / p99 µs", "gated, p50 / p99 µs", "p50, more µs")
_OPENS_NOTE = (
    "{count:,} opens for writing, one after the other; the time of each system call. "
    "One call held: another process waits for a foreign file meanwhile."
)
_FOREIGN = f"{FOREIGN}/f0"


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The tables of loads and of single opens. Raises BenchmarkError where there is no gate."""
    home = folder / "gate"
    root = home / "repo"
    root.mkdir(parents=True)
    try:
        with Gated(root, runtime_folder(root, create=True) / "gate.sock") as gated:
            yield _loads(gated, home, size)
            yield _opens(gated, home, size)
    finally:
        shutil.rmtree(runtime_folder(root), ignore_errors=True)
        shutil.rmtree(home)


def _loads(gated: Gated, home: Path, size: Size) -> Table:
    rows = [_load(gated, load, size.rounds) for load in loads(home, gated.root, size)]
    return Table("Loads under the gate", _LOADS, rows, _LOADS_NOTE.format(rounds=size.rounds))


def _load(gated: Gated, load: Load, rounds: int) -> list[str]:
    if not load.words:
        return [load.name, "–", "–", "–", load.aim, "–"]
    taken: dict[bool, list[float]] = {False: [], True: []}
    records = 0
    for _ in range(rounds):
        for under in (False, True):
            _set_aside(load.made, gated.root.with_name("done"))
            os.sync()
            before = gated.records
            taken[under] += gated.do(*load.words, under=gated.pane if under else ())
            records = gated.records - before
    if records < load.writes:
        raise BenchmarkError(f"{load.name}: only {records} of {load.writes} writes were recorded")
    plain, under_gate = median(taken[False]), median(taken[True])
    return [
        load.name, f"{plain:.2f}", f"{under_gate:.2f}", ratio(under_gate, plain), load.aim, f"{records:,}",
    ]  # fmt: skip


def _set_aside(paths: Sequence[Path], folder: Path) -> None:
    """Move them away: ext4 makes files ten times more slowly while it remembers removed ones (5 s)."""
    folder.mkdir(exist_ok=True)
    for path in paths:
        if path.exists():
            path.rename(folder / str(len(os.listdir(folder))))


def _opens(gated: Gated, home: Path, size: Size) -> Table:
    places = {
        "in the repository, owned": gated.root / OWNED,
        "in the repository, unowned": gated.root / UNOWNED,
        "outside": home / "outside",
    }
    (gated.root / FOREIGN).mkdir()
    (gated.root / _FOREIGN).touch()
    rows = []
    for held in (False, True):
        for where, place in places.items():
            place.mkdir(exist_ok=True)
            for number in range(100):
                (place / f"f{number}").touch()
            plain = gated.do("opens", str(place), str(size.opens))
            under = _supervised(gated, place, size.opens, held=held)
            more = percentile(under, 50) - percentile(plain, 50)
            name = f"{where}, one call held" if held else where
            rows.append([name, _microseconds(plain), _microseconds(under), f"{more * 1e6:.0f}"])
    return Table("One open under the gate", _OPENS, rows, _OPENS_NOTE.format(count=size.opens))


def _supervised(gated: Gated, place: Path, count: int, *, held: bool) -> list[float]:
    if not held:
        return gated.do("opens", str(place), str(count), under=gated.pane)
    heard, wake = os.pipe()
    try:
        gated.hold(wake)
        words = ["beside", str(place), str(count), str(gated.root / _FOREIGN), str(heard)]
        return gated.do(*words, under=gated.pane, descriptors=[heard])
    finally:
        os.close(heard)
        os.close(wake)


def _microseconds(seconds: list[float]) -> str:
    return " / ".join(f"{percentile(seconds, percent) * 1e6:.0f}" for percent in (50, 99))
