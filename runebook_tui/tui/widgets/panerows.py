"""PaneRows: draws rows of a terminal with their styles, links, marks and cursor; only what changed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from runebook_tui.tui.ansi import PLAIN, Pen, parse_line
from runebook_tui.tui.links import links

_REVERSE = Style(reverse=True)
_LINK = Style(underline=True)


class Mark(Enum):
    """Why some cells of a row stand out."""

    MATCH = Style(color="black", bgcolor="yellow")
    HERE = Style(color="black", bgcolor="bright_green", bold=True, underline=True)
    SELECTED = Style(reverse=True)


class Span(NamedTuple):
    """Cells of a row from `start` to before `end`."""

    start: int
    end: int
    mark: Mark


class Drawn(NamedTuple):
    """A row as it is drawn: its bytes, the pen it starts with, the cursor's column, and its marks."""

    line: bytes
    pen: Pen = PLAIN
    cursor: int | None = None
    spans: tuple[Span, ...] = ()


BLANK = Drawn(b"")


class PaneRows(Widget):
    """Rows of a terminal, which a subclass chooses by `chosen`.

    Nothing in them reaches the terminal as an escape. Rows are cropped on the right. While nobody looks (the
    widget is hidden or covered), a change is noted and no more is done.
    """

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    PaneRows {
        width: 1fr;
        height: 1fr;
    }
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._rows: list[Drawn] = []
        self._rows_size = Size(0, 0)
        self.columns = 0
        """The columns of what is drawn: a row of so many may go on in the next. 0 where that is not known."""
        self._pending = False
        self._stale = False
        self._strips: LRUCache[tuple[bytes, Pen, int], Strip] = LRUCache(512)
        self._base: Style | None = None

    def chosen(self, height: int) -> Sequence[Drawn]:
        """At most `height` rows to draw, from the top."""
        raise NotImplementedError

    def changed(self) -> None:
        """Draw what `chosen` says now, as far as it differs from what is drawn."""
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

    def render_line(self, y: int) -> Strip:
        """One row, exactly as wide as the widget."""
        self._pending = False
        if self._stale or self._rows_size != self.size:
            self._layout_rows()
        width = self.size.width
        if y >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[y]
        key = (row.line, row.pen, width)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._draw(row.line, row.pen, width)
        if row.spans:
            strip = _marked(strip, row.spans)
        return strip if row.cursor is None else _with_cursor(strip, row.cursor)

    def notify_style_update(self) -> None:
        """Forget the drawn rows, whose default colours have changed."""
        self._strips.clear()
        self._base = None
        super().notify_style_update()

    def _layout_rows(self) -> None:
        self._stale = False
        self._rows_size = self.size
        height = self.size.height
        rows = list(self.chosen(height))[:height]
        self._rows = rows + [BLANK] * (height - len(rows))

    def _draw(self, line: bytes, pen: Pen, width: int) -> Strip:
        base = self._base = self._base or self.rich_style
        runs = parse_line(line, pen)[0]
        strip = Strip([Segment(text, base + style) for text, style in runs])
        text = "".join(text for text, _ in runs)
        for link in links(text):
            start = cell_len(text[: link.start])
            # What is clicked is looked up in the row; the terminal itself is told of whole addresses alone.
            cut = 0 < self.columns <= cell_len(text) and " " not in text[link.end :]
            style = _LINK if link.line or cut else _LINK + Style(link=link.target)
            strip = _restyled(strip, start, start + cell_len(text[link.start : link.end]), style)
        return strip.adjust_cell_length(width, base)


def _restyled(strip: Strip, start: int, end: int, style: Style) -> Strip:
    """The strip with the cells from `start` to before `end` in another style."""
    width = strip.cell_length
    start, end = max(0, start), min(end, width)
    if start >= end:
        return strip
    middle = [Segment(s.text, (s.style or Style.null()) + style) for s in strip.crop(start, end)]
    return Strip.join([strip.crop(0, start), Strip(middle), strip.crop(end, width)])


def _marked(strip: Strip, spans: Sequence[Span]) -> Strip:
    for span in spans:
        strip = _restyled(strip, span.start, span.end, span.mark.value)
    return strip


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
