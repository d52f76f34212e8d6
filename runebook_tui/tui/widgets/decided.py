"""DecidedList: the requests that are decided, the newest first: what was answered, when and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from textual.content import Content

from runebook_tui.core.names import from_words
from runebook_tui.core.past import Decided
from runebook_tui.core.sentences import SCOPE_WORDS
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import ENGINE, OPERATOR
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import age, cut_path, edges, safe
from runebook_tui.tui.widgets.rows import Entry, Rows
from runebook_tui.tui.widgets.words import entitle

_MEANS = {"widened": "the plan was widened", "transferred": "the file was transferred"}
_STYLES = {"approved": glyphs.GOOD, "rejected": glyphs.BAD, "withdrawn": glyphs.MUTED}

UNDECIDED = "nothing is decided yet: what you approve and reject will stand here, with why"


class DecidedList(Rows):
    """A list of what is decided. `now` gives unix seconds."""

    def __init__(self, now: Callable[[], float], *, id: str | None = None) -> None:
        super().__init__(empty=UNDECIDED, id=id)
        self._now = now
        self._decided: dict[int, Decided] = {}

    @property
    def decided(self) -> Decided | None:
        """The selected one."""
        key = self.selected
        return self._decided.get(key) if isinstance(key, int) else None

    def show_decided(self, decided: Sequence[Decided]) -> None:
        """Show these."""
        self._decided = {each.request.id: each for each in decided}
        self.show([Entry(each.request.id, 3, partial(self._lines, each)) for each in decided])
        entitle(self, Content(f"Decided · {len(decided)}"))

    def _lines(self, one: Decided, width: int) -> list[Content]:
        request = one.request
        glyph = glyphs.REQUEST[request.kind]
        owners = " and ".join("you" if each == OPERATOR else each for each in request.owners)
        head = Content.assemble(
            (glyph.sign, glyphs.MUTED),
            Content.styled(f" {request.id}", glyphs.STRONG),
            "  ",
            safe(request.who, glyphs.STRONG),
            (" → ", glyphs.MUTED),
            safe(owners),
        )
        ago = Content.styled(f"{age(self._now() - one.time)} ago", glyphs.MUTED)
        path = request.paths[0] if request.paths else ""
        more = Content.styled(f"+{len(request.paths) - 1} more" if len(request.paths) > 1 else "")
        room = width - 3 - more.cell_length
        return [
            edges(head, ago, width),
            edges(Content("  " + cut_path(path, room)), more, width),
            edges(Content.assemble("  ", answer_words(one)), Content(), width),
        ]


def answer_words(one: Decided) -> Content:
    """What was answered, by whom, and why: "approved once by you: go on"."""
    request = one.request
    scope = f" {SCOPE_WORDS[request.scope]}" if request.status == "approved" else ""
    means = f", {_MEANS.get(request.means, request.means)}" if request.means else ""
    by = {OPERATOR: "you", ENGINE: "itself"}.get(one.by, one.by)
    because = f": {request.answer}" if request.answer else ""
    undone = ", undone" if request.undone else ""
    return Content.assemble(
        Content.styled(request.status, _STYLES.get(request.status, "")),
        safe(f"{scope}{means}{undone} by {by}{from_words(request.decided_from)}{because}", glyphs.MUTED),
    )


def undo_words(state: State, request: RequestState) -> str:
    """What became of what the request had written; "" where nothing was taken back."""
    names = dict.fromkeys(request.undone.values())
    parts = [f"{name}: {state.undos[name].status}" for name in names if name in state.undos]
    parts += [f"not undone: {path}: {why}" for path, why in list(request.undo_refused.items())[:3]]
    return "; ".join(parts)
