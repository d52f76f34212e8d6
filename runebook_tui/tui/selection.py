"""Selection: the part of a pane's text that is being marked for copying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runebook_tui.tui.panetext import character_at

LARGEST_ROWS = 20_000
"""Rows that can be copied at once."""


@dataclass(frozen=True)
class Selection:
    """From `anchor` to `point`, each (row, cell), both included; without an anchor the point's whole row."""

    point: tuple[int, int]
    anchor: tuple[int, int] | None = None

    @property
    def first(self) -> tuple[int, int]:
        """Where it begins."""
        return (self.point[0], 0) if self.anchor is None else min(self.anchor, self.point)

    @property
    def last(self) -> tuple[int, int]:
        """Where it ends."""
        return self.point if self.anchor is None else max(self.anchor, self.point)

    def cells(self, row: int, width: int) -> tuple[int, int] | None:
        """The cells of a row that are marked, of a pane of `width` cells; None when none are."""
        if self.anchor is None:
            return (self.point[1], self.point[1] + 1) if row == self.point[0] else None
        (first, start), (last, end) = self.first, self.last
        if not first <= row <= last:
            return None
        return (start if row == first else 0, end + 1 if row == last else width)

    def text(self, row_text: Callable[[int], str]) -> str:
        """What is copied; `row_text` gives the characters of a row. Blanks at a row's end are left out."""
        (first, start), (last, end) = self.first, self.last
        rows: list[str] = []
        for row in range(first, min(last, first + LARGEST_ROWS - 1) + 1):
            text = row_text(row)
            if row == last and self.anchor is not None:
                text = text[: character_at(text, end) + 1]
            if row == first:
                text = text[character_at(text, start) if start else 0 :]
            rows.append(text.rstrip())
        return "\n".join(rows)
