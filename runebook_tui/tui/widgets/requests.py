"""RequestsPanel: the requests that wait for the operator, the most urgent first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.content import Content
from textual.reactive import reactive
from textual.strip import Strip

from runebook_tui.core.sentences import lines_changed, process
from runebook_tui.core.state import RequestState, State
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import age, cut_path, edges, safe
from runebook_tui.tui.verdict import SeenGuard, matter
from runebook_tui.tui.view import EMPTY, View, in_order, waited
from runebook_tui.tui.widgets.rows import Entry, Rows

_LINES = 3


class RequestsPanel(Rows):
    """Open requests; remembers which one was really drawn, and since when.

    `now` gives unix seconds, `pulse` monotonic ones.
    """

    view: reactive[View] = reactive(EMPTY)

    def __init__(
        self, now: Callable[[], float], pulse: Callable[[], float], *, id: str | None = None
    ) -> None:
        super().__init__(empty="nobody needs you", id=id)
        self._now = now
        self._pulse = pulse
        self._guard = SeenGuard()
        self._sent: set[int] = set()

    @property
    def request(self) -> RequestState | None:
        """The selected request."""
        key = self.selected
        return self.view.state.requests.get(key) if isinstance(key, int) else None

    def watch_view(self, view: View) -> None:
        """Show the open requests."""
        requests = in_order(view.state)
        self._sent &= {request.id for request in requests}
        self.show(
            [Entry(request.id, _LINES, partial(self._lines, view.state, request)) for request in requests]
        )
        count = len(requests)
        title = Content.styled(f"Requests · {count}", glyphs.ACCENT) if count else Content("Requests")
        self.border_title = title
        self.set_class(not count, "-empty")
        if not count:
            self._guard.blank()

    def next(self) -> None:
        """Select the next request; after the last comes the first."""
        if self._entries and self.selected == self._entries[-1].key:
            self.action_edge(-1)
        else:
            self.action_move(1)

    def refusal(self) -> str | None:
        """Why a key pressed now decides nothing; None when it decides the selected request."""
        request = self.request
        if request is None:
            return "no request waits for you"
        if request.id in self._sent:
            return f"request {request.id} is being decided"
        if not self._guard.lets(request.id, matter(request), self._pulse()):
            return f"request {request.id} has just come up or changed: look, then press the key again"
        return None

    def sent(self, request: int) -> None:
        """A decision is on its way: no further key decides this request."""
        self._sent.add(request)
        self.redraw()

    def unsent(self, request: int) -> None:
        """The decision did not go through."""
        self._sent.discard(request)
        self.redraw()

    def render_line(self, y: int) -> Strip:
        """Draw, and remember that the selected request has been drawn."""
        request = self.request
        if request is not None and self.is_selected(y):
            self._guard.painted(request.id, matter(request), self._pulse(), by_hand=self.by_hand)
        return super().render_line(y)

    def _lines(self, state: State, request: RequestState, width: int) -> list[Content]:
        glyph = glyphs.REQUEST[request.kind]
        owners = " and ".join("you" if each == "operator" else each for each in request.owners)
        head = Content.assemble(
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
        words = f"{request.kind}{_asked_words(request)}"
        return [
            edges(head, since, width),
            _path_line(request, width),
            edges(safe(f"  {words}", glyphs.MUTED), Content(), width),
        ]


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
