"""Patches as agents write them: the paths they name, and what they do to each.

The form is that of Codex's `apply_patch` (measured with 0.169.0): `*** Begin Patch`, then
`*** Add File: `, `*** Update File: ` (with `*** Move to: `) and `*** Delete File: `. Unified diffs are
read for their paths only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runebook_tui.hooks.edits import Chunk, Edit, Patched, Removed, Whole

_HEAD = re.compile(r"\*\*\* (Add|Update|Delete) File: (.*\S)\s*\Z")
_MOVE = re.compile(r"\*\*\* Move to: (.*\S)\s*\Z")
_DIFF = re.compile(r"(?:---|\+\+\+) (?:[abciow]/)?([^\t\n]+)")
_RENAME = re.compile(r"(?:rename|copy) (?:from|to) ([^\n]+)")
_GIT = re.compile(r"diff --git a/(\S+) b/(\S+)")
MARK = "*** "


def is_patch(text: str) -> bool:
    """Whether `text` is a patch of the `apply_patch` form."""
    return any(_HEAD.match(line.strip()) for line in text.splitlines() if MARK in line)


def edits_of(text: str) -> Iterator[Edit]:
    """What the patch does, file by file, as far as it can be read; a moved file is two edits."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        head = _HEAD.match(lines[at].strip())
        at += 1
        if head is None:
            continue
        act, path = head[1], head[2]
        if act == "Delete":
            yield Edit(path, Removed(), link=True)
        elif act == "Add":
            body: list[str] = []
            while at < len(lines) and lines[at].startswith("+"):
                body.append(lines[at][1:])
                at += 1
            yield Edit(path, Whole("".join(f"{line}\n" for line in body)))
        else:
            target = ""
            move = _MOVE.match(lines[at].strip()) if at < len(lines) else None
            if move is not None:
                target, at = move[1], at + 1
            at, chunks = _chunks(lines, at)
            if target:
                yield Edit(path, Removed(), link=True)
                yield Edit(target, Patched(chunks, origin=path))
            else:
                yield Edit(path, Patched(chunks))


def _chunks(lines: list[str], at: int) -> tuple[int, tuple[Chunk, ...]]:
    """The places of an update from line `at` on, and the line after them."""
    chunks: list[Chunk] = []
    old: list[str] = []
    new: list[str] = []
    header = ""
    full = at - 1  # the next line that is not blank, as far as it is known

    def close(end: bool = False) -> None:
        if old or new:
            chunks.append(Chunk(tuple(old), tuple(new), header, end))
        old.clear()
        new.clear()

    while at < len(lines):
        line = lines[at]
        if line.startswith("@@"):
            close()
            header = line[2:].strip().strip("@").strip()
            header = "" if re.match(r"-\d", header) else header
        elif line.rstrip() == "*** End of File":
            close(end=True)
            header = ""
        elif line.startswith(" ") or line == "":
            if line == "":
                if full < at:
                    full = next((n for n in range(at, len(lines)) if lines[n].strip()), len(lines))
                if full == len(lines) or lines[full].startswith(MARK):
                    break  # nothing of an update follows
            old.append(line[1:])
            new.append(line[1:])
        elif line.startswith("-"):
            old.append(line[1:])
        elif line.startswith("+"):
            new.append(line[1:])
        else:
            break
        at += 1
    close()
    return at, tuple(chunks)


def paths_of_diff(text: str) -> list[str]:
    """The paths that a unified diff names, each once."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        for pattern in (_DIFF, _RENAME):
            match = pattern.match(line)
            if match is not None and match[1].strip() != "/dev/null":
                found.setdefault(match[1].strip().strip('"'))
        pair = _GIT.match(line)
        if pair is not None:
            found.setdefault(pair[1])
            found.setdefault(pair[2])
    return list(found)
