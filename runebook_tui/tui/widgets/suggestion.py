"""SuggestionLine: the best of what agents suggest, in a quiet line where there is room."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import var

from runebook_tui.core.suggestions import ranked
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import safe
from runebook_tui.tui.view import EMPTY, View
from runebook_tui.tui.widgets.words import Words

_WORDS_LIMIT = 160


class SuggestionLine(Words):
    """Shown only while something is suggested; it does nothing by itself."""

    view: var[View] = var(EMPTY)

    def watch_view(self, before: View, view: View) -> None:
        """Show the best open suggestion, if there is one."""
        if before is not view and before.state.suggestions is view.state.suggestions:
            return
        found = ranked(view.state.suggestions)
        self.set_class(not found, "-none")
        if found:
            more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
            self.update(
                Content.assemble(
                    (glyphs.LESSON.sign, glyphs.LESSON.style),
                    " ",
                    safe(found[0].title, limit=_WORDS_LIMIT),
                    (f"{more}; 5 shows them", glyphs.MUTED),
                )
            )
