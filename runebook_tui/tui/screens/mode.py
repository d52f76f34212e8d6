"""ModeScreen: what the screens of all modes have in common: header, modes, a body, a filter, the keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from runebook_tui.core.printable import visible
from runebook_tui.tui import modes
from runebook_tui.tui.backend import Backend
from runebook_tui.tui.bindings import bindings, in_force
from runebook_tui.tui.commands import Command
from runebook_tui.tui.view import EMPTY, View
from runebook_tui.tui.widgets.header import HeaderBar
from runebook_tui.tui.widgets.modes import ModeBar
from runebook_tui.tui.widgets.strip import KeyBar


class ModeScreen(Screen[None]):
    """A mode. A subclass has `MODE`, whose commands become its bindings, `body`, `draw` and `offered`.

    `draw` is called with each new view while the screen is looked at, and once when it is again: a mode
    that nobody sees costs nothing. `now` gives unix seconds, `pulse` monotonic ones. `wanted` is what the
    filter asks for.
    """

    MODE: ClassVar[str]
    TABLE: ClassVar[tuple[Command, ...]]

    view: var[View] = var(EMPTY)
    header = getters.query_one(HeaderBar)
    key_bar = getters.query_one(KeyBar)
    filter = getters.query_one("#filter", Input)

    class Opened(Message):
        """The screen is there for the first time."""

    class Wanted(Message):
        """The operator wants the engine to do something: a verb and its fields (`Backend.send`)."""

        def __init__(self, do: str, fields: dict[str, object]) -> None:
            super().__init__()
            self.do = do
            self.fields = fields

    class PlaceWanted(Message):
        """The operator wants to edit a file at a line, counted from 1, in an agent's tree if one is named."""

        def __init__(self, path: str, line: int = 1, agent: str = "") -> None:
            super().__init__()
            self.path = path
            self.line = line
            self.agent = agent

    def __init_subclass__(cls, **more: Any) -> None:
        cls.TABLE = modes.commands_of(cls.MODE)
        cls.BINDINGS = bindings(cls.TABLE)
        super().__init_subclass__(**more)

    def __init__(self, backend: Backend, now: Callable[[], float]) -> None:
        super().__init__()
        self.backend = backend
        self.now = now
        self.pulse: Callable[[], float] = time.monotonic
        self.wanted = ""
        """What the filter asks for, in small letters; "" for everything."""
        self._stale = True

    def compose(self) -> ComposeResult:
        """Header, modes, the body, the filter where it is wanted, the keys."""
        yield HeaderBar(self.now)
        yield ModeBar(self.MODE)
        with Container(id="body"):
            yield from self.body()
        field = Input(placeholder="show only what holds …", id="filter")
        field.display = False
        yield field
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        """The widgets of the mode."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show the view as it is now, of what `wanted` leaves."""
        raise NotImplementedError

    def offered(self) -> Iterable[tuple[str, str]]:
        """The ids of commands that do something now, each with its word; the most important first."""
        return [(each.id, each.word) for each in self.TABLE if each.key]

    def on_mount(self) -> None:
        """Times go on each second."""
        self.set_interval(1.0, self.tick)
        self._fresh()
        self.post_message(self.Opened())

    def on_screen_resume(self) -> None:
        """Show what came while another mode was looked at."""
        if self._stale:
            self._fresh()

    def watch_view(self) -> None:
        """Draw, if anybody looks."""
        self._stale = True
        if self.is_mounted and self.is_current:
            self._fresh()

    def tick(self) -> None:
        """A second has gone by. Called while the screen is there; times are drawn anew."""
        if self.is_current:
            self.header.refresh()

    def offer(self) -> None:
        """Put the keys that do something now into the key bar."""
        keys = in_force(self, self.TABLE)
        self.key_bar.keys = tuple((keys[name], word) for name, word in self.offered())
        self.key_bar.last = ((keys["help"], "help"), (keys["palette"], "all commands"))

    def say(self, words: str) -> None:
        """Tell the operator why a key did nothing."""
        self.notify(words, severity="warning", markup=False, timeout=4)

    def want(self, do: str, **fields: object) -> None:
        """Have the app send something to the engine; the answer is told to the operator."""
        self.post_message(self.Wanted(do, fields))

    def matches(self, *texts: str) -> bool:
        """Whether one of the texts holds what the filter asks for."""
        return not self.wanted or any(self.wanted in text.casefold() for text in texts)

    def none(self, words: str) -> str:
        """What a list without entries says: that the filter leaves none, else `words`."""
        if not self.wanted:
            return words
        return f"nothing here holds {visible(self.wanted, 60)}: esc takes the filter away"

    def _fresh(self) -> None:
        self._stale = False
        self.header.view = self.view
        self.draw()
        self.offer()

    # ── the filter ──────────────────────────────────────────────────────────────────────────────

    def action_filter(self) -> None:
        """Type what to show."""
        self.filter.display = True
        self.filter.focus()

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        self.wanted = event.value.strip().casefold()
        self._fresh()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.filter.display = bool(self.wanted)
        self.action_focus_body()

    def action_focus_body(self) -> None:
        """Put the focus into the body."""
        for widget in self.query("#body *"):
            if widget.focusable:
                widget.focus()
                return

    def action_back(self) -> None:
        """Take the filter away, else go to the cockpit."""
        if self.filter.display:
            self.filter.value = ""
            self.filter.display = False
            self.action_focus_body()
        else:
            self.app.call_later(self.app.run_action, "app.mode('cockpit')")
