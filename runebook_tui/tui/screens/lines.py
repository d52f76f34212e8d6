"""LinesScreen: who wrote each line of a file as it is now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from textual import getters, work
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from runebook_tui.core.printable import visible
from runebook_tui.core.story import WrittenLine
from runebook_tui.tui import commands, glyphs
from runebook_tui.tui.backend import Backend, BackendError
from runebook_tui.tui.bindings import bindings
from runebook_tui.tui.text import age, cut, cut_path, safe
from runebook_tui.tui.widgets.rows import Entry, Rows
from runebook_tui.tui.widgets.strip import KeyBar

_WHO = 16
_TAB = 4
_PATH_CELLS = 60


class LinesScreen(Screen[None]):
    """The lines of one file, each with its author and how long ago. `now` gives unix seconds."""

    BINDINGS = bindings(commands.LINES)
    AUTO_FOCUS = "Rows"

    rows = getters.query_one(Rows)

    def __init__(self, path: str, backend: Backend, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._path = path
        self._backend = backend
        self._now = now

    def compose(self) -> ComposeResult:
        """The lines and the keys."""
        rows = Rows(empty="reading the file …", id="lines")
        rows.border_title = Content(f"Who wrote {cut_path(self._path, _PATH_CELLS)}")
        yield rows
        bar = KeyBar()
        bar.keys = tuple((commands.key_sign(each.key), each.word) for each in commands.LINES)
        yield bar

    def on_mount(self) -> None:
        """Read the lines."""
        self._read()

    @work(exclusive=True, group="lines")
    async def _read(self) -> None:
        try:
            lines = await self._backend.lines(self._path)
        except BackendError as error:
            words = Content(visible(f"its lines are not told: {error}"))
            self.rows.show([Entry("", 1, lambda width: [words], selectable=False)])
            return
        self._show(lines)

    def _show(self, lines: Sequence[WrittenLine]) -> None:
        digits = len(str(len(lines)))
        self.rows.show(
            [
                Entry(number, 1, partial(self._draw, line, f"{number:>{digits}}"))
                for number, line in enumerate(lines, 1)
            ]
        )
        self.rows.border_subtitle = Content(f"{len(lines):,} lines")

    def action_close(self) -> None:
        """Back to the files."""
        self.dismiss(None)

    def _draw(self, line: WrittenLine, number: str, width: int) -> list[Content]:
        when = "" if line.time is None else age(self._now() - line.time)
        head = Content.assemble(
            safe(f"{cut(line.who, _WHO):<{_WHO}}", glyphs.BUSY if line.time is not None else glyphs.MUTED),
            (f" {when:>8}  {number}  ", glyphs.MUTED),
        )
        text = cut(line.text.removesuffix("\r").expandtabs(_TAB), max(0, width - head.cell_length))
        return [Content.assemble(head, text)]
