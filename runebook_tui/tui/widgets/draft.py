"""Draft: the words that the operator is about to say, and what was said before."""

from __future__ import annotations

from collections.abc import Sequence

from textual.events import Key
from textual.message import Message
from textual.widgets import TextArea

from runebook_tui.tui.bindings import bindings
from runebook_tui.tui.keys import saying


class Draft(TextArea):
    """A few lines of text: Enter says them, the arrows at the edges go through what was said before."""

    BINDINGS = bindings(saying.DRAFT)

    class Written(Message):
        """The operator wants it said."""

    def __init__(self, text: str, *, id: str | None = None) -> None:
        super().__init__(text, id=id, soft_wrap=True, show_line_numbers=False, tab_behavior="focus")
        self.earlier: Sequence[str] = ()
        """What was said before, the newest first, each once."""
        self._at = -1
        self._own = text

    def on_mount(self) -> None:
        """Write on where the text ends."""
        self.move_cursor(self.document.end)

    async def _on_key(self, event: Key) -> None:
        # A TextArea takes Enter for itself, and the arrows do nothing at its edges.
        row = self.cursor_location[0]
        edges = {"up": 0, "down": self.document.line_count - 1}
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.action_send()
        elif edges.get(event.key) == row:
            event.stop()
            event.prevent_default()
            self._go(self._at + (1 if event.key == "up" else -1))
        else:
            await super()._on_key(event)

    def action_send(self) -> None:
        """Have it said."""
        self.post_message(self.Written())

    def action_line(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    def action_old(self) -> None:
        """What was said before what is shown."""
        self._go(self._at + 1)

    def action_new(self) -> None:
        """What was said after it; at the end the operator's own words again."""
        self._go(self._at - 1)

    def _go(self, at: int) -> None:
        if not -1 <= at < len(self.earlier):
            return
        if self._at == -1:
            self._own = self.text
        self._at = at
        self.load_text(self._own if at == -1 else self.earlier[at])
        self.move_cursor(self.document.end)
