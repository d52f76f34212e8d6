"""HelpScreen: every key, from the table of commands."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from runebook_tui.tui import commands, glyphs, modes

_KEY_CELLS = 12
_INDENT = _KEY_CELLS + 3
_WIDEST, _FRAME = 76, 8
"""The cells of the dialog, and those of its frame, padding and scrollbar."""
_LEGEND = (
    (*glyphs.ASKING[::2], "an agent asks and waits for you"),
    ("◇", glyphs.CAUTION, "a write crossed a boundary; the bytes are there already"),
    (*glyphs.MARKED[::2], "a request that you marked, to decide it with others"),
    ("●", glyphs.GOOD, "working"),
    ("◐", glyphs.ACCENT, "waiting for you: it asks something in its pane"),
    ("◒", glyphs.CAUTION, "blocked on a request"),
    ("◌", glyphs.CAUTION, "idle: its turn is over, and its tasks are not"),
    ("◑", glyphs.CAUTION, "rate-limited"),
    ("¿", glyphs.MUTED, "unknown: nobody who could know has said"),
    ("◷", glyphs.MUTED, "its call is put off"),
    ("○", glyphs.MUTED, "not started"),
    ("✓", glyphs.GOOD, "done"),
    ("✗", glyphs.BAD, "failed"),
    ("■", glyphs.CAUTION, "stopped"),
    ("‖", glyphs.MUTED, "a phase that waits at its gate"),
    (*glyphs.EDITING[::2], "a file that somebody edits now, or waits to"),
    (*glyphs.HOT[::2], "a file that changes a lot"),
    ("∞", glyphs.BUSY, "a phase that runs alongside the others"),
    (*glyphs.CRITICAL[::2], "on the critical path: what the plan takes longest for"),
)


class HelpScreen(ModalScreen[None]):
    """Closes on escape, `?` or `q`. `keys` are the person's own, by the ids of commands."""

    BINDINGS = [Binding("escape,q,question_mark", "close", "close", id="help.close")]

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """The keys by group, then the signs."""
        room = min(_WIDEST, self.app.size.width) - _FRAME - _INDENT
        with VerticalScroll(id="dialog") as dialog:
            dialog.border_title = Content("Keys")
            dialog.border_subtitle = Content("esc close")
            for group, members in commands.groups(modes.everything()):
                yield Static(Content.styled(group, glyphs.STRONG), classes="group")
                for command in members:
                    keys = commands.key_signs(self._keys.get(command.id, command.key))
                    words = command.help if keys else f"{command.word}: {command.help}"
                    yield Static(_line(keys or "^p", glyphs.ACCENT, words, room))
            yield Static(Content.styled("Signs", glyphs.STRONG), classes="group")
            for sign, style, words in _LEGEND:
                yield Static(_line(sign, style, words, room))

    def action_close(self) -> None:
        """Back to where it was opened."""
        self.dismiss(None)


def _line(key: str, style: str, words: str, room: int) -> Content:
    """A key and what it does in `room` cells; what does not fit goes on below its beginning."""
    folded = ("\n" + " " * _INDENT).join(wrap(words, max(20, room)))
    return Content.assemble((f"  {key:<{_KEY_CELLS}}", style), " ", Content(folded))
