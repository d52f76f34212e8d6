"""EventStrip and KeyBar: the last things that happened, and the keys that do something here."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.widget import Widget

from runebook_tui.core.events import Record
from runebook_tui.core.messages import MessageDelivered, MessageSent
from runebook_tui.core.sentences import sentence
from runebook_tui.core.types import ENGINE
from runebook_tui.tui import glyphs
from runebook_tui.tui.commands import key_sign
from runebook_tui.tui.text import clock, edges, safe
from runebook_tui.tui.view import EMPTY, View

_SENTENCE_LIMIT = 400
_GAP = 2
"""Cells between two keys of the bar."""


def event_line(record: Record, started_at: float | None, width: int) -> Content:
    """One event on one line: when, counted from the start of the run, and what."""
    when = clock(record.time - (record.time if started_at is None else started_at))
    return edges(
        Content.assemble((f" {when:>8}  ", glyphs.MUTED), safe(sentence(record), limit=_SENTENCE_LIMIT)),
        Content(),
        width,
    )


class EventStrip(Widget):
    """The last events, the newest at the bottom, as many as there are rows."""

    DEFAULT_CSS = "EventStrip { height: 1; }"

    view: reactive[View] = reactive(EMPTY)

    def render(self) -> Content:
        """As many events as fit, a line each."""
        width, height = self.size.width, self.size.height
        told = [record for record in self.view.recent if not _follows(record)]
        records = told[-height:] if height else []
        started = self.view.state.started_at
        return Content("\n").join([event_line(record, started, width) for record in records])


def _follows(record: Record) -> bool:
    """Whether the record only says that somebody was told of another one; the log shows it."""
    event = record.event
    return isinstance(event, MessageDelivered) or (isinstance(event, MessageSent) and event.sender == ENGINE)


class KeyBar(Widget):
    """The keys that do something here, each with its word, to press or to click.

    What does not fit is left out whole.
    """

    DEFAULT_CSS = "KeyBar { height: 1; background: $panel; }"

    keys: reactive[tuple[tuple[str, str], ...]] = reactive(())
    """Keys as people read them, each with its word; the most important first."""
    last: reactive[tuple[tuple[str, str], ...]] = reactive(())
    """Keys that are always shown, at the end."""

    def render(self) -> Content:
        """The keys that fit."""
        return Content.assemble(" ", _pairs(self.shown))

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """The keys that fit, each with its word."""
        room = self.size.width - 1
        for count in range(len(self.keys), 0, -1):
            pairs = (*self.keys[:count], *self.last)
            if _pairs(pairs).cell_length <= room:
                return pairs
        return self.last

    async def on_click(self, event: Click) -> None:
        """Do what the key does whose sign or word was clicked."""
        start = 1
        for key, word in self.shown:
            end = start + _pairs(((key, word),)).cell_length
            if start <= event.x < end:
                await self._pressed(key)
                return
            start = end + _GAP

    async def _pressed(self, sign: str) -> None:
        for key, active in self.screen.active_bindings.items():
            if key_sign(key) == sign and active.enabled:
                await self.app.run_action(active.binding.action, active.node)
                return


def _pairs(keys: Sequence[tuple[str, str]]) -> Content:
    return Content(" " * _GAP).join(
        [Content.assemble((key, glyphs.ACCENT), " ", safe(word)) for key, word in keys]
    )
