"""Edits: what a tool would do to one file, and what the file would hold then."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MOST_BYTES = 2_000_000
"""Larger contents are not worked out: nobody could read their difference."""
_MOST_PARTS = 200
_MOST_WORK = 5_000_000
"""Lines of the file times places of a patch."""


class Reach(Enum):
    """How a path that a tool names is to be understood."""

    FILE = "file"
    """The file itself."""
    INTO = "into"
    """The file, or files of some names in it when it is a folder (`cp a b`)."""
    TREE = "tree"
    """The file or the folder with all that is in it (`rm -r`)."""
    DIFF = "diff"
    """The files that the patch in this file names (`git apply`)."""


@dataclass(frozen=True)
class Replacement:
    """One text that takes the place of another."""

    old: str
    new: str
    every: bool = False
    """Whether all occurrences are replaced; else there must be exactly one."""


@dataclass(frozen=True)
class Chunk:
    """One place of a patch: lines without line ends; `at` is the line that it says to look for first."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    at: str = ""
    end: bool = False
    """Whether it is at the end of the file."""


@dataclass(frozen=True)
class Whole:
    """The file gets this text."""

    text: str


@dataclass(frozen=True)
class Replaced:
    """Parts of the file are replaced, one after the other."""

    parts: tuple[Replacement, ...]


@dataclass(frozen=True)
class Patched:
    """The file is patched; `origin` is the path whose content is taken when that is another."""

    chunks: tuple[Chunk, ...]
    origin: str = ""


@dataclass(frozen=True)
class Removed:
    """The file is gone afterwards."""


@dataclass(frozen=True)
class Untold:
    """What the file will hold cannot be told."""


How = Whole | Replaced | Patched | Removed | Untold


@dataclass(frozen=True)
class Edit:
    """What a tool would do to `path`, which is as the client gave it."""

    path: str
    how: How = Untold()
    reach: Reach = Reach.FILE
    names: tuple[str, ...] = ()
    """With INTO: the names that come into the folder."""
    link: bool = False
    """Whether a symbolic link at the path is meant itself (`rm`, `mv`), not the file it leads to."""


def content(how: How, before: bytes | None) -> bytes | None:
    """What the file would hold, given what it holds now (None: there is none); None when that is not known.

    Not for Removed.
    """
    if isinstance(how, Whole):
        after: str | None = how.text
    elif isinstance(how, Replaced | Patched):
        if before is None and isinstance(how, Patched):
            return None
        if before is not None and len(before) > MOST_BYTES:
            return None
        text = (before or b"").decode("utf-8", "surrogateescape")
        after = _replaced(text, how.parts) if isinstance(how, Replaced) else _patched(text, how.chunks)
    else:
        return None
    if after is None or len(after) > MOST_BYTES:
        return None
    try:
        return after.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return None


def _replaced(text: str, parts: tuple[Replacement, ...]) -> str | None:
    if len(parts) > _MOST_PARTS:
        return None
    for part in parts:
        if not part.old:
            if text:
                return None
            text = part.new
            continue
        count = text.count(part.old)
        if count == 0 or (count > 1 and not part.every):
            return None
        text = text.replace(part.old, part.new)
        if len(text) > MOST_BYTES:
            return None
    return text


def _patched(text: str, chunks: tuple[Chunk, ...]) -> str | None:
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    if len(lines) * len(chunks) > _MOST_WORK:
        return None
    at = 0
    for chunk in chunks:
        if chunk.at:
            found = _find(lines, (chunk.at,), at, end=False)
            if found is None:
                return None
            at = found + 1
        found = len(lines) if not chunk.old else _find(lines, chunk.old, at, end=chunk.end)
        if found is None:
            return None
        lines[found : found + len(chunk.old)] = chunk.new
        at = found + len(chunk.new)
    return "\n".join(lines) + "\n" if lines else ""


def _find(lines: list[str], wanted: tuple[str, ...], start: int, *, end: bool) -> int | None:
    """Where these lines are, from `start` on: exactly, else but for blanks at their ends, else at all."""
    last = len(lines) - len(wanted)
    places = [last] if end and last >= start else range(start, last + 1)
    for same in (str, str.rstrip, str.strip):
        goal = [same(line) for line in wanted]
        for place in places:
            if (
                same(lines[place]) == goal[0]
                and [same(line) for line in lines[place : place + len(wanted)]] == goal
            ):
                return place
    return None
