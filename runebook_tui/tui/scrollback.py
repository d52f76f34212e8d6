"""Scrollback: the rows of a pane that have been read, by their number, at most so many of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from runebook_tui.tui.ansi import PLAIN, Pen, parse_line

CHUNK = 256
"""Rows that are read in one go."""

_MOST = 64
"""Chunks that are kept."""

Row = tuple[bytes, Pen]
"""A row as tmux gives it, and the pen that it starts with."""


class Scrollback:
    """Rows of one pane's history; number 0 is the oldest that tmux keeps.

    A row keeps its number until the history is cut, cleared or folded to another width: then everything
    is forgotten.
    """

    def __init__(self) -> None:
        self.history = 0
        """How many rows there are above the pane's screen."""
        self._width = 0
        self._chunks: OrderedDict[int, tuple[Row, ...]] = OrderedDict()

    def resize(self, history: int, width: int) -> None:
        """The pane has so many rows above its screen now, and so many columns."""
        if history < self.history or width != self._width:
            self._chunks.clear()
        self.history, self._width = history, width

    @property
    def width(self) -> int:
        """The pane's columns; 0 where they are not known."""
        return self._width

    def row(self, number: int) -> Row | None:
        """A row that was read; None when it was not, or is not kept any more."""
        chunk = self._chunks.get(number // CHUNK, ())
        at = number % CHUNK
        return chunk[at] if 0 <= at < len(chunk) else None

    def missing(self, first: int, end: int) -> Iterator[int]:
        """The first row of each chunk that has to be read for the rows from `first` to before `end`."""
        end = min(end, self.history)
        for start in range(max(0, first) // CHUNK * CHUNK, end, CHUNK):
            known = len(self._chunks.get(start // CHUNK, ()))
            if start + known < min(end, start + CHUNK):
                yield start

    def lacks(self, first: int, end: int) -> bool:
        """Whether any of these rows has to be read."""
        return next(self.missing(first, end), None) is not None

    def keep(self, start: int, lines: Sequence[bytes], history: int) -> None:
        """Remember rows that were read from row `start` on; those of the screen are not history yet."""
        if start % CHUNK:
            return
        rows: list[Row] = []
        pen = PLAIN
        for line in lines[: max(0, min(CHUNK, history - start))]:
            rows.append((line, pen))
            pen = parse_line(line, pen)[1]
        number = start // CHUNK
        self._chunks[number] = tuple(rows)
        self._chunks.move_to_end(number)
        while len(self._chunks) > _MOST:
            self._chunks.popitem(last=False)
