"""LaneChart: phases and agents as lanes over time, with marks for what happened; drawn line by line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import log2

from rich.segment import Segment
from textual.content import Content
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from runebook_tui.core.chronicle import Cell, Chronicle, Doing, Kind, Lane, Moment
from runebook_tui.core.types import OPERATOR
from runebook_tui.core.window import Window
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import clock, cut
from runebook_tui.tui.widgets.lineview import LineView

BARS = {
    Doing.NOTHING: (" ", glyphs.MUTED),
    Doing.STOPPED: ("╌", glyphs.CAUTION),
    Doing.DONE: ("─", glyphs.MUTED),
    Doing.WAITING: ("░", glyphs.CAUTION),
    Doing.WORKING: ("▃", glyphs.GOOD),
    Doing.FAILED: ("╳", glyphs.BAD),
    Doing.ASKING: ("▒", glyphs.ACCENT),
}
"""The sign and colour of each state."""
_WRITING = "▄▅▆▇█"
"""The higher, the more was written."""
MARKS = {
    Kind.TASK: ("+", glyphs.STRONG),
    Kind.MESSAGE: ("»", glyphs.BUSY),
    Kind.STATUS: ("|", glyphs.STRONG),
    Kind.PUBLISHED: ("★", glyphs.BUSY),
    Kind.REQUEST: glyphs.ASKING[::2],
    Kind.FAILURE: ("⊗", glyphs.BAD),
}
_DECISIONS = {True: ("✓", glyphs.GOOD), False: ("✗", glyphs.BAD), None: ("○", glyphs.MUTED)}
_SHADE = "on $foreground 15%"
_NAMES = 18
_NAMES_NARROW = 11
_NARROW = 90
_TICK_CELLS = 14


class LaneChart(LineView, can_focus=True, inherit_bindings=False):
    """A row for the time, and one a lane. It draws only the lanes that can be seen, each once.

    `shade` is a stretch of time, unix seconds, behind which a shade lies; `began` is what times count from.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = "LaneChart { scrollbar-size-vertical: 1; overflow-x: hidden; }"

    class Picked(Message):
        """A place was clicked: a lane and a moment, unix seconds."""

        def __init__(self, lane: str, time: float) -> None:
            super().__init__()
            self.lane = lane
            self.time = time

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lanes: Sequence[Lane] = ()
        self._window = Window(0.0, 1.0)
        self._kinds: Sequence[Kind] = tuple(Kind)
        self._cursor: Moment | None = None
        self._shade: tuple[float, float] | None = None
        self._began = 0.0
        self._strips: dict[int, Strip] = {}

    def show(
        self,
        chronicle: Chronicle,
        lanes: Sequence[str],
        window: Window,
        kinds: Sequence[Kind],
        *,
        cursor: Moment | None,
        shade: tuple[float, float] | None,
        began: float,
    ) -> None:
        """Show `lanes` of the chronicle in the window, with marks of `kinds`."""
        fresh = [chronicle.lanes[name] for name in lanes]
        moved = cursor is not self._cursor
        self._lanes, self._window, self._kinds = fresh, window, kinds
        self._cursor, self._shade, self._began = cursor, shade, began
        self._strips.clear()
        self.virtual_size = Size(0, len(fresh) + 1)
        if moved and cursor is not None and cursor.lane in lanes:
            self.scroll_to_region(
                Region(0, lanes.index(cursor.lane), 1, 2), animate=False, force=True, x_axis=False
            )
        self.repaint()

    def look(self, y: int) -> Strip:
        """The time, or one lane."""
        width = self.scrollable_content_region.width
        at = y - 1 + self.scroll_offset.y if y else -1
        if at >= len(self._lanes):
            return self._strip(Content(), width)
        strip = self._strips.get(at)
        if strip is None:
            line = self._axis(width) if at < 0 else self._lane(self._lanes[at], width)
            strip = self._strips[at] = self._strip(line, width)
        return strip

    def notify_style_update(self) -> None:
        """Forget the drawn lines, whose colours have changed."""
        self._strips.clear()
        super().notify_style_update()

    def on_resize(self, event: Resize) -> None:
        """Draw for the new width."""
        self._strips.clear()

    def on_click(self, event: Click) -> None:
        """Say what was clicked."""
        offset = event.get_content_offset(self)
        names = self._names(self.scrollable_content_region.width)
        if offset is None or not offset.y or offset.x < names:
            return
        at = offset.y - 1 + self.scroll_offset.y
        if at < len(self._lanes):
            width = max(1, self.scrollable_content_region.width - names)
            share = (offset.x - names + 0.5) / width
            time = self._window.start + share * self._window.span
            self.post_message(self.Picked(self._lanes[at].id, time))

    @staticmethod
    def _names(width: int) -> int:
        return _NAMES_NARROW if width < _NARROW else _NAMES

    def _axis(self, width: int) -> Content:
        """The times, from the start of the run, and where the cursor is."""
        names, window = self._names(width), self._window
        room = max(1, width - names)
        line = [" "] * room
        free = 0
        for tick in window.ticks(max(1, room // _TICK_CELLS)):
            at = self._column(window.first + tick, room)
            words = clock(window.first + tick - self._began)
            if free <= at and at + len(words) + 1 <= room:
                line[at : at + len(words) + 1] = [*"╷", *words]
                free = at + len(words) + 2
        axis = Content.styled("".join(line)[:room], glyphs.MUTED)
        if self._cursor is not None and window.holds(self._cursor.time):
            at = self._column(self._cursor.time, room)
            axis = Content.assemble(axis[:at], ("▼", glyphs.ACCENT), axis[at + 1 :])
        return Content.assemble(" " * names, axis)

    def _column(self, time: float, room: int) -> int:
        share = (time - self._window.start) / self._window.span
        return min(max(0, int(share * room)), room - 1)

    def _lane(self, lane: Lane, width: int) -> Content:
        names, window = self._names(width), self._window
        room = max(1, width - names)
        label, style = _label(lane.id)
        drawn = [_drawn(cell) for cell in lane.cells(window.start, window.end, room, self._kinds)]
        # What lasts still does so until now, and not into what is to come.
        if self._shade is not None and self._shade[1] > window.start and self._shade[0] < window.end:
            first, last = (self._column(each, room) for each in self._shade)
            drawn[first : last + 1] = [(sign, f"{how} {_SHADE}") for sign, how in drawn[first : last + 1]]
        cursor = self._cursor
        if cursor is not None and cursor.lane == lane.id and window.holds(cursor.time):
            at = self._column(cursor.time, room)
            drawn[at] = (drawn[at][0], f"{drawn[at][1]} reverse")
        runs = [
            ("".join(sign for sign, _ in run), how) for how, run in groupby(drawn, key=lambda each: each[1])
        ]
        return Content.assemble((f" {cut(label, names - 2):<{names - 2}} ", style), *runs)

    def _strip(self, line: Content, width: int) -> Strip:
        base = self.visual_style
        drawn = line.render(base, end="", parse_style=self.app.stylesheet.parse_style)
        segments = [Segment(text, (base + style).rich_style) for text, style in drawn]
        return Strip(segments).adjust_cell_length(width, base.rich_style)


def _label(lane: str) -> tuple[str, str]:
    """A lane's name as people read it, and its style: phases are set off."""
    if lane.startswith("phase "):
        return lane.removeprefix("phase "), glyphs.STRONG
    return ("you" if lane == OPERATOR else lane), ""


def _drawn(cell: Cell) -> tuple[str, str]:
    """The sign of a column and its colour: a mark, else how much was written, else what the lane does."""
    if cell.mark is not None:
        if cell.mark.kind is Kind.DECISION:
            return _DECISIONS[cell.mark.good]
        return MARKS[cell.mark.kind]
    sign, style = BARS[cell.doing]
    if cell.writes and cell.doing not in (Doing.ASKING, Doing.FAILED):
        return _WRITING[min(len(_WRITING) - 1, int(log2(cell.writes)))], style
    return sign, style
