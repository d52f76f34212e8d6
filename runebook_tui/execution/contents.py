"""Contents: what is at a path of a tree now, for approvals that hold for what the operator saw there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runebook_tui.core.grants import ABSENT
from runebook_tui.history.look import look

MOST_PATHS = 500
"""Of so many paths of one request the contents are bound to an approval; there are hardly ever more."""


def content_at(root: Path, path: str) -> str | None:
    """The SHA-256 of what is at `path` below `root` (of a symlink's target), ABSENT, or None for a folder.

    Reads the file, following no links. Never raises for what it finds.
    """
    seen = look(root, path, keep=0)
    assert seen is not None, "it is None only for a file that has a known stamp"
    if seen.version.kind == "absent":
        return ABSENT
    return seen.version.digest if seen.version.kind in ("file", "symlink") else None


def contents_at(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """`content_at` for those of `paths` of which it can be told."""
    found = ((path, content_at(root, path)) for path in list(paths)[:MOST_PATHS])
    return {path: digest for path, digest in found if digest is not None}
