"""Who wrote each line of a file in the tree: the log, the history and git, asked together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runebook_tui.core.events import Record, Touched
from runebook_tui.core.hosts import tree_of
from runebook_tui.core.types import Version
from runebook_tui.history.blame import Commit, blame
from runebook_tui.history.differences import BYTE_LIMIT, LINE_LIMIT, binary, lines_of
from runebook_tui.history.lines import Origin, trace
from runebook_tui.history.look import look
from runebook_tui.history.store import ContentStore
from runebook_tui.log.eventlog import EventLog
from runebook_tui.log.loading import forgotten_before
from runebook_tui.place import host_name, state_folder

TOUCH_LIMIT = 5_000
"""The newest changes of a path that are looked at; lines from before them have no known author."""
SECONDS = 10.0
"""How long versions are compared; lines not found by then have no known author."""

_ABSENT = Version(kind="absent")
_UNKNOWN = Version(kind="other")
_NEAR = 1_000
_TOGETHER_SECONDS = 5.0
_NAMES = 16
"""Names that a file had, followed through renames."""


class NoLinesError(Exception):
    """There are no lines to tell the authors of; the text says in a few words why."""


@dataclass(frozen=True)
class Line:
    """One line as it is now, without its end, and where it comes from.

    `commit` is the one that brought it, where it was there before the first change that was seen.
    """

    text: bytes
    origin: Origin
    commit: Commit | None


def written_lines(root: Path, path: str, log: EventLog | None) -> list[Line]:
    """The lines of the file at `path` below `root`, each with its origin. Raises NoLinesError, LogError."""
    content = _present(root, path)
    store = ContentStore(state_folder(root) / "history")

    def read(version: Version) -> bytes | None:
        return store.get(version.digest) if version.digest is not None and version.stored else None

    past = _Past(path) if log is None else _past(log, path, tree_of(host_name(root)))
    until = time.monotonic() + SECONDS
    if past.base is None:
        origins = [Origin(base=line) for line in range(len(lines_of(content)))]
        old: bytes | None = content
    else:
        origins = trace(
            content,
            past.touches,
            past.base,
            read,
            forgotten=past.forgotten,
            go_on=lambda: time.monotonic() < until,
        )
        old = read(past.base)
    commits = None
    if old is not None and any(origin.base is not None for origin in origins):
        commits = blame(root, past.name, old)
    return [
        Line(text.removesuffix(b"\n"), origin, _commit(commits, origin.base))
        for text, origin in zip(lines_of(content), origins, strict=True)
    ]


def _commit(commits: Sequence[Commit | None] | None, line: int | None) -> Commit | None:
    return commits[line] if commits is not None and line is not None and line < len(commits) else None


def _present(root: Path, path: str) -> bytes:
    seen = look(root, path, keep=BYTE_LIMIT)
    kind = "other" if seen is None else seen.version.kind
    if seen is None or kind != "file":
        words = {"absent": "there is no such file", "symlink": "it is a symbolic link"}
        raise NoLinesError(words.get(kind, "it is no regular file that can be read"))
    if seen.data is None or len(lines_of(seen.data)) > LINE_LIMIT:
        raise NoLinesError(f"it is larger than {LINE_LIMIT:,} lines or {BYTE_LIMIT // 1_000_000} MB")
    if binary(seen.data):
        raise NoLinesError("it is binary")
    return seen.data


@dataclass
class _Past:
    """The changes that led to a file, newest first, from `base` (None: no change was seen) called `name`."""

    name: str
    base: Version | None = None
    touches: list[Record] = field(default_factory=list)
    forgotten: bool = False
    """Whether the log has forgotten changes from before, or may have."""


def _past(log: EventLog, path: str, tree: str) -> _Past:
    """A file that was renamed brings the changes of its earlier names along."""
    past = _Past(path)
    bound = forgotten_before(log)
    before: int | None = None
    vanished: Record | None = None
    for _ in range(_NAMES):
        limit = TOUCH_LIMIT - len(past.touches)
        touches = log.read(
            types=["Touched"], path=past.name, lane=tree, before=before, limit=limit, newest_first=True
        )
        source = _back_to_birth(log, past, touches)
        if source is None:
            if len(touches) == limit and past.base != _ABSENT:
                past.base = _UNKNOWN
            oldest = past.touches[-1] if touches else vanished
            if bound and oldest is not None and _is_cut_off(oldest, bound):
                past.forgotten = True
                past.base = past.base if past.base == _ABSENT else _UNKNOWN
            return past
        vanished = source
        change = _touched(source).change
        past.base, past.name, before = change.before, change.path, source.seq
    past.base = _UNKNOWN
    return past


def _is_cut_off(first: Record, bound: int) -> bool:
    """Whether changes may have been forgotten that came before the first of a path that is left."""
    touched = _touched(first)
    if touched.change.before.kind != "absent":
        return first.seq < bound
    # Where it appeared, it may have had another name, or have been there once: only that is forgotten.
    return bool(touched.cause) or bool(touched.change.after.size and first.seq - _NEAR < bound)


def _back_to_birth(log: EventLog, past: _Past, touches: Sequence[Record]) -> Record | None:
    """Take `touches` into the past until the file appeared; the vanishing elsewhere where it came from."""
    for record in touches:
        touched = _touched(record)
        born = touched.change.before.kind == "absent" and not touched.cause
        source = _renamed_from(log, record) if born else None
        if source is not None:
            return source
        past.touches.append(record)
        past.base = touched.change.before
        if born:
            return None
    return None


def _renamed_from(log: EventLog, record: Record) -> Record | None:
    """The change by which the file vanished elsewhere that appeared in `record`, by the same author."""
    there = _touched(record)
    after = there.change.after
    if after.kind != "file" or not after.size:
        return None
    near = log.read(types=["Touched"], after=max(record.seq - _NEAR, 0), before=record.seq + _NEAR)
    sources = [
        each
        for each in near
        if abs(each.time - record.time) <= _TOGETHER_SECONDS
        and _touched(each).lane == there.lane
        and (gone := _touched(each)).change.after.kind == "absent"
        and gone.change.before.kind == "file"
        and gone.change.before.digest == after.digest
        and (gone.author.name, gone.author.candidates) == (there.author.name, there.author.candidates)
        and gone.change.path != there.change.path
    ]
    return min(sources, key=lambda each: abs(each.seq - record.seq), default=None)


def _touched(record: Record) -> Touched:
    assert isinstance(record.event, Touched)
    return record.event
