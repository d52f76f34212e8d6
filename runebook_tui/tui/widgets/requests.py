"""RequestsPanel: the requests and questions that wait for the operator, the most urgent first."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial

from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip

from runebook_tui.core.asking import in_order
from runebook_tui.core.questions import Question, questions
from runebook_tui.core.sentences import lines_changed, process
from runebook_tui.core.standing import Word
from runebook_tui.core.state import RequestState
from runebook_tui.tui import glyphs
from runebook_tui.tui.marks import Marks
from runebook_tui.tui.text import age, cut_path, edges, safe
from runebook_tui.tui.verdict import SeenGuard, matter
from runebook_tui.tui.view import BEHIND, EMPTY, View, same_but, waited
from runebook_tui.tui.widgets.rows import Entry, Rows
from runebook_tui.tui.widgets.words import entitle

NOBODY = "nobody needs you: a request comes when an agent writes what another owns"
_LINES = 3
_QUESTION_LINES = 2


class RequestsPanel(Rows):
    """Open requests, and what agents' clients ask; remembers what was really drawn, since when, and marks.

    `now` gives unix seconds, `pulse` monotonic ones.
    """

    view: var[View] = var(EMPTY)

    class MarkLost(Message):
        """Marked requests changed, and are marked no more."""

        def __init__(self, requests: tuple[int, ...]) -> None:
            super().__init__()
            self.requests = requests

    def __init__(
        self, now: Callable[[], float], pulse: Callable[[], float], *, id: str | None = None
    ) -> None:
        super().__init__(empty=NOBODY, id=id)
        self._now = now
        self._pulse = pulse
        self._guard = SeenGuard()
        self._questions: tuple[Question, ...] = ()
        self._hidden = 0
        self._marks = Marks()
        self._sent: set[Hashable] = set()
        self.only: Callable[[RequestState], bool] = lambda request: True
        """Which of the open requests are shown; `draw` shows what it leaves."""

    @property
    def request(self) -> RequestState | None:
        """The selected request."""
        key = self.selected
        return self.view.state.requests.get(key) if isinstance(key, int) else None

    @property
    def question(self) -> Question | None:
        """The selected question."""
        return next((each for each in self._questions if _key(each) == self.selected), None)

    def watch_view(self, before: View, view: View) -> None:
        """Show what is open now."""
        if not same_but(before, view, *BEHIND):
            self.draw()

    def draw(self) -> None:
        """Show the open requests and questions: after the writes that wait, which do not for ever."""
        state = self.view.state
        everything, asked = in_order(state), questions(state)
        self._questions = asked
        requests = [request for request in everything if self.only(request)]
        self._hidden = len(everything) - len(requests)
        self._sent &= {*(request.id for request in requests), *map(_matter, asked)}
        lost = self._marks.follow({request.id: matter(request) for request in requests})
        if lost:
            self.post_message(self.MarkLost(lost))
        entries = [Entry(each.id, _LINES, partial(self._lines, each)) for each in requests]
        held = sum(request.held_until is not None for request in requests)
        entries[held:held] = [Entry(_key(each), _QUESTION_LINES, partial(self._asks, each)) for each in asked]
        self.show(entries)
        # What is painted counts as seen, so all of it is, also where a new matter looks like the old one.
        self.refresh()
        self.set_class(not entries, "-empty")
        if not entries:
            self._guard.blank()
        self._entitle()

    def _entitle(self) -> None:
        """How many there are, and how many are marked."""
        count, marked = len(self._entries), len(self._marks.requests)
        words = f"Requests · {count}" if count or self._hidden else "Requests"
        words += f" of {count + self._hidden}" if self._hidden else ""
        words += f" · {marked} marked" if marked else ""
        entitle(self, Content.styled(words, glyphs.ACCENT) if count else Content(words))

    @property
    def marked(self) -> tuple[RequestState, ...]:
        """The marked requests, in the order in which they were marked."""
        return tuple(self.view.state.requests[number] for number in self._marks.requests)

    def toggle(self) -> str | None:
        """Mark the selected request, or take its mark away; why it was not marked, if so."""
        request = self.request
        if request is not None and request.id in self._marks:
            self._marks.unmark(request.id)
        elif (refusal := self.refusal()) is not None or request is None:
            return refusal
        else:
            self._marks.mark(request.id, matter(request))
        self._entitle()
        self.redraw()
        return None

    def mark_all(self) -> int:
        """Mark every request that is on the screen and was, as it stands; how many are left unmarked."""
        for number, version in self._shown():
            if number not in self._sent and self._marks.seen(number, version, self._pulse()):
                self._marks.mark(number, version)
        self._entitle()
        self.redraw()
        return len(self.view.state.open_requests) - len(self._marks.requests)

    def _shown(self) -> list[tuple[int, object]]:
        """The requests that are in sight, each with what a key would decide."""
        requests = self.view.state.requests
        return [
            (key, matter(requests[key]))
            for key in self.in_sight()
            if isinstance(key, int) and key in requests
        ]

    def unmark(self) -> None:
        """Take every mark away."""
        self._marks.clear()
        self._entitle()
        self.redraw()

    def refusal(self) -> str | None:
        """Why a key pressed now decides nothing; None when it decides the selected request."""
        request, asked = self.request, self.question
        if asked is not None:
            return self._why_not_answered(asked)
        if request is None:
            return "no request waits for you"
        if request.id in self._sent:
            return f"request {request.id} is being decided"
        if not self._guard.lets(request.id, matter(request), self._pulse()):
            return f"request {request.id} has just come up or changed: look, then press the key again"
        return None

    def _why_not_answered(self, asked: Question) -> str | None:
        if _matter(asked) in self._sent:
            return f"{asked.agent} is being answered"
        if not self._guard.lets(_key(asked), _matter(asked), self._pulse()):
            return f"what {asked.agent} asks has just come up: look, then press the key again"
        return None

    def answered(self, asked: Question, *, undone: bool = False) -> None:
        """An answer is on its way: no further key answers this question. `undone`: it did not go through."""
        self._sent ^= {_matter(asked)} if (_matter(asked) in self._sent) is undone else set()
        self.redraw()

    def sent(self, *requests: int) -> None:
        """A decision is on its way: no further key decides these requests."""
        self._sent |= set(requests)
        for request in requests:
            self._marks.unmark(request)
        self._entitle()
        self.redraw()

    def unsent(self, *requests: int) -> None:
        """The decision of these did not go through."""
        self._sent -= set(requests)
        self.redraw()

    def render_line(self, y: int) -> Strip:
        """Draw, and remember what has been drawn."""
        now = self._pulse()
        request, asked = self.request, self.question
        if request is not None and self.is_selected(y):
            self._guard.painted(request.id, matter(request), now, by_hand=self.by_hand)
        if asked is not None and self.is_selected(y):
            self._guard.painted(_key(asked), _matter(asked), now, by_hand=self.by_hand)
        if y == 0:
            for number, version in self._shown():
                self._marks.painted(number, version, now)
        return super().render_line(y)

    def _asks(self, asked: Question, width: int) -> list[Content]:
        sign = glyphs.STANDING[Word.WAITING]
        head = Content.assemble(
            (sign.sign, sign.style), " ", safe(asked.agent, glyphs.STRONG), (" asks", glyphs.MUTED)
        )
        since = Content.styled(age(max(0.0, self._now() - (asked.since or self._now()))), glyphs.CAUTION)
        if _matter(asked) in self._sent:
            since = Content.styled("answering", glyphs.MUTED)
        return [edges(head, since, width), edges(safe(f"  {asked.words}"), Content(), width)]

    def _lines(self, request: RequestState, width: int) -> list[Content]:
        glyph = glyphs.REQUEST[request.kind]
        owners = " and ".join("you" if each == "operator" else each for each in request.owners)
        marked = request.id in self._marks
        head = Content.assemble(
            (f"{glyphs.MARKED.sign} " if marked else "", glyphs.MARKED.style),
            (glyph.sign, glyph.style),
            Content.styled(f" {request.id}", glyphs.STRONG),
            "  ",
            safe(request.who, glyphs.STRONG),
            (" → ", glyphs.MUTED),
            safe(owners),
        )
        now = self._now()
        since = Content.styled(age(now - request.opened_at), glyphs.CAUTION)
        if request.held_until is not None:
            since = Content.styled(waited(request, now), glyphs.ACCENT)
        if request.id in self._sent:
            since = Content.styled("deciding", glyphs.MUTED)
        words = f"{'marked · ' if marked else ''}{request.kind}{_asked_words(request)}"
        return [
            edges(head, since, width),
            _path_line(request, width),
            edges(safe(f"  {words}", glyphs.MUTED), Content(), width),
        ]


def _key(asked: Question) -> Hashable:
    return "question", asked.agent


def _matter(asked: Question) -> Hashable:
    """What a key would answer."""
    return asked.agent, asked.words, asked.since


def _path_line(request: RequestState, width: int) -> Content:
    paths = request.paths
    counts = change_counts(request)
    if len(paths) > 1:
        counts = Content.assemble(Content.styled(f"+{len(paths) - 1} more ", glyphs.MUTED), counts)
    room = width - 2 - counts.cell_length - (1 if counts else 0)
    return edges(Content("  " + cut_path(paths[0] if paths else "", room)), counts, width)


def change_counts(request: RequestState) -> Content:
    """Lines added and removed over all paths, coloured; empty when they cannot be counted."""
    changes = [each.change for each in request.crossings.values() if each.change is not None]
    known = [each for each in changes if lines_changed(each)]
    if not known:
        return Content()
    added, removed = sum(each.added or 0 for each in known), sum(each.removed or 0 for each in known)
    return Content.assemble((f"+{added}", glyphs.GOOD), " ", (f"−{removed}", glyphs.BAD))


def _asked_words(request: RequestState) -> str:
    if request.held_until is not None:
        return f" · {process(request)} waits"
    if request.hold_over:
        return f" · {request.hold_over}"
    if request.reason:
        return f' · "{request.reason}"'
    return f" · {request.evidence}" if request.evidence else ""
