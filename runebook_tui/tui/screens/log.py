"""LogScreen: everything that happened, the newest first, read from the log page by page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from textual import getters, on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Input

from runebook_tui.core.events import Record
from runebook_tui.core.printable import visible
from runebook_tui.core.sentences import sentence
from runebook_tui.tui import commands
from runebook_tui.tui.backend import BackendError
from runebook_tui.tui.bindings import bindings
from runebook_tui.tui.view import EMPTY, View
from runebook_tui.tui.widgets.rows import Entry, Rows
from runebook_tui.tui.widgets.strip import KeyBar, event_line

PAGE = 200
LIMIT = 2_000
"""Records that are kept; beyond it the other end is dropped."""
_AHEAD = 50
"""Rows left below the selection when the next page is read."""

Events = Callable[[int | None, int], Awaitable[tuple[Record, ...]]]


class LogScreen(Screen[None]):
    """A list of events as sentences; grows while it is looked at, and pages backwards.

    It begins at record `at`, from which on it looks back, or at the newest.
    """

    BINDINGS = bindings(commands.LOG)
    AUTO_FOCUS = "Rows"

    view: var[View] = var(EMPTY)
    rows = getters.query_one(Rows)
    filter = getters.query_one(Input)

    def __init__(self, events: Events, *, at: int | None = None) -> None:
        super().__init__()
        self._events = events
        self._records: list[Record] = []
        self._complete = False
        """Whether the oldest record has been read."""
        self._at = at
        self._live = at is None
        """Whether the newest records are among those kept."""
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """The list, the filter, the keys."""
        rows = Rows(
            empty="nothing has happened yet: what agents, the engine and you do is told here", id="events"
        )
        rows.border_title = Content("Log")
        yield rows
        yield Input(placeholder="show only what holds …", id="filter")
        bar = KeyBar()
        bar.keys = tuple((commands.key_sign(each.key), each.word) for each in commands.LOG)
        yield bar

    def on_mount(self) -> None:
        """Read the first page."""
        self.filter.display = False
        self._read()

    def watch_view(self) -> None:
        """Put what is new on top."""
        if not self.is_mounted:
            return
        self.rows.redraw()
        if not self._live or not self._records:
            return
        newest = self._records[0].seq
        fresh = [record for record in self.view.recent if record.seq > newest]
        if not fresh:
            return
        if fresh[0].seq != newest + 1:
            self._records, self._complete = [], False
            self._read()
            return
        self._records = [*reversed(fresh), *self._records][:LIMIT]
        self._show()

    @work(exclusive=True, group="log")
    async def _read(self) -> None:
        """Read pages until there is enough to show, or all."""
        while not self._complete:
            first = None if self._at is None else self._at + 1
            before = self._records[-1].seq if self._records else first
            try:
                page = await self._events(before, PAGE)
            except BackendError as error:
                self.notify(visible(str(error)), severity="error", markup=False)
                return
            self._complete = len(page) < PAGE
            self._records += page
            if len(self._records) > LIMIT and not self._wanted:
                self._records, self._live = self._records[-LIMIT:], False
            self._show()
            if self._enough():
                return

    def _enough(self) -> bool:
        if self._wanted and len(self._records) >= LIMIT:
            return True
        entries = self.rows.entries
        position = next((at for at, entry in enumerate(entries) if entry.key == self.rows.selected), 0)
        return len(entries) - position > _AHEAD

    def _show(self) -> None:
        wanted = self._wanted.casefold()
        shown = self._records
        if wanted:
            shown = [each for each in self._records if wanted in visible(sentence(each)).casefold()]
        self.rows.show([Entry(record.seq, 1, partial(self._draw, record)) for record in shown])
        count = f"{len(shown)} of the newest {len(self._records)}" if wanted else f"{len(shown)}"
        everything = "" if self._complete else ", more below"
        self.rows.border_subtitle = Content(f"{count} events{everything}")

    @on(Rows.Moved)
    def _moved(self) -> None:
        if self._complete or self._enough():
            return
        self._read()

    def action_filter(self) -> None:
        """Type what to show."""
        self.filter.display = True
        self.filter.focus()

    @on(Input.Changed)
    def _filter_changed(self, event: Input.Changed) -> None:
        self._wanted = event.value
        self._show()
        self._read()

    @on(Input.Submitted)
    def _filter_done(self) -> None:
        self.rows.focus()

    def action_close(self) -> None:
        """Take the filter away, else go back."""
        if self.filter.display:
            self.filter.value = ""
            self.filter.display = False
            self.rows.focus()
        else:
            self.dismiss(None)

    def _draw(self, record: Record, width: int) -> list[Content]:
        return [event_line(record, self.view.state.started_at, width)]
