"""PatchScreen: a change of the plan's file as a diff, before it is made."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from runebook_tui.tui import commands, glyphs
from runebook_tui.tui.text import safe
from runebook_tui.tui.widgets.diff import DiffView

_WORDS_SHOWN = 6
_WORD_LIMIT = 500


class PatchScreen(ModalScreen[str]):
    """Ends with "accept", "dismiss" or "". `words` say why, a line each; `yes` and `no` what the keys do.

    `never`: what the key `d` does; "" where it does nothing.
    """

    BINDINGS = commands.bindings(commands.PATCH)
    AUTO_FOCUS = "DiffView"

    def __init__(
        self, title: str, words: Sequence[str], patch: str, *, yes: str, no: str, never: str = ""
    ) -> None:
        super().__init__()
        self._title, self._words, self._patch = title, words, patch
        self._keys = {"patch.accept": yes, "patch.dismiss": never, "patch.close": no}

    def compose(self) -> ComposeResult:
        """What it does in words, the patch, the keys."""
        lines = [safe(each, limit=_WORD_LIMIT) for each in self._words[:_WORDS_SHOWN]]
        keys = [
            Content.assemble((commands.key_sign(each.key), glyphs.ACCENT), " ", safe(word))
            for each in commands.PATCH
            if (word := self._keys[each.id])
        ]
        with Vertical(id="patch") as box:
            box.border_title = safe(self._title)
            yield Static(Content("\n").join(lines), id="what")
            yield DiffView(id="diff")
            yield Static(Content("    ").join(keys), id="keys")

    def on_mount(self) -> None:
        """Show the patch."""
        self.query_one(DiffView).show_diff(self._patch, [] if self._patch else ["nothing would change"])

    def action_accept(self) -> None:
        """The plan is to be changed so."""
        self.dismiss("accept")

    def action_never(self) -> None:
        """The patch is not to be suggested again."""
        if self._keys["patch.dismiss"]:
            self.dismiss("dismiss")

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss("")
