"""LessonLine: the change of the plan that the operator's decisions suggest, in a quiet line."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import var

from runebook_tui.core.learning import Lesson, lessons
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import safe
from runebook_tui.tui.view import BEHIND, EMPTY, View, same_but
from runebook_tui.tui.widgets.words import Words

_WORDS_LIMIT = 240


class LessonLine(Words):
    """Shown only while there is a lesson; it does nothing by itself."""

    view: var[View] = var(EMPTY)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lessons: tuple[Lesson, ...] = ()

    @property
    def lesson(self) -> Lesson | None:
        """The lesson that is shown."""
        return self._lessons[0] if self._lessons else None

    def watch_view(self, before: View, view: View) -> None:
        """Show the first lesson, if there is one."""
        if same_but(before, view, *BEHIND, "agents", "tasks"):
            return
        self._lessons = lessons(view.state)
        lesson = self.lesson
        self.display = lesson is not None
        if lesson is None:
            return
        more = f" ({len(self._lessons) - 1} more)" if len(self._lessons) > 1 else ""
        self.update(
            Content.assemble(
                (glyphs.LESSON.sign, glyphs.LESSON.style),
                (" plan: ", glyphs.MUTED),
                safe(lesson.words, limit=_WORDS_LIMIT),
                (f"{more}; L shows the patch", glyphs.MUTED),
            )
        )
