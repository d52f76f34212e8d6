"""DiffView: a unified diff with line numbers, coloured by line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from rich.cells import cell_len
from textual.content import Content
from textual.events import Resize

from runebook_tui.history.heads import FileHead
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import cut
from runebook_tui.tui.widgets.rows import Entry, Rows

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_LINES = 20_000
_FOLDS = 8
"""Rows that one line of the diff can take; what is longer ends in an ellipsis."""
_MARGIN = 7


class DiffLine(NamedTuple):
    """One line of a diff: its number in the new file (of a removed line: in the old one) and its colour."""

    number: int | None
    text: str
    style: str


def diff_lines(diff: str) -> Iterator[DiffLine]:
    """The lines of a unified diff; where a hunk ends is told by its own counts, never by the text in it."""
    old = new = old_left = new_left = 0
    for text in diff.removesuffix("\n").split("\n")[:_LINES]:
        inside = old_left > 0 or new_left > 0
        hunk = None if inside else _HUNK.match(text)
        if hunk is not None:
            old, new = int(hunk[1]), int(hunk[3])
            old_left, new_left = int(hunk[2] or 1), int(hunk[4] or 1)
            yield DiffLine(None, text, glyphs.BUSY)
        elif not inside or text.startswith("\\"):
            yield DiffLine(None, text, glyphs.MUTED)
        elif text.startswith("-"):
            yield DiffLine(old, text, glyphs.BAD)
            old, old_left = old + 1, old_left - 1
        elif text.startswith("+"):
            yield DiffLine(new, text, glyphs.GOOD)
            new, new_left = new + 1, new_left - 1
        else:
            yield DiffLine(new, text, "")
            old, new, old_left, new_left = old + 1, new + 1, old_left - 1, new_left - 1


def head_lines(head: FileHead) -> Iterator[DiffLine]:
    """The first lines of a file with their numbers, below its name."""
    yield DiffLine(None, f"{head.path} now", glyphs.BUSY)
    for number, text in enumerate(head.lines, 1):
        yield DiffLine(number, text, "")
    if head.more:
        yield DiffLine(None, head.more, glyphs.MUTED)


class DiffView(Rows):
    """Scrolls through a diff by line; long lines are folded, not cut away."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(empty="reading the diff …", id=id)
        self._words: list[str] = []
        self._lines: list[DiffLine] = []

    def show_diff(self, diff: str, words: list[str], heads: Sequence[FileHead] = ()) -> None:
        """Show lines of plain words, then the diff, then files as they are."""
        self._words, self._lines = words, list(diff_lines(diff)) if diff else []
        for head in heads:
            self._lines += head_lines(head)
        self._fold()

    def on_resize(self, event: Resize) -> None:
        """Fold for the new width."""
        self._fold()

    def _fold(self) -> None:
        room = self.scrollable_content_region.width - _MARGIN - 1
        if room > 1:
            words = [DiffLine(None, text, glyphs.MUTED) for text in self._words]
            self.show(
                [
                    Entry(index, _height(line, room), partial(_draw, line, margin), selectable=False)
                    for index, (line, margin) in enumerate(
                        [*((line, 1) for line in words), *((line, _MARGIN) for line in self._lines)]
                    )
                ]
            )


def _shown(line: DiffLine, room: int) -> str:
    return cut(line.text.replace("\t", "    "), room * _FOLDS)


def _height(line: DiffLine, room: int) -> int:
    # A double-width character that does not fit leaves its row a cell short.
    return min(_FOLDS, max(1, -(-cell_len(_shown(line, room)) // (room - 1))))


def _draw(line: DiffLine, margin: int, width: int) -> list[Content]:
    """The rows of one line, with its number in a margin of so many cells."""
    room = max(2, width - _MARGIN)
    number = f"{line.number:>{margin - 2}}  " if line.number is not None else " " * margin
    rows = Content.styled(_shown(line, room), line.style).fold(room)
    margins = [number, *[" " * margin] * len(rows)]
    return [Content.assemble((blank, glyphs.MUTED), row) for blank, row in zip(margins, rows, strict=False)]
