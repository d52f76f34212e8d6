"""The parts of the evidence: what is measured, at which size, and what its figures mean in a sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks import authors, gate, latency, panes, screen, storms
from benchmarks.evidence import alarms, programs
from benchmarks.table import Table

Measure = Callable[[Path], Iterator[Table]]
Tables = Sequence[Table]


CLAIMED = ("latency", "alarms", "authors", "panes")
"""The parts whose sentences stand in the README."""


class Part(NamedTuple):
    """A section of the page: `meaning` says in a sentence what its tables come to."""

    name: str
    title: str
    measure: Measure
    meaning: Callable[[Tables], str]


def parts(*, quick: bool) -> list[Part]:
    """All parts, in the page's order; `quick` for small sizes that show whether it works."""

    def sized(measure: Callable[..., Iterator[Table]], full: object, small: object) -> Measure:
        return partial(measure, size=small if quick else full)

    return [
        Part(
            "latency",
            "How soon a foreign write is seen",
            sized(latency.measure, latency.Size((20_000,), 100, 400), latency.QUICK),
            _latency,
        ),
        Part(
            "storms",
            "What is missed in storms",
            sized(storms.measure, storms.Size(2_000, 1_000, 5_000, 3_000, 120, 5_000), storms.QUICK),
            _storms,
        ),
        Part("alarms", "False alarms", sized(alarms.measure, alarms.FULL, alarms.QUICK), _alarms),
        Part(
            "authors",
            "Who wrote it",
            sized(_authors, authors.Size(600, gap=0.06), authors.QUICK._replace(gap=0.06)),
            _named,
        ),
        Part("gate", "What the gate costs", sized(gate.measure, gate.FULL, gate.QUICK), _gate),
        Part("panes", "What looking at panes costs", sized(panes.measure, panes.FULL, panes.QUICK), _panes),
        Part(
            "programs",
            "Beside other programs",
            sized(programs.measure, programs.FULL, programs.QUICK),
            _programs,
        ),
        Part(
            "screen",
            "From a key press to its paint",
            sized(screen.measure, screen.FULL._replace(updates=6_000), screen.QUICK),
            _screen,
        ),
    ]


def _authors(folder: Path, size: authors.Size) -> Iterator[Table]:
    """The names of changes' authors with all gates on, and with none."""
    rows, wrong = [], 0
    for name, mode in (("on", "observe"), ("off", "off")):
        gates = authors.Gates(mode, [mode] * len(authors.AGENTS))
        tally = authors.run(folder / f"names-{name}", gates, size)
        for words in tally.wrong:
            print(f"wrong: {words}", file=sys.stderr, flush=True)
        wrong += len(tally.wrong)
        seen = tally.right + len(tally.wrong) + tally.unknown
        counts = [f"{each:,}" for each in (tally.writes, seen, tally.right, len(tally.wrong), tally.unknown)]
        rows.append((name, *counts, f"{tally.right / max(1, seen):.1%}"))
    columns = ("gates", "writes", "changes seen", "named rightly", "wrongly", "not named", "certain")
    yield Table(
        "Authors of changes",
        columns,
        rows,
        authors.NOTE.format(files=size.files, gap=size.gap, pause=size.pause),
        wrong=wrong,
    )


def _latency(tables: Tables) -> str:
    row = tables[0].rows[0]
    ours, defaults = row[1].split(" / "), row[4].split(" / ")
    return (
        f"A write of one agent into another's file is a request in the log after {ours[0]} ms (p50; p99 "
        f"{ours[1]} ms); raw watchfiles, as people use it, tells that a file changed, and not who "
        f"did it, after {defaults[0]} ms."
    )


def _storms(tables: Tables) -> str:
    rows = tables[0].rows
    ours, raw = (sum(int(row[at].replace(",", "")) for row in rows) for at in (3, 4))
    files = sum(int(row[1].replace(",", "")) for row in rows)
    return f"Of {files:,} files written in storms Runebook missed {ours:,}, raw watchfiles {raw:,}."


def _alarms(tables: Tables) -> str:
    on, off = tables[0].rows
    return (
        f"With the gates on, {on[1]} actions of the operator raised {on[2]} requests that are not due "
        f"({on[3]} for 1,000); with the gate of one agent off, {off[3]} for 1,000, since then nobody can "
        "tell whether that agent or the operator wrote."
    )


def _named(tables: Tables) -> str:
    on, off = tables[0].rows
    return (
        f"With the gates on, {on[6]} of the changes have a certain author, with the gates off {off[6]}; "
        f"{on[4]} and {off[4]} were given to the wrong one."
    )


def _gate(tables: Tables) -> str:
    slower = ", ".join(f"{row[0]}: {row[3]}" for row in tables[0].rows)
    return f"Time under the gate to the same without it: {slower}."


def _panes(tables: Tables) -> str:
    rows = {row[0]: row for row in tables[0].rows}
    most = tables[0].rows[-1][0].partition(",")[0]
    used, polled = rows[f"{most}, Runebook as it is used"], rows[f"{most}, all 10 a second: a process each"]
    return (
        f"Beside {most} printing panes Runebook, as it is used, adds {used[6]} ms of CPU a second. Asking "
        f"for each by a `tmux` process, as often as it gets round ({polled[1]} times a second), adds "
        f"{polled[6]} ms; one such look at a pane costs {polled[8]} what it costs Runebook."
    )


def _programs(tables: Tables) -> str:
    said = "; ".join(f"{row[0]}: {row[2]} ms of CPU a second, {row[3]} MiB" for row in tables[0].rows)
    return f"{tables[0].title}: {said}."


def _screen(tables: Tables) -> str:
    idle, busy = tables[0].rows
    return (
        f"A key is on the screen after {busy[1].split(' / ')[0]} ms (p50) while 100 agents stream, and after "
        f"{idle[1].split(' / ')[0]} ms with two idle ones."
    )
