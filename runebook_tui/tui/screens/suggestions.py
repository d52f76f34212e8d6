"""SuggestionsScreen: what agents suggest, the best first, with why; a key takes or dismisses one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual import getters, on
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from runebook_tui.core.suggested import Suggestion
from runebook_tui.core.suggestions import ranked
from runebook_tui.tui import glyphs
from runebook_tui.tui.screens.mode import ModeScreen
from runebook_tui.tui.text import age, cut, edges, safe
from runebook_tui.tui.widgets.rows import Entry, Rows
from runebook_tui.tui.widgets.words import Words, entitle

_STYLES = {"high": glyphs.BAD, "normal": glyphs.CAUTION, "low": glyphs.MUTED}
_TEXT_LIMIT = 8_000
_EMPTY = "nothing is suggested: when a command fails, the analysis agent says here what would help"


class SuggestionsScreen(ModeScreen):
    """A list, and beside it the selected suggestion whole."""

    MODE = "suggestions"
    AUTO_FOCUS = "Rows"

    rows = getters.query_one(Rows)
    whole = getters.query_one("#whole", Words)
    _old = False

    class RecordWanted(Message):
        """The operator wants to see a record in the log."""

        def __init__(self, seq: int) -> None:
            super().__init__()
            self.seq = seq

    def body(self) -> Iterable[Widget]:
        """The list and the selected one."""
        rows = Rows(empty=_EMPTY, id="list")
        whole = VerticalScroll(Words(id="whole"), id="beside")
        whole.can_focus = False
        yield Horizontal(rows, whole)

    @property
    def selected(self) -> Suggestion | None:
        """The selected suggestion."""
        return next((each for each in self.view.state.suggestions if each.id == self.rows.selected), None)

    def draw(self) -> None:
        """The open ones, the best first; below them the closed ones, where they are wanted."""
        kept = self.view.state.suggestions
        over = tuple(each for each in reversed(kept) if not each.open) if self._old else ()
        shown = [
            each
            for each in (*ranked(kept), *over)
            if self.matches(each.title, each.words, each.snippet, each.agent, each.provenance.file)
        ]
        self.rows.empty = self.none(_EMPTY)
        self.rows.show([Entry(each.id, 2, partial(self._lines, each)) for each in shown])
        entitle(self.rows, Content(f"Suggestions · {sum(each.open for each in shown)}"))
        self._show_selected()

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._show_selected()
        self.offer()

    def tick(self) -> None:
        """Ages go on."""
        super().tick()
        if self.is_current:
            self.rows.redraw()

    def offered(self) -> Iterable[tuple[str, str]]:
        """Take and dismiss where one is selected that is open."""
        if (one := self.selected) is not None and one.open and self.view.engine_alive:
            yield "suggestion.take", "copy and close" if one.snippet else "close as done"
            yield "suggestion.dismiss", "dismiss"
        if one is not None and one.provenance.file:
            yield "suggestion.file", "edit the file"
        if one is not None and one.provenance.command is not None:
            yield "suggestion.cause", "what failed"
        yield "suggestion.old", "without closed ones" if self._old else "with closed ones"
        yield "mode.filter", "filter"
        yield "mode.back", "back"

    def action_take(self) -> None:
        """Copy the snippet, and mark the suggestion as taken."""
        if (one := self._open_one()) is not None:
            if one.snippet:
                self.app.copy_to_clipboard(one.snippet)
            self.want("suggestion-apply", suggestion=one.id)

    def action_drop(self) -> None:
        """Dismiss the selected suggestion."""
        if (one := self._open_one()) is not None:
            self.want("suggestion-dismiss", suggestion=one.id)

    def action_file(self) -> None:
        """Open the file that the selected suggestion is about, at its line."""
        if (one := self.selected) is None or not (where := one.provenance).file:
            self.say("the selected suggestion is about no file")
        else:
            self.post_message(self.PlaceWanted(where.file, where.line or 1, where.agent))

    def action_cause(self) -> None:
        """Show what failed, among all that happened."""
        if (one := self.selected) is None or one.provenance.command is None:
            self.say("the selected suggestion comes from no failure")
        else:
            self.post_message(self.RecordWanted(one.provenance.command))

    def action_old(self) -> None:
        """Show the closed ones, too, or no more."""
        self._old = not self._old
        self.draw()
        self.offer()

    def _open_one(self) -> Suggestion | None:
        one = self.selected
        if one is None or not one.open:
            self.say("no open suggestion is selected")
            return None
        return one

    def _lines(self, one: Suggestion, width: int) -> list[Content]:
        style = _STYLES[one.priority] if one.open else glyphs.MUTED
        times = f"×{one.count}  " if one.count > 1 else ""
        right = Content.styled(f"{times}{age(self.now() - one.time)}", glyphs.MUTED)
        title = Content.assemble((glyphs.LESSON.sign, style), " ", safe(cut(one.title, 200), glyphs.STRONG))
        whose = f" of {one.provenance.agent}" if one.provenance.agent else ""
        below = f"  {one.kind} · {one.agent}{whose} · {one.confidence:.0%}" + (
            "" if one.open else f" · {one.status}"
        )
        return [edges(title, right, width), edges(safe(below, glyphs.MUTED), Content(), width)]

    def _show_selected(self) -> None:
        one = self.selected
        if one is None:
            self.whole.update(Content())
            return
        where = one.provenance
        parts = [safe(one.title, glyphs.STRONG), safe(one.words, limit=_TEXT_LIMIT)]
        if one.snippet:
            parts.append(
                Content.assemble(
                    ("to copy; nothing is run by itself\n", glyphs.MUTED),
                    safe(one.snippet, glyphs.GOOD, limit=_TEXT_LIMIT),
                )
            )
        source = [
            f"rule {where.rule}" if where.rule else "",
            where.layer,
            f"event {where.command}" if where.command else "",
        ]
        place = f"{where.file}:{where.line}" if where.file and where.line else where.file
        why = " · ".join(
            each
            for each in (place, *source, f"{one.priority} priority", f"{one.confidence:.0%} sure")
            if each
        )
        parts.append(safe(f"from {one.agent}: {why}", glyphs.MUTED))
        self.whole.update(Content("\n\n").join(parts))
