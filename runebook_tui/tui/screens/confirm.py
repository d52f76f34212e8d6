"""ConfirmScreen: asks before something that cannot be taken back."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from runebook_tui.tui import glyphs
from runebook_tui.tui.text import safe


class ConfirmScreen(ModalScreen[bool]):
    """Ends with whether the operator means it. `yes` and `no` are the words of the two keys."""

    BINDINGS = [
        Binding("y", "answer(True)", "yes", id="confirm.yes"),
        Binding("escape,n", "answer(False)", "no", id="confirm.no"),
    ]

    def __init__(self, title: str, words: str, *, yes: str, no: str) -> None:
        super().__init__()
        self._words = (title, words, yes, no)

    def compose(self) -> ComposeResult:
        """The question, and both keys with their words."""
        title, words, yes, no = self._words
        with Vertical(id="dialog") as dialog:
            dialog.border_title = safe(title)
            yield Static(safe(words), id="what")
            yield Static(
                Content.assemble(
                    ("y", glyphs.ACCENT), " ", safe(yes), "    ", ("esc", glyphs.ACCENT), " ", safe(no)
                ),
                id="keys",
            )

    def action_answer(self, yes: bool) -> None:
        """End with the answer."""
        self.dismiss(yes)
