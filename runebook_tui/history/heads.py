"""Files as they are now, before a stopped write: their first lines, and what would take their place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runebook_tui.core.hosts import is_lane
from runebook_tui.core.secret_names import secret_named
from runebook_tui.core.types import Change, Crossing, Version
from runebook_tui.history.differences import BYTE_LIMIT, binary
from runebook_tui.history.look import Look, look
from runebook_tui.history.patches import patch
from runebook_tui.place import lanes_folder

FILES = 5
LINES = 200
CHARACTERS = 16_384
"""How many files, and lines and characters of each, are shown at the most."""


@dataclass(frozen=True)
class FileHead:
    """The first lines of a file, and in `more` what is not shown, in words ("" when all is).

    Bytes that are not UTF-8 are lone surrogates, as in paths.
    """

    path: str
    lines: tuple[str, ...] = ()
    more: str = ""


def tree(root: Path, lane: str) -> Path:
    """Where the files of a request lie: in the repository at `root`, or in the worktree of that agent.

    A host's checkout is the repository at `root` for that host.
    """
    return lanes_folder(root) / lane if is_lane(lane) else root


def heads(tree: Path, crossings: Mapping[str, Crossing]) -> tuple[FileHead, ...]:
    """The paths of a request as they are now in `tree`, but those of which a diff can be shown.

    Reads the files, without following links; takes as long as the disk does. Never raises for what it finds.
    """
    shown = [
        each
        for each in crossings.values()
        if each.change is None
        and each.proposed is None
        and (each.source is None or _source(tree, each) is None)
    ]
    return tuple(_head(each.path, _look(tree, each.path)) for each in shown[:FILES])


def coming(
    tree: Path, crossing: Crossing, *, limit: int, proposed: tuple[Version, bytes | None] | None = None
) -> str:
    """The unified diff from what is at the path to what would take its place; "" when that cannot be told.

    That is the crossing's source, or what is `proposed`, with its content where that is kept.
    """
    if proposed is None:
        source = _source(tree, crossing)
        if source is None:
            return ""
        proposed = source.version, source.data
    version, data = proposed
    target = _look(tree, crossing.path)
    change = Change(path=crossing.path, before=target.version, after=version)
    return patch(change, target.data, data, limit=limit)


def _source(tree: Path, crossing: Crossing) -> Look | None:
    """What would take the place of the path, when that is a file or link that may be shown."""
    if crossing.source is None or secret_named(crossing.source):
        return None
    found = _look(tree, crossing.source)
    return found if found.version.kind in ("file", "symlink") else None


def _look(tree: Path, path: str) -> Look:
    found = look(tree, path, keep=0 if secret_named(path) else BYTE_LIMIT)
    assert found is not None, "it is None only for a file that has a known stamp"
    return found


def _head(path: str, seen: Look) -> FileHead:
    kind, data = seen.version.kind, seen.data
    size = f"{seen.version.size:,} bytes"
    if kind == "absent":
        return FileHead(path, more="there is no such file yet")
    if kind == "other":
        return FileHead(path, more="a folder, a special file or one that cannot be read")
    if secret_named(path):
        return FileHead(path, more=f"named like a secret: not shown ({size})")
    if data is None:
        return FileHead(path, more=f"too large to show ({size})")
    if kind == "symlink":
        return FileHead(path, more=f"a symbolic link to {os.fsdecode(data)}")
    if binary(data):
        return FileHead(path, more=f"binary ({size})")
    if not data:
        return FileHead(path, more="an empty file")
    lines = data.removesuffix(b"\n").split(b"\n")
    text = b"\n".join(lines[:LINES])[:CHARACTERS].decode("utf-8", "surrogateescape")
    shown = tuple(text.split("\n"))
    left = len(lines) - len(shown)
    cut = left == 0 and len(b"\n".join(lines)) > CHARACTERS
    plural = "line" if left == 1 else "lines"
    return FileHead(
        path, shown, f"and {left:,} more {plural}" if left else "its last line is cut" if cut else ""
    )
