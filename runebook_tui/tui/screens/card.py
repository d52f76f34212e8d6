"""CardScreen: one request over everything else, until it is answered or closed."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.events import Key
from textual.reactive import var
from textual.screen import ModalScreen

from runebook_tui.core.state import RequestState
from runebook_tui.tui import commands
from runebook_tui.tui.backend import Backend
from runebook_tui.tui.bindings import bindings
from runebook_tui.tui.screens.sheet_keys import SheetKeys
from runebook_tui.tui.verdict import Verdict
from runebook_tui.tui.view import EMPTY, View
from runebook_tui.tui.widgets.sheet import RequestSheet


class CardScreen(SheetKeys, ModalScreen[Verdict | None]):
    """Ends with the operator's answer, or None. `now` gives unix seconds."""

    BINDINGS = bindings(commands.CARD)
    AUTO_FOCUS = "DiffView"

    view: var[View] = var(EMPTY)

    def __init__(self, request: RequestState, now: Callable[[], float], backend: Backend) -> None:
        super().__init__()
        self._request = request
        self.sheet = RequestSheet(backend, now, _ended, id="card")

    def compose(self) -> ComposeResult:
        """The sheet."""
        yield self.sheet.data_bind(CardScreen.view)

    def on_mount(self) -> None:
        """Show the request."""
        self.sheet.show(self._request)

    def watch_view(self) -> None:
        """Nothing on a card that is over takes a key but to close it."""
        self.call_after_refresh(self._rest)

    def _rest(self) -> None:
        if self.sheet.over:
            self.sheet.diff_view.can_focus = False
            self.set_focus(None)

    @on(RequestSheet.Answered)
    def _answered(self, event: RequestSheet.Answered) -> None:
        event.stop()
        self.dismiss(event.verdict)

    def on_key(self, event: Key) -> None:
        """Any key closes a card whose request was decided elsewhere."""
        if self.sheet.over:
            event.stop()
            self.dismiss(None)

    def action_close(self) -> None:
        """Decide nothing."""
        self.dismiss(None)

    def deciding(self) -> RequestSheet | None:
        """The sheet; a card that is over is closed instead."""
        if self.sheet.over:
            self.dismiss(None)
            return None
        return self.sheet

    def action_earlier(self) -> None:
        """Show earlier decisions in the place of the diff, or the diff again."""
        if sheet := self.deciding():
            sheet.earlier()


def _ended(request: RequestState) -> tuple[str, str]:
    because = f": {request.answer}" if request.answer else ""
    return f"request {request.id} was {request.status} elsewhere{because}", "any key closes"
