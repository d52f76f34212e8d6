"""PatchScreen: a change of the plan's file as a diff, before it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from runebook_tui.core.aftermath import Means
from runebook_tui.core.learning import Lesson
from runebook_tui.core.planedits import PlanEdit, edit_words
from runebook_tui.core.state import RequestState
from runebook_tui.orchestrator.patch import difference
from runebook_tui.orchestrator.problems import Problem
from runebook_tui.tui import commands, glyphs
from runebook_tui.tui.bindings import bindings
from runebook_tui.tui.text import safe
from runebook_tui.tui.widgets.diff import DiffView

_WORDS_SHOWN = 6
_WORD_LIMIT = 500
_BORDERS = 2


class PatchScreen(ModalScreen[str]):
    """Ends with "accept", "dismiss" or "". `words` say why, a line each; `yes` and `no` what the keys do.

    `never`: what the key `d` does; "" where it does nothing.
    """

    BINDINGS = bindings(commands.PATCH)
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
        view = self.query_one(DiffView)
        view.styles.height = len(self._patch.splitlines()) + 1 + _BORDERS
        view.show_diff(self._patch, [] if self._patch else ["nothing would change"])

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


def of_request(request: RequestState, means: Means, preview: Mapping[str, object]) -> PatchScreen:
    """The patch that comes with an approval; `preview` is the engine's answer to "preview"."""
    words = preview.get("words")
    verb = "Widen the plan" if means == "widened" else "Transfer in the plan"
    return PatchScreen(
        f"{verb}, and approve request {request.id}",
        [str(each) for each in words] if isinstance(words, list) else [],
        str(preview.get("patch", "")),
        yes=f"change the plan and approve {request.id}",
        no="back, change nothing",
    )


def of_lesson(lesson: Lesson, preview: Mapping[str, object]) -> PatchScreen:
    """The patch that a lesson suggests; `preview` is the engine's answer to "amend-preview"."""
    numbers = ", ".join(str(number) for number in lesson.requests)
    return PatchScreen(
        "A change of the plan that your decisions suggest",
        [lesson.words, f"as you decided requests {numbers}"],
        str(preview.get("patch", "")),
        yes="change the plan",
        no="later",
        never="never suggest this again",
    )


def of_edits(edits: Sequence[PlanEdit], preview: Mapping[str, object]) -> PatchScreen:
    """The patch that edits of the plan make; `preview` is the engine's answer to "amend-preview"."""
    return PatchScreen(
        "A change of the plan",
        [edit_words(each) for each in edits],
        str(preview.get("patch", "")),
        yes="change the plan",
        no="back, change nothing",
    )


def of_text(before: str, after: str, problems: Sequence[Problem]) -> PatchScreen:
    """The patch from one text of the plan to another, with what is wrong with that."""
    errors = [each for each in problems if each.severity == "error"]
    more = len(problems) - _WORDS_SHOWN + 1
    words = [str(each) for each in problems[: _WORDS_SHOWN - 1]]
    return PatchScreen(
        "This cannot be in force" if errors else "What you changed",
        [*words, *([f"and {more} more"] if more > 0 else [])] or ["nothing is wrong with it"],
        difference(before, after),
        yes="edit again" if errors else "put it in force",
        no="back, change nothing",
    )
