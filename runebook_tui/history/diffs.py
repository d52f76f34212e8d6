"""Diffs for those who only read the history: the command line and the screens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runebook_tui.core.types import Crossing, Version
from runebook_tui.history.patches import patch
from runebook_tui.history.store import ContentStore
from runebook_tui.place import state_folder

LIMIT = 65_536
"""Characters of one path's diff, and of all of them together, at the most (about)."""


def request_diff(root: Path, crossings: Mapping[str, Crossing]) -> str:
    """The unified diff of every path of a request, bounded; "" while nothing was written."""
    store = ContentStore(state_folder(root) / "history")

    def content(version: Version) -> bytes | None:
        return store.get(version.digest) if version.digest is not None and version.stored else None

    parts: list[str] = []
    length = 0
    changes = [crossing.change for crossing in crossings.values() if crossing.change is not None]
    for at, change in enumerate(changes):
        if length > LIMIT:
            parts.append(f"… and {len(changes) - at} more paths\n")
            break
        part = patch(change, content(change.before), content(change.after), limit=LIMIT)
        parts.append(part)
        length += len(part)
    return "".join(parts)
