"""HeaderBar: the plan, its phase, what everybody does, what waits for the operator, and the engine."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.reactive import var
from textual.widget import Widget

from runebook_tui.core.names import host_words
from runebook_tui.core.needs import SNOOZED, counts
from runebook_tui.core.standing import Word
from runebook_tui.core.state import State
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import age, clock, cut, safe
from runebook_tui.tui.view import BEHIND, EMPTY, View, phases_reached, same_but

_NAME_CELLS, _NAME_CELLS_LEAST = 32, 10
_BAR_LIMIT = 8
_SHORTEST = 7
_COUNTS = {
    "working": (glyphs.STANDING[Word.WORKING], glyphs.GOOD),
    "waiting for you": (glyphs.STANDING[Word.WAITING], glyphs.CAUTION),
    "blocked": (glyphs.STANDING[Word.BLOCKED], glyphs.CAUTION),
    "idle": (glyphs.STANDING[Word.IDLE], glyphs.CAUTION),
    "rate-limited": (glyphs.STANDING[Word.LIMITED], glyphs.CAUTION),
    SNOOZED: (glyphs.SNOOZED, glyphs.MUTED),
    "unknown": (glyphs.STANDING[Word.UNKNOWN], glyphs.MUTED),
    "not started": (glyphs.STANDING[Word.PENDING], glyphs.MUTED),
    "done": (glyphs.STANDING[Word.DONE], glyphs.MUTED),
    "failed": (glyphs.STANDING[Word.FAILED], glyphs.BAD),
    "stopped": (glyphs.STANDING[Word.STOPPED], glyphs.CAUTION),
}


_CALM = ("not started", "done", "stopped", "unknown")
"""What is left out first where there is no room."""


class HeaderBar(Widget):
    """One line, whose words become shorter in a narrow terminal. `now` gives unix seconds."""

    DEFAULT_CSS = "HeaderBar { height: 1; background: $panel; }"

    view: var[View] = var(EMPTY)

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now

    def watch_view(self, before: View, view: View) -> None:
        """Draw what is new; the time goes on by itself."""
        if before.state.suggestions is not view.state.suggestions or not same_but(before, view, *BEHIND):
            self.refresh()

    def render(self) -> Content:
        """The longest form that fits."""
        width = self.size.width
        line = Content()
        for brief in range(_SHORTEST + 1):
            left, right = self._left(brief), self._right(brief)
            gap = width - left.cell_length - right.cell_length - 2
            line = Content.assemble(" ", left, " " * max(gap, 1), right, " ")
            if gap >= 2:
                break
        return line

    def _left(self, brief: int) -> Content:
        view, state = self.view, self.view.state
        width = _NAME_CELLS if brief < _SHORTEST else _NAME_CELLS_LEAST
        name = Content.styled(cut(state.plan.plan.name if state.run else "no run yet", width), glyphs.STRONG)
        if brief < 2:
            name = Content.assemble(("runebook · ", glyphs.MUTED), name)
        parts = [name, _phases(state, brief)]
        if state.outcome is not None:
            style = glyphs.GOOD if state.outcome == "completed" else glyphs.BAD
            why = f": {state.outcome_reason}" if state.outcome_reason and brief < 1 else ""
            parts.append(safe(cut(f"run {state.outcome}{why}", 60), style))
        else:
            parts.append(_counted(view.state, brief, self._now()))
        if state.watch_blind:
            since = age(self._now() - (state.watch_blind_since or self._now()))
            words = f"watch blind since {since}" + (f": {state.watch_blind}" if brief < 1 else "")
            parts.append(safe(cut(words, 60), glyphs.BAD))
        return _joined(parts, brief)

    def _right(self, brief: int) -> Content:
        view = self.view
        waiting = len(view.state.open_requests)
        parts = []
        if waiting:
            word = "" if brief >= _SHORTEST else " request" if waiting == 1 else " requests"
            held = _held(view.state)
            parts.append(Content.styled(f"{glyphs.ASKING.sign} {waiting}{word}{held}", glyphs.ASKING.style))
        if view.state.attempts:
            word = " refused" if brief < 5 else ""
            number = view.state.attempts
            parts.append(Content.styled(f"{glyphs.REFUSED.sign} {number}{word}", glyphs.REFUSED.style))
        if (suggested := sum(each.open for each in view.state.suggestions)) and brief < 2:
            word = "suggestion" if suggested == 1 else "suggestions"
            parts.append(Content.assemble((glyphs.LESSON.sign, glyphs.LESSON.style), f" {suggested} {word}"))
        took = clock(view.run_seconds(self._now()))
        sign = glyphs.ENGINE_ON if view.engine_alive else glyphs.ENGINE_OFF
        if view.engine_alive:
            word = "engine " if brief < 5 else ""
            parts.append(Content.assemble(word, (sign.sign, sign.style), f" {took}"))
        elif view.loaded:
            parts.append(Content.styled(f"engine {sign.sign} not running", sign.style))
        if view.away:
            off, number = glyphs.ENGINE_OFF, len(view.away)
            named = host_words(view.away[0]) if number == 1 else f"{number} hosts"
            word = f"{named} away" if brief < 5 else str(number)
            parts.append(Content.assemble((off.sign, off.style), " ", safe(word, off.style)))
        return _joined(parts, brief)


def _held(state: State) -> str:
    """How many of the requests have a write that waits."""
    held = sum(request.held_until is not None for request in state.open_requests)
    return f", {held} held" if held else ""


def _phases(state: State, brief: int) -> Content:
    done, reached, total = phases_reached(state)
    if not total:
        return Content()
    words = Content.assemble(("phase ", glyphs.MUTED), f"{reached}/{total}")
    if total > _BAR_LIMIT or brief >= 3:
        return words
    bar = Content.assemble(
        (glyphs.BAR_DONE.sign * done, glyphs.BAR_DONE.style),
        (glyphs.BAR_ACTIVE.sign * (reached - done), glyphs.BAR_ACTIVE.style),
        (glyphs.BAR_OPEN.sign * (total - reached), glyphs.BAR_OPEN.style),
    )
    return Content.assemble(words, " ", bar)


def _counted(state: State, brief: int, now: float) -> Content:
    parts = []
    for word, number in counts(state, now).items():
        if brief >= 5 and word in _CALM:
            continue
        glyph, style = _COUNTS[word]
        if brief >= 6:
            parts.append(Content.assemble((glyph.sign, glyph.style), f" {number}"))
        else:
            parts.append(Content.assemble((str(number), glyphs.STRONG), " ", (word, style)))
    if not parts:
        return Content()
    return Content.styled(" · " if brief < 4 else "  ", glyphs.MUTED).join(parts)


def _joined(parts: list[Content], brief: int) -> Content:
    return Content(" " * (3 if brief < 4 else 2)).join([part for part in parts if part])
