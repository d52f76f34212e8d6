"""Diffs for those who only read the history: the command line and the screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from runebook_tui.core.types import Change, Crossing, Version
from runebook_tui.history.heads import coming
from runebook_tui.history.patches import patch
from runebook_tui.history.store import ContentStore
from runebook_tui.place import state_folder

LIMIT = 65_536
"""Characters of one path's diff, and of all of them together, at the most (about)."""


def request_diff(root: Path, crossings: Mapping[str, Crossing], *, ahead: Path | None = None) -> str:
    """The unified diff of every path of a request, bounded; "" while nothing was written.

    `ahead` adds, for an open request, what would become of the files in that tree: by a stopped rename or
    link, or by what an agent's client proposes.
    """
    content = _contents(root)

    def written(change: Change) -> str:
        return patch(change, content(change.before), content(change.after), limit=LIMIT)

    def proposed(tree: Path, crossing: Crossing, version: Version) -> str:
        return coming(tree, crossing, limit=LIMIT, proposed=(version, content(version)))

    makers: list[Callable[[], str]] = []
    for crossing in crossings.values():
        if crossing.change is not None:
            makers.append(partial(written, crossing.change))
        elif ahead is not None and crossing.source is not None:
            makers.append(partial(coming, ahead, crossing, limit=LIMIT))
        elif ahead is not None and crossing.proposed is not None:
            makers.append(partial(proposed, ahead, crossing, crossing.proposed))
    parts: list[str] = []
    length = 0
    for at, make in enumerate(makers):
        if length > LIMIT:
            parts.append(f"… and {len(makers) - at} more paths\n")
            break
        parts.append(make())
        length += len(parts[-1])
    return "".join(parts)


def change_diff(root: Path, change: Change) -> str:
    """The unified diff of one change, bounded."""
    content = _contents(root)
    return patch(change, content(change.before), content(change.after), limit=LIMIT)


def _contents(root: Path) -> Callable[[Version], bytes | None]:
    """Reads the content of a version; None where it is not kept."""
    store = ContentStore(state_folder(root) / "history")

    def content(version: Version) -> bytes | None:
        return store.get(version.digest) if version.digest is not None and version.stored else None

    return content
