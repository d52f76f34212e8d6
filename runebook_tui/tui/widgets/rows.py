"""Rows: a column of entries of a line or more each, one of them selected."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from itertools import accumulate, chain
from textwrap import wrap
from typing import Generic, NamedTuple, TypeVar, overload

from rich.segment import Segment
from textual.content import Content
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from runebook_tui.tui import commands, glyphs
from runebook_tui.tui.bindings import bindings
from runebook_tui.tui.widgets.lineview import LineView

T = TypeVar("T")


class Entry(NamedTuple):
    """One entry: what it is, how many lines it takes, and how to draw them in a width of cells."""

    key: Hashable
    height: int
    draw: Callable[[int], Sequence[Content]]
    selectable: bool = True


class Lines(Sequence[Entry], Generic[T]):
    """Entries of one line each, one of each thing, made when they are looked at."""

    def __init__(self, things: Sequence[T], entry: Callable[[T], Entry]) -> None:
        self._things = things
        self._entry = entry

    def __len__(self) -> int:
        return len(self._things)

    @overload
    def __getitem__(self, at: int) -> Entry: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Entry]: ...

    def __getitem__(self, at: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(at, slice):
            return Lines(self._things[at], self._entry)
        return self._entry(self._things[at])


class Rows(LineView, can_focus=True):
    """Draws only the entries that can be seen, and keeps its selection while entries come and go."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"rows--selected"}
    BINDINGS = bindings(commands.ROWS)
    DEFAULT_CSS = """
    Rows {
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
    }
    Rows > .rows--selected { background: $row-blurred; }
    Rows:focus > .rows--selected { background: $row-selected; }
    """

    class Moved(Message):
        """Another entry became the selected one."""

        def __init__(self, rows: Rows) -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> Rows:
            """The rows that it happened in."""
            return self.rows

    def __init__(self, *, empty: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self.by_hand = False
        """Whether the operator chose the selected entry, rather than it coming up by itself."""
        self.empty = empty
        """What is said where there are no entries."""
        self._entries: Sequence[Entry] = ()
        self._offsets: list[int] = []
        self._index: int | None = None
        self._spot: tuple[Hashable | None, int] | None = None
        self._strips: dict[int, list[Strip]] = {}

    @property
    def entries(self) -> Sequence[Entry]:
        """What is shown."""
        return self._entries

    @property
    def selected(self) -> Hashable | None:
        """The key of the selected entry, or None."""
        return None if self._index is None else self._entries[self._index].key

    def show(self, entries: Sequence[Entry]) -> None:
        """Show `entries`; the selection stays on its key, else goes to what took its place."""
        key, index = self.selected, self._index
        self._entries = entries
        if isinstance(entries, Lines):
            *self._offsets, total = range(len(entries) + 1)
        else:
            *self._offsets, total = accumulate((entry.height for entry in entries), initial=0)
        self._index = self._find(key, index)
        self.virtual_size = Size(0, total)
        self.redraw()
        if self.selected != key:
            self.by_hand = False
            self._selection_moved()
        self._find_spot()

    def redraw(self) -> None:
        """Draw what can be seen anew: a time in it has gone on."""
        self._strips.clear()
        self.repaint()

    def come_to(self, key: Hashable | None, top: int) -> None:
        """Select the entry of that key, and have `top` as the first line in sight, once it is there.

        Whoever moves by hand before that stays there.
        """
        self._spot = (key, top)
        self._find_spot()

    def _find_spot(self) -> None:
        if self._spot is None:
            return
        key, top = self._spot
        if self._entries and (key is None or any(entry.key == key for entry in self._entries)):
            self._spot = None
            self.select(key)
            self.call_after_refresh(self.scroll_to, y=top, animate=False, force=True)

    def select(self, key: Hashable, *, by_hand: bool = False) -> None:
        """Select the entry of that key; nothing happens when there is none."""
        if (at := self._at(key, self._index or 0)) is not None:
            self._go(at, by_hand)

    def action_move(self, step: int) -> None:
        """Select the next selectable entry in a direction; without one, scroll."""
        index = -1 if self._index is None else self._index
        index += step
        while 0 <= index < len(self._entries):
            if self._entries[index].selectable:
                self._go(index, by_hand=True)
                return
            index += step
        self.scroll_relative(y=step, animate=False)

    def action_page(self, direction: int) -> None:
        """Select the entry a page away."""
        if self._index is None:
            self.scroll_relative(y=direction * max(1, self.size.height - 1), animate=False)
            return
        line = self._offsets[self._index] + direction * max(1, self.size.height - 1)
        index = min(max(0, bisect_right(self._offsets, line) - 1), len(self._entries) - 1)
        self._go_near(index, direction)

    def action_edge(self, direction: int) -> None:
        """Select the first or the last entry."""
        if self._index is None:
            self.scroll_to(y=0 if direction < 0 else self.max_scroll_y, animate=False)
        else:
            self._go_near(0 if direction < 0 else len(self._entries) - 1, direction)

    def look(self, y: int) -> Strip:
        """One line of the entry that is there."""
        width = self.scrollable_content_region.width
        line = y + self.scroll_offset.y
        index = bisect_right(self._offsets, line) - 1
        if index < 0 or line >= self._offsets[index] + self._entries[index].height:
            words = [] if self._entries else wrap(self.empty, max(1, width - 2))
            text = Content.styled(f" {words[y]}", glyphs.MUTED) if y < len(words) else Content()
            return self._strip(text, width, selected=False)
        strips = self._strips.get(index)
        if strips is None:
            strips = self._strips[index] = self._draw(index, width)
        return strips[line - self._offsets[index]]

    def notify_style_update(self) -> None:
        """Forget the drawn lines, whose colours have changed."""
        self._strips.clear()
        super().notify_style_update()

    def on_resize(self, event: Resize) -> None:
        """Draw for the new width, and keep the selection in sight."""
        self._strips.clear()
        self._reveal()

    def on_focus(self) -> None:
        """The selection is drawn differently with the focus."""
        self.redraw()

    def on_blur(self) -> None:
        """The selection is drawn differently without the focus."""
        self.redraw()

    def on_click(self, event: Click) -> None:
        """Select what was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = bisect_right(self._offsets, offset.y + self.scroll_offset.y) - 1
        if 0 <= index < len(self._entries) and self._entries[index].selectable:
            self._go(index, by_hand=True)

    def is_selected(self, y: int) -> bool:
        """Whether the selected entry is drawn at row `y` of the widget."""
        line = y + self.scroll_offset.y
        return self._index is not None and (
            self._offsets[self._index]
            <= line
            < self._offsets[self._index] + self._entries[self._index].height
        )

    def in_sight(self) -> tuple[Hashable, ...]:
        """The keys of the entries that can be seen from their first to their last line."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        pairs = zip(self._offsets, self._entries, strict=True)
        return tuple(
            entry.key for first, entry in pairs if top <= first and first + entry.height <= top + height
        )

    def _draw(self, index: int, width: int) -> list[Strip]:
        entry = self._entries[index]
        lines = list(entry.draw(max(0, width - 1)))[: entry.height]
        lines += [Content()] * (entry.height - len(lines))
        selected = index == self._index
        mark = Content("▌" if selected else " ")
        if selected:
            mark = mark.stylize("$text-primary" if self.has_focus else glyphs.MUTED)
        return [self._strip(Content.assemble(mark, line), width, selected=selected) for line in lines]

    def _strip(self, line: Content, width: int, *, selected: bool) -> Strip:
        base = self.get_visual_style("rows--selected") if selected else self.visual_style
        drawn = line.render(base, end="", parse_style=self.app.stylesheet.parse_style)
        segments = [Segment(text, (base + style).rich_style) for text, style in drawn]
        return Strip(segments).adjust_cell_length(width, base.rich_style)

    def _find(self, key: Hashable | None, index: int | None) -> int | None:
        """Where `key` is now, else the selectable entry nearest to `index`, rather below it than above."""
        end = len(self._entries)
        here = min(index or 0, end)
        if key is not None and (found := self._at(key, here)) is not None:
            return found
        near = chain(range(here, end), range(here - 1, -1, -1))
        return next((at for at in near if self._entries[at].selectable), None)

    def _at(self, key: Hashable, about: int) -> int | None:
        """Where the selectable entry of that key is, which is looked for from `about` to both sides."""
        entries, end = self._entries, len(self._entries)
        for step in range(max(about + 1, end - about)):
            for at in (about + step, about - step):
                if 0 <= at < end and entries[at].selectable and entries[at].key == key:
                    return at
        return None

    def _go_near(self, index: int, direction: int) -> None:
        for step in (direction, -direction):
            at = index
            while 0 <= at < len(self._entries):
                if self._entries[at].selectable:
                    self._go(at, by_hand=True)
                    return
                at += step

    def _go(self, index: int, by_hand: bool) -> None:
        if by_hand:
            self._spot = None
        if index != self._index:
            for changed in (self._index, index):
                if changed is not None:
                    self._strips.pop(changed, None)
            self._index = index
            self.by_hand = by_hand
            self.repaint()
            self._selection_moved()

    def _selection_moved(self) -> None:
        self._reveal()
        self.post_message(self.Moved(self))

    def _reveal(self) -> None:
        if self._index is None:
            return
        top = self._offsets[self._index]
        # What stands right above and cannot be selected is its heading.
        if self._index and not self._entries[self._index - 1].selectable:
            top = self._offsets[self._index - 1]
        end = self._offsets[self._index] + self._entries[self._index].height
        region = Region(0, top, 1, min(end - top, max(1, self.size.height)))
        self.scroll_to_region(region, animate=False, force=True, x_axis=False)
