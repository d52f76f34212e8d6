"""Growing: the tree of a repository's files with their owners, made in steps beside the screen's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from runebook_tui.core.events import Record
from runebook_tui.core.filenews import News
from runebook_tui.core.ownership import OwnershipManager
from runebook_tui.core.tree import File, Tree
from runebook_tui.tui.widgets.filerow import owner_of

STEP = 4_000
"""Files whose owners are found in one go: some hundredths of a second."""


def owned(owners: OwnershipManager, path: str) -> File:
    """A file with its owner."""
    owner = owner_of(owners, path)
    return File(path, owner, f"{path}\n{owner}".casefold())


async def grown(owners: OwnershipManager, paths: Sequence[str], tell: Callable[[int], None]) -> Tree:
    """The tree of `paths`; `tell` is called with how many are done, and cancelling ends it after a step."""
    files: list[File] = []
    for start in range(0, len(paths), STEP):
        tell(start)
        files += await asyncio.to_thread(_owned, owners, paths[start : start + STEP])
    return await asyncio.to_thread(Tree, files)


async def told(records: Iterable[Record]) -> News:
    """What the records say of files."""
    return await asyncio.to_thread(_told, records)


def _owned(owners: OwnershipManager, paths: Sequence[str]) -> list[File]:
    return [owned(owners, path) for path in paths]


def _told(records: Iterable[Record]) -> News:
    news = News()
    for record in records:
        news.tell(record)
    return news
