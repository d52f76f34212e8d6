"""`python -m benchmarks`: measure, print tables, and tell by the exit status whether a write was missed."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks import (
    appending,
    authors,
    capturing,
    gate,
    guarding,
    hook,
    latency,
    machine,
    matching,
    panes,
    remembering,
    screen,
    starting,
    storing,
    storms,
    surfaces,
)
from benchmarks.processes import heed_signals
from benchmarks.scratch import scratch_folder
from benchmarks.session import BenchmarkError
from benchmarks.table import Table

Measure = Callable[[Path], Iterator[Table]]

BEGIN, END = "<!-- figures: written by `python -m benchmarks --write` -->", "<!-- end of the figures -->"


def measures(*, quick: bool) -> dict[str, Measure]:
    """What can be measured, by name, in order."""
    return {
        "latency": partial(latency.measure, size=latency.QUICK if quick else latency.FULL),
        "storms": partial(storms.measure, size=storms.QUICK if quick else storms.FULL),
        "authors": partial(authors.measure, size=authors.QUICK if quick else authors.FULL),
        "matcher": partial(matching.measure, count=matching.QUICK if quick else matching.FULL),
        "log": partial(appending.measure, size=appending.QUICK if quick else appending.FULL),
        "store": partial(storing.measure, size=storing.QUICK if quick else storing.FULL),
        "memory": partial(remembering.measure, count=remembering.QUICK if quick else remembering.FULL),
        "gate": partial(gate.measure, size=gate.QUICK if quick else gate.FULL),
        "guard": partial(guarding.measure, rounds=guarding.QUICK if quick else guarding.FULL),
        "hook": partial(hook.measure, rounds=hook.QUICK if quick else hook.FULL),
        "capture": partial(capturing.measure, rounds=capturing.QUICK if quick else capturing.FULL),
        "start": partial(starting.measure, rounds=starting.QUICK if quick else starting.FULL),
        "panes": partial(panes.measure, size=panes.QUICK if quick else panes.FULL),
        "screen": partial(screen.measure, size=screen.QUICK if quick else screen.FULL),
        "surfaces": partial(surfaces.measure, rounds=surfaces.QUICK if quick else surfaces.FULL),
    }


def main(words: list[str]) -> int:
    """Run; 0 when Runebook missed no write and named nobody wrongly, else 1, or when it cannot be told."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: whether it works, not how fast")
    parser.add_argument("--only", action="append", metavar="NAME", choices=list(measures(quick=True)))
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into this page as well")
    given = parser.parse_args(words)
    heed_signals()
    options = [*(["--quick"] if given.quick else []), *(f"--only={name}" for name in given.only or ())]
    command = shlex.join(["python", "-m", "benchmarks", *options])
    head = f"{machine.facts()}\n\n{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, `{command}`\n"
    print(head, flush=True)
    tables: list[Table] = []
    begun = time.monotonic()
    try:
        with scratch_folder() as folder:
            for name, measure in measures(quick=given.quick).items():
                if not given.only or name in given.only:
                    for table in measure(folder):
                        tables.append(table)
                        print(table, flush=True)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("benchmarks: interrupted; everything that was started has ended", file=sys.stderr)
        return 130
    missed = sum(table.missed for table in tables)
    wrong = sum(table.wrong for table in tables)
    spent = time.monotonic() - begun
    foot = f"{missed} foreign writes missed by Runebook, {wrong} wrong names; {spent:.0f} s in all"
    print(foot)
    if given.write is not None:
        write(given.write, "\n".join([head, *map(str, tables), foot, ""]))
    return 1 if missed or wrong else 0


def write(page: Path, figures: str) -> None:
    """Put `figures` between the two marks of `page`, or at its end."""
    text = page.read_text() if page.exists() else ""
    before, mark, rest = text.partition(BEGIN)
    after = rest.partition(END)[2] if mark else "\n"
    page.write_text(f"{before.rstrip()}\n\n{BEGIN}\n\n{figures}\n{END}{after}".lstrip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
