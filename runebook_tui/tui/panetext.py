"""PaneText: what is known of a pane's text, its screen and the history above it, as numbered rows."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, get_character_cell_size

from runebook_tui.tui.ansi import PLAIN, parse_line, plain
from runebook_tui.tui.scrollback import Row, Scrollback

_WRAPPED = 12


class PaneText:
    """Row 0 is the oldest that tmux keeps; the screen's first row has the number `history`.

    What is printed later never moves a row that was printed before, until the history is cut.
    """

    def __init__(self) -> None:
        self.scrollback = Scrollback()
        self.lines: tuple[bytes, ...] = ()
        self.cursor: tuple[int, int] | None = None
        self._rows: list[Row] = []

    @property
    def history(self) -> int:
        """How many rows there are above the screen."""
        return self.scrollback.history

    @property
    def end(self) -> int:
        """The number after the last row's."""
        return self.history + len(self.lines)

    def take(
        self, lines: Sequence[bytes], cursor: tuple[int, int] | None, history: int = 0, width: int = 0
    ) -> int | None:
        """What the pane shows now. By how many its rows' numbers became smaller; None when nothing is new."""
        content = tuple(lines)
        before = self.history
        if content == self.lines and cursor == self.cursor and history == before:
            return None
        if content != self.lines:
            self._rows = []
        self.lines, self.cursor = content, cursor
        self.scrollback.resize(history, width)
        return max(0, before - history)

    def row(self, number: int) -> Row | None:
        """A row; None when there is none, or it has not been read."""
        if number < self.history:
            return self.scrollback.row(number)
        at = number - self.history
        if at >= len(self.lines):
            return None
        while len(self._rows) <= at:
            # Styles run on from row to row.
            pen = parse_line(*self._rows[-1])[1] if self._rows else PLAIN
            self._rows.append((self.lines[len(self._rows)], pen))
        return self._rows[at]

    def text(self, number: int) -> str:
        """The characters of a row; "" of one that is not known."""
        row = self.row(number)
        return "" if row is None else plain(row[0])

    def printed(self, number: int) -> tuple[int, str]:
        """The line of which a row is a part, as it was printed: the number of its first row, and its text.

        A row that fills the pane goes on in the next one: so do terminals wrap. At most `_WRAPPED` rows
        before and after are looked at.
        """
        first, last = number, number
        while first > max(0, number - _WRAPPED) and self.fills(first - 1):
            first -= 1
        while last < min(self.end - 1, number + _WRAPPED) and self.fills(last):
            last += 1
        return first, "".join(self.text(each) for each in range(first, last + 1))

    def fills(self, number: int) -> bool:
        """Whether a row reaches the pane's right edge."""
        width = self.scrollback.width
        return width > 0 and cell_len(self.text(number)) >= width

    def bottom(self, height: int) -> int:
        """The first row to show when the newest are looked at, of a screen that may be higher than `height`.

        Blank rows at the end are left out, and the row with the cursor is always shown.
        """
        lines, cursor = self.lines, self.cursor
        if len(lines) <= height:
            return self.history
        end = len(lines)
        while end and not lines[end - 1].strip():
            end -= 1
        if cursor is None:
            return self.history + max(0, end - height)
        row = min(max(cursor[1], 0), len(lines) - 1)
        return self.history + min(max(0, max(end, row + 1) - height), row)


def matches(text: str, wanted: str) -> tuple[tuple[int, int], ...]:
    """The cells, from and to before, of each place where `text` holds `wanted`, in small or large letters."""
    if not wanted:
        return ()
    # Folding may change the length of a text (ß), and with it every place.
    folded, sought = text.lower(), wanted.lower()
    if len(folded) != len(text):
        folded, sought = text, wanted
    found: list[tuple[int, int]] = []
    at = folded.find(sought)
    while at >= 0:
        start = cell_len(text[:at])
        found.append((start, start + cell_len(text[at : at + len(sought)])))
        at = folded.find(sought, at + len(sought))
    return tuple(found)


def character_at(text: str, cell: int) -> int:
    """The index of the character that is drawn at a cell; the text's length beyond its end."""
    cells = 0
    for index, character in enumerate(text):
        cells += get_character_cell_size(character)
        if cells > cell:
            return index
    return len(text)
