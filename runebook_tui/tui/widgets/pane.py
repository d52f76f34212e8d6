"""PaneView: shows what an agent's pane shows."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from runebook_tui.tui.ansi import PLAIN, Pen, parse_line, symbols

_REVERSE = Style(reverse=True)


class PaneView(Widget, can_focus=True):
    """A pane's text as it stands, fed by `show`; nothing in it reaches the terminal as an escape.

    Of a content larger than the widget it shows the bottom, or the part with the cursor when that is further
    up, cropped on the right. Only rows that changed are drawn anew. While nobody looks (the widget is hidden
    or covered) a new content is stored and no more.
    """

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    PaneView {
        width: 1fr;
        height: 1fr;
    }
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: tuple[bytes, ...] = ()
        self._cursor: tuple[int, int] | None = None
        self._rows: list[_Row] = []
        self._rows_size = Size(0, 0)
        self._pending = False
        self._stale = False
        self._strips: LRUCache[tuple[bytes, Pen, int], Strip] = LRUCache(512)

    def show(self, lines: Sequence[bytes], cursor: tuple[int, int] | None) -> None:
        """Show rows of text with SGR sequences, and a cursor at (column, row) from 0, or none."""
        content = tuple(lines)
        if content == self._lines and cursor == self._cursor:
            return
        self._lines, self._cursor = content, cursor
        if self._pending:
            # Nobody has seen the last change yet: comparing again would be work for nobody.
            if not self._stale:
                self._stale = True
                self.refresh()
            return
        self._pending = True
        before, size = self._rows, self._rows_size
        self._layout_rows()
        if size != self._rows_size:
            self.refresh()
            return
        rows = enumerate(zip(before, self._rows, strict=True))
        changed = [Region(0, y, size.width, 1) for y, (old, new) in rows if old != new]
        if changed:
            self.refresh(*changed)
        else:
            self._pending = False

    def clear(self, message: str) -> None:
        """Show one line of plain text (never markup) instead of a pane."""
        self.show((symbols(message).encode("utf-8"),), None)

    def render_line(self, y: int) -> Strip:
        """One row, exactly as wide as the widget."""
        self._pending = False
        if self._stale or self._rows_size != self.size:
            self._layout_rows()
        width = self.size.width
        if y >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        line, pen, cursor = self._rows[y]
        key = (line, pen, width)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._draw(line, pen, width)
        return strip if cursor is None else _with_cursor(strip, cursor)

    def notify_style_update(self) -> None:
        """Forget the drawn rows, whose default colours have changed."""
        self._strips.clear()
        super().notify_style_update()

    def _layout_rows(self) -> None:
        """Choose the visible rows, and find the pen that each starts with."""
        self._stale = False
        self._rows_size = self.size
        height = self.size.height
        top = _top(self._lines, self._cursor, height)
        pens = [PLAIN]
        for line in self._lines[: top + height - 1] if height else ():
            pens.append(parse_line(line, pens[-1])[1])
        self._rows = [(b"", PLAIN, None)] * height
        for y, (line, pen) in enumerate(zip(self._lines[top : top + height], pens[top:], strict=False)):
            x = self._cursor[0] if self._cursor is not None and self._cursor[1] == top + y else None
            self._rows[y] = (line, pen, x)

    def _draw(self, line: bytes, pen: Pen, width: int) -> Strip:
        base = self.rich_style
        segments = [Segment(text, base + style) for text, style in parse_line(line, pen)[0]]
        return Strip(segments).adjust_cell_length(width, base)


_Row = tuple[bytes, Pen, int | None]


def _top(lines: Sequence[bytes], cursor: tuple[int, int] | None, height: int) -> int:
    """The first row to show of a content that may be higher than the widget."""
    if len(lines) <= height:
        return 0
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    if cursor is None:
        return max(0, end - height)
    row = min(max(cursor[1], 0), len(lines) - 1)
    return min(max(0, max(end, row + 1) - height), row)


def _with_cursor(strip: Strip, x: int) -> Strip:
    """The strip with the character at column `x` reversed."""
    width = strip.cell_length
    if not 0 <= x < width:
        return strip
    under = strip.crop(x, x + 2).text
    end = x + (2 if under and cell_len(under[0]) == 2 else 1)
    cell = strip.crop(x, end)
    reversed_cell = Strip([Segment(s.text, (s.style or Style.null()) + _flip(s.style)) for s in cell])
    return Strip.join([strip.crop(0, x), reversed_cell, strip.crop(end, width)])


def _flip(style: Style | None) -> Style:
    return Style(reverse=False) if style is not None and style.reverse else _REVERSE
