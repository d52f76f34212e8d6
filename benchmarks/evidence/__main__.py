"""`python -m benchmarks.evidence`: measure every part, and write what was found into `docs/evidence.md`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import machine
from benchmarks.evidence.page import HEAD, Section, claimed, written
from benchmarks.evidence.parts import CLAIMED, Part, parts
from benchmarks.processes import heed_signals
from benchmarks.scratch import scratch_folder
from benchmarks.session import BenchmarkError
from benchmarks.table import Table
from runebook_tui.log.eventlog import LogError
from runebook_tui.tmux.panes import TmuxError

_HERE = Path(__file__).parent.parent.parent
PAGE = _HERE / "docs" / "evidence.md"
README = _HERE / "README.md"
TROUBLE = (BenchmarkError, TmuxError, LogError, OSError, ValueError, LookupError, subprocess.SubprocessError)
"""What ends a part, and not the others."""


def main(words: list[str]) -> int:
    """Measure; 0 when every part could be measured and nothing was missed or named wrongly, else 1."""
    names = [part.name for part in parts(quick=True)]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: whether it works; writes no page")
    parser.add_argument("--only", action="append", metavar="PART", choices=names, help=", ".join(names))
    parser.add_argument("--page", type=Path, default=PAGE, help="another page than docs/evidence.md")
    given = parser.parse_args(words)
    heed_signals()
    begun = time.monotonic()
    troubles: list[str] = []
    try:
        for part in parts(quick=given.quick):
            if given.only and part.name not in given.only:
                continue
            section, trouble = measured(part, quick=given.quick)
            troubles += trouble
            if section is not None:
                print(f"## {section.title}\n\n{section.text}\n", flush=True)
                if not given.quick:
                    write(given.page, section, names)
    except KeyboardInterrupt:
        print("evidence: interrupted; what was measured before is in the page", file=sys.stderr)
        return 130
    print(f"{time.monotonic() - begun:.0f} s in all")
    for words_of in troubles:
        print(f"evidence: {words_of}", file=sys.stderr)
    return 1 if troubles else 0


def measured(part: Part, *, quick: bool) -> tuple[Section | None, list[str]]:
    """The part's section, None where it cannot be measured; and what went wrong, one line each."""
    print(f"evidence: {part.name}", file=sys.stderr, flush=True)
    facts = machine.facts().replace("\n", " ")
    options = ["--only", part.name, *(["--quick"] if quick else [])]
    command = " ".join(["python -m benchmarks.evidence", *options])
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    begun = time.monotonic()
    try:
        with scratch_folder() as folder:
            tables = list(part.measure(folder))
        meaning = part.meaning(tables)
    except TROUBLE as error:
        # The other parts are measured all the same; what went wrong here is said, and is the exit status.
        return None, [f"{part.name} could not be measured: {type(error).__name__}: {error}"]
    foot = f"{when}, commit {_commit()}, {time.monotonic() - begun:.0f} s, `{command}`. {facts}."
    text = "\n".join([f"**{meaning}**\n", *map(str, tables), f"<sub>{foot}</sub>"])
    return Section(part.name, part.title, text), _wrong(part, tables)


def _wrong(part: Part, tables: list[Table]) -> list[str]:
    missed, wrong = sum(table.missed for table in tables), sum(table.wrong for table in tables)
    said = [f"{part.name}: {missed} foreign writes were missed"] if missed else []
    return said + ([f"{part.name}: {wrong} changes have a wrong author"] if wrong else [])


def write(page: Path, section: Section, order: list[str]) -> None:
    """Put the section into the page, and what it claims into the README; the rest stays as it is."""
    text = written(page.read_text("utf-8") if page.exists() else HEAD, section, order)
    _replace(page, text)
    if page == PAGE:
        _replace(README, claimed(README.read_text("utf-8"), text, CLAIMED))


def _replace(file: Path, text: str) -> None:
    """In one step, so that who interrupts it has the old text or the new one."""
    beside = file.with_suffix(".new")
    beside.write_text(text, "utf-8")
    os.replace(beside, file)


def _commit() -> str:
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude", "*"],
        cwd=_HERE, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return said.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
