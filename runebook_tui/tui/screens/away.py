"""AwayScreen: what happened while the operator was away, on one screen."""

from __future__ import annotations

import time
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from runebook_tui.tui import glyphs
from runebook_tui.tui.text import age, safe

_SCROLLS = ("up", "down", "pageup", "pagedown", "home", "end", "j", "k", "space")
_LINE_LIMIT = 400


class _Lines(VerticalScroll):
    """What happened; the letters of lists scroll it, too."""

    BINDINGS = [
        Binding("j", "scroll_down", "down", show=False),
        Binding("k", "scroll_up", "up", show=False),
        Binding("space", "page_down", "page down", show=False),
    ]


class AwayScreen(ModalScreen[None]):
    """Any key closes it. Times are unix seconds; `since` is 0 where the operator never looked before."""

    AUTO_FOCUS = "#lines"

    def __init__(self, words: Sequence[str], since: float, now: float) -> None:
        super().__init__()
        self._words, self._since, self._now = words, since, now

    def compose(self) -> ComposeResult:
        """For how long, and what happened, a line each."""
        lines = [safe(each, limit=_LINE_LIMIT) for each in self._words]
        nothing = Content.styled("nothing happened", glyphs.MUTED)
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content("While you were away")
            yield Static(Content.styled(self._span(), glyphs.MUTED), id="what")
            with _Lines(id="lines"):
                yield Static(Content("\n").join(lines) if lines else nothing)
            yield Static(
                Content.styled("↑ ↓ scroll; any other key closes; W shows it again", glyphs.MUTED), id="keys"
            )

    def _span(self) -> str:
        if not self._since:
            return "since the beginning"
        long_ago = self._now - self._since > 86_400
        form = "%Y-%m-%d %H:%M" if long_ago else "%H:%M"
        at = time.strftime(form, time.localtime(self._since))
        return f"for {age(self._now - self._since)}, since {at}"

    def on_key(self, event: Key) -> None:
        """Scroll, or close."""
        if event.key not in _SCROLLS:
            event.stop()
            self.dismiss(None)
