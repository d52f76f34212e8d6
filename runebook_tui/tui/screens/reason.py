"""ReasonPrompt: why a request is rejected, if the operator likes to say."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from runebook_tui.core.state import RequestState
from runebook_tui.tui import glyphs
from runebook_tui.tui.screens.together import whose
from runebook_tui.tui.text import cut_path, safe

_PATH_CELLS = 60
_REASON_LIMIT = 1000


class ReasonPrompt(ModalScreen[str | None]):
    """Ends with the reason, "" for none, or None when the operator thought better of it.

    One reason for all of `requests`; `undo` says that what they wrote is taken back, too.
    """

    BINDINGS = [Binding("escape", "back", "back", id="reason.back")]

    def __init__(self, requests: Sequence[RequestState], *, undo: bool = False) -> None:
        super().__init__()
        self._requests = requests
        self._undo = undo

    def compose(self) -> ComposeResult:
        """What is rejected, the reason, and the keys."""
        only = self._requests[0] if len(self._requests) == 1 else None
        which = f"request {only.id}" if only else f"{len(self._requests)} requests"
        word = "reject and undo" if self._undo else "reject"
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(f"{word.capitalize()} {which}")
            yield Static(_one(only) if only else safe(whose(self._requests)), id="what")
            yield Input(placeholder="reason (optional; the agent can read it)", max_length=_REASON_LIMIT)
            yield Static(
                Content.assemble(
                    ("⏎", glyphs.ACCENT),
                    f" {word} {only.id if only else f'all {len(self._requests)}'}    ",
                    ("esc", glyphs.ACCENT),
                    " back, decide nothing",
                ),
                id="keys",
            )

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip())

    def action_back(self) -> None:
        """Decide nothing."""
        self.dismiss(None)


def _one(request: RequestState) -> Content:
    paths = request.paths
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    path = cut_path(paths[0] if paths else "", _PATH_CELLS)
    return Content.assemble(safe(request.who, glyphs.STRONG), "  ", path, more)
