"""What the screens tell of a repository's files: which there are, and what happened to each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from runebook_tui.core.events import Record, Touched
from runebook_tui.core.filenews import author_words
from runebook_tui.core.hosts import tree_of
from runebook_tui.core.story import Story, WrittenLine
from runebook_tui.execution.follow import has_log, open_log
from runebook_tui.execution.lineage import Line, written_lines
from runebook_tui.git.process import Git
from runebook_tui.history.diffs import change_diff
from runebook_tui.log.eventlog import EventLog
from runebook_tui.place import PLAN_NAME, host_name

FILE_LIMIT = 500_000
"""Files that are listed."""
TOUCH_LIMIT = 20_000
"""The newest changes that are looked at."""
_PAGE = 2_000
_TOLD = 20
"""Changes of one file that are told."""
_PLAN_BYTES = 1 << 20


def files(root: Path) -> tuple[str, ...]:
    """Every file of the tree that git does not ignore, in order, at most FILE_LIMIT. Raises GitError."""
    listing = Git(root).run("ls-files", "-t", "-c", "-o", "-d", "--exclude-standard", "-z")
    here: set[bytes] = set()
    gone: set[bytes] = set()
    for entry in listing.split(b"\0"):
        tag, _, path = entry.partition(b" ")
        # R: removed from the tree, S: left out of a sparse checkout (git-ls-files(1) of git 2.39).
        if path and not path.endswith(b"/"):
            (gone if tag in (b"R", b"S") else here).add(path)
    return tuple(os.fsdecode(path) for path in sorted(here - gone)[:FILE_LIMIT])


def touches(log: EventLog, after: int) -> tuple[Record, ...]:
    """The newest `Touched` records after record `after`, oldest first. Raises LogError.

    At most TOUCH_LIMIT.
    """
    found: list[Record] = []
    before: int | None = None
    while len(found) < TOUCH_LIMIT:
        page = log.read(after=after, before=before, limit=_PAGE, types=["Touched"], newest_first=True)
        found += page
        if len(page) < _PAGE:
            break
        before = page[-1].seq
    return tuple(reversed(found[:TOUCH_LIMIT]))


def story(root: Path, path: str, claim: str | None, lanes: Sequence[str]) -> Story:
    """What is known of a file whose claim is `claim`, in the repository's tree and in `lanes`.

    Raises LogError.
    """
    line = None if claim is None else claim_line(_plan_text(root), claim)
    if not has_log(root):
        return Story(claim_line=line)
    with open_log(root) as log:
        found = [record for lane in (tree_of(host_name(root)), *lanes) for record in _of(log, path, lane)]
    newest = sorted(found, key=lambda record: record.seq, reverse=True)[:_TOLD]
    event = newest[0].event if newest else None
    diff = change_diff(root, event.change) if isinstance(event, Touched) else ""
    return Story(tuple(newest), diff, line)


def lines(root: Path, path: str) -> tuple[WrittenLine, ...]:
    """The lines of a file, each with who wrote it. Raises NoLinesError, LogError."""
    if not has_log(root):
        return tuple(_lines(written_lines(root, path, None)))
    with open_log(root) as log:
        return tuple(_lines(written_lines(root, path, log)))


def claim_line(plan: str, claim: str) -> int | None:
    """The line of the plan's text, from 1, that first holds the claim as a whole string; None for none."""
    for number, line in enumerate(plan.splitlines(), 1):
        for quote in ('"', "'"):
            if f"{quote}{claim}{quote}" in line:
                return number
    return None


def _plan_text(root: Path) -> str:
    try:
        with open(root / PLAN_NAME, "rb") as file:
            return file.read(_PLAN_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _of(log: EventLog, path: str, lane: str) -> list[Record]:
    return log.read(types=["Touched"], path=path, lane=lane, limit=_TOLD, newest_first=True)


def _lines(written: Sequence[Line]) -> Iterator[WrittenLine]:
    for line in written:
        text = line.text.decode("utf-8", "surrogateescape")
        author, commit = line.origin.author, line.commit
        if author is None:
            who = "before Runebook" if commit is None else f"{commit.name} {commit.author}"
            yield WrittenLine(text, who)
        else:
            time = line.origin.touches[0].time if line.origin.touches else None
            yield WrittenLine(text, author_words(author), time, author.evidence)
