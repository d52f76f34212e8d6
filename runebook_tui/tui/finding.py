"""Finding: the rows of a pane that hold a text, from the newest to the oldest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from runebook_tui.tui.panetext import PaneText, matches
from runebook_tui.tui.scrollback import CHUNK

MOST = 5_000
"""Rows that are found at most."""


async def find(
    text: PaneText, wanted: str, read: Callable[[int, int], Awaitable[None]]
) -> AsyncIterator[tuple[int, ...]]:
    """The numbers of the rows that hold `wanted`, the newest first, a part of the history at a time.

    `read` reads the rows between two numbers into `text`, as far as they are not there.
    """
    found = 0
    end = text.end
    while end > 0 and found < MOST:
        start = max(0, (end - 1) // CHUNK * CHUNK)
        await read(start, end)
        part = tuple(row for row in range(end - 1, start - 1, -1) if matches(text.text(row), wanted))
        found += len(part)
        yield part
        end = start


class Found:
    """What a search has found so far, and which of it is looked at."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self.rows: list[int] = []
        """Newest first."""
        self.at = 0
        self.done = False

    @property
    def row(self) -> int | None:
        """The row that is looked at."""
        return self.rows[self.at] if self.at < len(self.rows) else None

    def move(self, step: int) -> int | None:
        """Look at the next older (1) or newer (-1) row, and stay at the ends."""
        self.at = max(0, min(self.at + step, len(self.rows) - 1))
        return self.row

    @property
    def words(self) -> str:
        """What was found, in a few words."""
        if not self.rows:
            return "not found" if self.done else "looking …"
        more = "" if self.done else "+"
        return f"{self.at + 1} of {len(self.rows)}{more}"
