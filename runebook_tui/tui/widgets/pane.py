"""PaneView: shows what an agent's pane shows, and lets it be read: scrolled, searched, copied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import events, work
from textual.binding import BindingType
from textual.message import Message

from runebook_tui.tui.ansi import symbols
from runebook_tui.tui.backend import BackendError, Rows
from runebook_tui.tui.bindings import bindings
from runebook_tui.tui.finding import Found, find
from runebook_tui.tui.keys import pane as keys
from runebook_tui.tui.links import Link, links
from runebook_tui.tui.panetext import PaneText, character_at, matches
from runebook_tui.tui.scrollback import CHUNK
from runebook_tui.tui.selection import Selection
from runebook_tui.tui.widgets.panerows import BLANK, Drawn, Mark, PaneRows, Span

_WHEEL_ROWS = 3

Reader = Callable[[int, int], Awaitable[Rows]]
"""Reads rows of the pane: from which (0 is the first of its screen, -1 the last above), and how many."""


class PaneView(PaneRows, can_focus=True):
    """A pane's text as it stands, fed by `show`.

    Of a content larger than the widget it shows the bottom, or the part with the cursor when that is further
    up, and follows what is printed. Once it is scrolled up it stays where it is until the end is reached.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(keys.TABLE)

    class Reading(Message):
        """Where in the pane's text it is read, what was searched, or what is marked has changed."""

        def __init__(self, view: PaneView) -> None:
            super().__init__()
            self.view = view

    class SearchWanted(Message):
        """The operator wants to search the pane's text."""

    class Copied(Message):
        """The operator copied a text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class LinkFollowed(Message):
        """The operator wants to see what a link leads to; several: one of them."""

        def __init__(self, view: PaneView, links: Sequence[Link]) -> None:
            super().__init__()
            self.view = view
            self.links = tuple(links)

    def __init__(
        self,
        read: Reader | None = None,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.text = PaneText()
        self.found: Found | None = None
        self.selection: Selection | None = None
        self._read = read
        self._top: int | None = None
        self._last: dict[int, Drawn] = {}
        self._dragging: tuple[int, int] | None = None

    # ── what is shown ───────────────────────────────────────────────────────────────────────────

    def show(
        self, lines: Sequence[bytes], cursor: tuple[int, int] | None, history: int = 0, width: int = 0
    ) -> None:
        """Show rows of text with SGR sequences, and a cursor at (column, row) from 0, or none.

        `history` is how many rows can be read above, `width` the pane's columns.
        """
        cut = self.text.take(lines, cursor, history, width)
        self.columns = width
        if cut is None:
            return
        if cut:
            self.found = self.selection = None
            self._last = {}
            if self._top is not None:
                self._top = max(0, self._top - cut)
        if cut or not self.following:
            self._moved()
        else:
            self.changed()

    def clear(self, message: str) -> None:
        """Show one line of plain text (never markup) instead of a pane."""
        self.show((symbols(message).encode("utf-8"),), None)

    def follow(self) -> None:
        """Show the end again, and forget what was searched and marked."""
        self._top = self.found = self.selection = self._dragging = None
        self._moved()

    @property
    def following(self) -> bool:
        """Whether what is printed is shown as it comes."""
        return self._top is None

    @property
    def top(self) -> int:
        """The number of the first row that is shown."""
        bottom = self.text.bottom(self.size.height)
        return bottom if self._top is None else min(self._top, bottom)

    @property
    def above_end(self) -> int:
        """By how many rows it is scrolled up."""
        return self.text.bottom(self.size.height) - self.top

    def chosen(self, height: int) -> Sequence[Drawn]:
        """The rows that are looked at."""
        cursor = self.text.cursor
        shown: list[Drawn] = []
        for number in range(self.top, min(self.top + height, self.text.end)):
            row = self.text.row(number)
            if row is None:
                # It is being read. What just scrolled off the pane's screen stands here already.
                shown.append(self._last.get(number, BLANK))
                continue
            at = number - self.text.history
            x = cursor[0] if cursor is not None and cursor[1] == at else None
            shown.append(Drawn(*row, x, self._spans(number)))
        self._last = dict(enumerate(shown, self.top))
        return shown

    def _spans(self, number: int) -> tuple[Span, ...]:
        spans: list[Span] = []
        if self.found is not None:
            mark = Mark.HERE if self.found.row == number else Mark.MATCH
            spans += [Span(*cells, mark) for cells in matches(self.text.text(number), self.found.wanted)]
        if self.selection is not None and (cells := self.selection.cells(number, self.size.width)):
            spans.append(Span(*cells, Mark.SELECTED))
        return tuple(spans)

    # ── scrolling ───────────────────────────────────────────────────────────────────────────────

    def scroll_rows(self, step: int) -> None:
        """Go down (or up) by so many rows; at the end it follows again."""
        self._go(self.top + step)

    def show_row(self, number: int) -> None:
        """Scroll as little as is needed to show a row; one far away comes into the middle."""
        height = max(1, self.size.height)
        top = self.top
        if top <= number < top + height:
            self._go(top)
        elif top - 1 <= number <= top + height:
            self._go(number if number < top else number - height + 1)
        else:
            self._go(number - height // 2)

    def _go(self, top: int) -> None:
        bottom = self.text.bottom(self.size.height)
        reading = self.found is not None or self.selection is not None
        self._top = None if top >= bottom and not reading else max(0, min(top, bottom))
        self._moved()

    def _moved(self) -> None:
        self.changed()
        self.post_message(self.Reading(self))
        top, height = self.top, self.size.height
        if self._read is not None and self.is_mounted and self.text.scrollback.lacks(top, top + height):
            self._fetch_seen()

    @work(exclusive=True, group="rows", exit_on_error=False)
    async def _fetch_seen(self) -> None:
        """Read what is looked at, and a page more on either side."""
        height = self.size.height
        await self._fetch(self.top - height, self.top + 2 * height)
        self.changed()

    async def _fetch(self, first: int, end: int) -> None:
        """Read rows of the history that are not there, between two numbers."""
        scrollback = self.text.scrollback
        for start in list(scrollback.missing(first, end)):
            if self._read is None:
                return
            try:
                rows = await self._read(start - scrollback.history, CHUNK)
            except BackendError:
                return
            # Where more was printed meanwhile, the rows are others than those that were wanted.
            if rows.first > start:
                rows = await self._read(start - rows.history, CHUNK)
            if rows.first == start:
                scrollback.keep(start, rows.lines, rows.history)

    def action_page(self, step: int) -> None:
        """Go a page up or down."""
        self.scroll_rows(step * max(1, self.size.height - 1))

    def action_edge(self, step: int) -> None:
        """Go to the oldest row, or to the end."""
        self._go(self.text.end if step > 0 else 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Read what was printed before."""
        event.stop()
        self.scroll_rows(-_WHEEL_ROWS)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go down again."""
        event.stop()
        self.scroll_rows(_WHEEL_ROWS)

    # ── searching ───────────────────────────────────────────────────────────────────────────────

    def action_search(self) -> None:
        """Ask for a text to search."""
        self.post_message(self.SearchWanted())

    def search(self, wanted: str) -> None:
        """Mark `wanted` wherever it stands, and go to where it stands last; "" ends the search."""
        self.workers.cancel_group(self, "find")
        self.found = Found(wanted) if wanted else None
        if self.found is not None:
            self._find(self.found)
        self._moved()

    @work(exclusive=True, group="find", exit_on_error=False)
    async def _find(self, found: Found) -> None:
        async for rows in find(self.text, found.wanted, self._fetch):
            first = not found.rows
            found.rows.extend(rows)
            if first and found.row is not None:
                self.show_row(found.row)
            else:
                self.post_message(self.Reading(self))
        found.done = True
        self._moved()

    def action_step(self, step: int) -> None:
        """Go to the next older or newer place of what is searched."""
        if self.found is not None and (row := self.found.move(step)) is not None:
            self.show_row(row)

    # ── copying ─────────────────────────────────────────────────────────────────────────────────

    def action_select(self) -> None:
        """Show a cursor to mark with; once it is there, mark from where it is."""
        if self.selection is None:
            row = min(self.top + self.size.height, self.text.end) - 1
            while row > self.top and not self.text.text(row).strip():
                row -= 1
            self.selection = Selection((max(0, row), 0))
        elif self.selection.anchor is None:
            self.selection = Selection(self.selection.point, self.selection.point)
        else:
            self.selection = Selection(self.selection.point)
        self.show_row(self.selection.point[0])

    def action_point(self, rows: int, cells: int) -> None:
        """Move the cursor that marks."""
        if self.selection is not None:
            row, cell = self.selection.point
            self._point(row + rows, cell + cells)

    def action_point_edge(self, step: int) -> None:
        """Move the cursor that marks to the start or the end of its row."""
        if self.selection is not None:
            row = self.selection.point[0]
            self._point(row, len(self.text.text(row).rstrip()) - 1 if step > 0 else 0)

    def _point(self, row: int, cell: int) -> None:
        anchor = self.selection.anchor if self.selection is not None else None
        row = max(0, min(row, self.text.end - 1))
        self.selection = Selection((row, max(0, min(cell, self.size.width - 1))), anchor)
        self.show_row(row)

    @work(exclusive=True, group="copy", exit_on_error=False)
    async def action_copy(self) -> None:
        """Copy what is marked."""
        selection = self.selection
        if selection is None:
            return
        # All of it may not be in memory at once.
        first, last = selection.first[0], selection.last[0]
        rows: dict[int, str] = {}
        for start in range(first, last + 1, CHUNK):
            end = min(start + CHUNK, last + 1)
            await self._fetch(start, end)
            rows |= {number: self.text.text(number) for number in range(start, end)}
        text = selection.text(lambda number: rows.get(number, ""))
        self.selection = None
        self._go(self.top)
        if text.strip():
            self.post_message(self.Copied(text))

    def action_leave(self) -> None:
        """End marking, else the search, else go to the end."""
        if self.selection is not None:
            self.selection = None
            self._go(self.top)
        elif self.found is not None:
            self.search("")
            self._go(self.top)
        else:
            self.follow()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Most keys do something of their own only while marking or searching."""
        if action in ("point", "point_edge", "copy"):
            return self.selection is not None
        if action == "step":
            return self.found is not None and self.selection is None
        if action == "leave":
            return not self.following or self.found is not None or self.selection is not None
        return True

    # ── the mouse ───────────────────────────────────────────────────────────────────────────────

    def _place(self, event: events.MouseEvent) -> tuple[int, int]:
        row = self.top + max(0, min(event.y, self.size.height - 1))
        return min(row, max(0, self.text.end - 1)), max(0, min(event.x, self.size.width - 1))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to mark, or to click a link."""
        if event.button == 1:
            self.selection = None
            self._dragging = self._place(event)
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Mark up to here; over the edge it scrolls."""
        if self._dragging is None:
            return
        place = self._place(event)
        if self.selection is None and place == self._dragging:
            return
        self.selection = Selection(place, self._dragging)
        over = min(0, event.y) or max(0, event.y - self.size.height + 1)
        self._go(self.top + over)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Copy what was marked, or follow the link."""
        if self._dragging is None:
            return
        self.release_mouse()
        row, cell = self._dragging
        self._dragging = None
        if self.selection is not None:
            self.action_copy()
            return
        first, text = self.text.printed(row)
        above = sum(len(self.text.text(each)) for each in range(first, row))
        at = above + character_at(self.text.text(row), cell)
        if here := [link for link in links(text) if link.start <= at < link.end]:
            self.post_message(self.LinkFollowed(self, here))

    def action_links(self) -> None:
        """Show the links that are on the screen."""
        shown = range(min(self.top + self.size.height, self.text.end) - 1, self.top - 1, -1)
        lines = dict(self.text.printed(row) for row in shown)
        found = {link.words: link for text in lines.values() for link in reversed(links(text))}
        self.post_message(self.LinkFollowed(self, tuple(found.values())))
