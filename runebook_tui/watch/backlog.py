"""Batches that wait to be handled; those of one cause become one, so they stay as few as the tree's files."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Batch:
    """Files that changed, as far as can be told at once and by one cause.

    `paths` are relative to the root: regular files and symbolic links, also vanished ones, none ignored.
    `cause` is "edit", "scan" (found in a new folder), "sweep" (found by git; `detail` "start" for the first,
    with all that was modified or untracked before the watch began) or "git" (`detail` names the operation
    where git tells it; empty when only git's lock was seen, which a mere `git add` takes too).
    `time` (unix seconds) is when the first event was seen.
    """

    paths: frozenset[str]
    cause: str
    detail: str
    time: float


class Backlog:
    """A queue of batches. One that follows another of the same cause joins it, except git's operations.

    Whoever handles batches looks at each path as it is then, so a path that waits twice is looked at once.
    """

    def __init__(self) -> None:
        self._waiting: deque[Batch] = deque()
        self._over = False
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, batches: Iterable[Batch]) -> None:
        """Let these wait, in order."""
        for batch in batches:
            last = self._waiting[-1] if self._waiting else None
            if last is not None and batch.cause != "git" and _alike(last, batch):
                self._waiting[-1] = replace(last, paths=last.paths | batch.paths)
            else:
                self._waiting.append(batch)
        self._news.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._over = True
        self._news.set()

    async def get(self) -> Batch | None:
        """The next batch, when there is one; None at the end."""
        while not self._waiting:
            if self._over:
                return None
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()

    def take(self) -> tuple[Batch, ...]:
        """All that wait, which then do no more."""
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken


def _alike(one: Batch, other: Batch) -> bool:
    return (one.cause, one.detail) == (other.cause, other.detail)
