"""RequestsScreen: the requests, open or decided, and beside them the selected one with its diff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual import getters, on, work
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from runebook_tui.core import past
from runebook_tui.core.events import Record
from runebook_tui.core.state import AgentState, RequestState
from runebook_tui.core.undos import why_not_restored, why_not_undone
from runebook_tui.tui.backend import BackendError
from runebook_tui.tui.offers import of_requests
from runebook_tui.tui.screens.mode import ModeScreen
from runebook_tui.tui.screens.request_keys import NO_ENGINE
from runebook_tui.tui.screens.sheet_keys import SheetKeys
from runebook_tui.tui.screens.speaking_keys import SpeakingKeys
from runebook_tui.tui.sieve import leaves
from runebook_tui.tui.verdict import SeenGuard, Verdict
from runebook_tui.tui.widgets.decided import UNDECIDED, DecidedList, answer_words, undo_words
from runebook_tui.tui.widgets.lessons import LessonLine
from runebook_tui.tui.widgets.requests import NOBODY, RequestsPanel
from runebook_tui.tui.widgets.rows import Rows
from runebook_tui.tui.widgets.sheet import RequestSheet


class RequestsScreen(SheetKeys, ModeScreen, SpeakingKeys):
    """The open requests, or with `c` the decided ones of all runs; every key of the cockpit and the card."""

    MODE = "requests"
    AUTO_FOCUS = "#requests"

    decided = getters.query_one("#decided", DecidedList)
    sheet = getters.query_one(RequestSheet)
    _old = False
    _records: tuple[Record, ...] = ()
    _written = 0.0
    """When one of the selected request's files was last written."""

    def body(self) -> Iterable[Widget]:
        """The list and the selected one."""
        self._guard = SeenGuard()
        decided = DecidedList(self.now, id="decided")
        decided.display = False
        listed = Vertical(
            RequestsPanel(self.now, self.pulse, id="requests"),
            decided,
            LessonLine(id="lesson"),
            id="waiting",
        )
        yield Horizontal(listed, RequestSheet(self.backend, self.now, self._over, id="beside"))

    def draw(self) -> None:
        """The requests that the filter leaves, and the selected one."""
        self.requests.only = lambda request: leaves(request, self.wanted)
        self.requests.empty, self.decided.empty = self.none(NOBODY), self.none(UNDECIDED)
        self.lesson_line.view = self.sheet.view = self.view
        if self.requests.view is self.view:
            self.requests.draw()
        self.requests.view = self.view
        if self._old:
            found = past.decided(self.view.state, self._records)
            self.decided.show_decided([each for each in found if leaves(each.request, self.wanted)])
        self._show_selected()

    @property
    def selected(self) -> RequestState | None:
        """The selected request."""
        if not self._old:
            return self.requests.request
        return None if self.decided.decided is None else self.decided.decided.request

    @property
    def agent(self) -> AgentState | None:
        """The agent that asks or wants something."""
        asked, request = self.requests.question, self.selected
        name = asked.agent if asked is not None and not self._old else request.requester if request else ""
        return self.view.state.agents.get(name or "")

    def _show_selected(self) -> None:
        request = self.selected
        before, self._written = self._written, self._last_write(request)
        same = request is not None and self.sheet.request is not None and self.sheet.request.id == request.id
        self.sheet.show(request)
        if same and request is not None and request.open and self._written > before:
            self.sheet.look_again()

    def _last_write(self, request: RequestState | None) -> float:
        paths = () if request is None else request.crossings
        return max((each.time for each in self.view.state.recent_touches if each.path in paths), default=0.0)

    def _over(self, request: RequestState) -> tuple[str, str]:
        """Of a decided request, how it was decided and what became of it."""
        one = self.decided.decided if self._old else None
        if one is None or one.request.id != request.id:
            return f"request {request.id} is {request.status}", ""
        return answer_words(one).plain, undo_words(self.view.state, request)

    @on(Rows.Moved)
    def _moved(self, event: Rows.Moved) -> None:
        if event.rows in (self.requests, self.decided):
            self._show_selected()
            self.offer()

    @on(RequestSheet.Read)
    def _read(self) -> None:
        if (request := self.sheet.request) is not None:
            self._guard.painted(request.id, self.sheet.version, self.pulse(), by_hand=self.requests.by_hand)

    @on(RequestSheet.Answered)
    def _sheet_answered(self, event: RequestSheet.Answered) -> None:
        self.post_message(self.Answered(event.verdict))

    def tick(self) -> None:
        """Ages go on."""
        super().tick()
        if self.is_current:
            (self.decided if self._old else self.requests).redraw()
            self.offer()

    def unsent(self, *requests: int) -> None:
        """A decision did not go through: what was seen may not be so any more."""
        super().unsent(*requests)
        if self.sheet.request is not None and self.sheet.request.id in requests:
            self.sheet.look_again()

    # ── what can be done now ────────────────────────────────────────────────────────────────────

    def offered(self) -> Iterable[tuple[str, str]]:
        """What can be done with the selected request, or all marked ones."""
        request, alive = self.selected, self.view.engine_alive
        if self._old:
            if request is not None and alive:
                if not why_not_undone(self.view.state, request.id):
                    yield "request.undo", f"undo {request.id}"
                if undo := self._undo_of(request):
                    yield "requests.restore", f"restore {undo}"
                if self.last_decision():
                    yield "request.take_back", "take back"
            yield "requests.decided", "open ones"
        else:
            marked = self.requests.marked
            asked = None if self.requests.question is None else self.requests.question.agent
            yield from of_requests(request, marked, self.last_decision(), asks=asked, engine_alive=alive)
            if len(self.requests.entries) > 1 and not marked:
                yield "request.next", "next"
            if request is not None and not marked and alive:
                yield "card.task", "for the task"
                yield "card.plan", "for the plan"
            yield "requests.decided", "decided ones"
        yield "mode.filter", "filter"
        yield "mode.back", "clear marks" if self.requests.marked else "back"

    def deciding(self) -> RequestSheet | None:
        """The sheet, if what it shows was seen for long enough."""
        request = self.selected
        if self._old:
            self.say("that is decided: c shows the open ones")
        elif self.requests.marked:
            self.say("this key decides one request: clear the marks first")
        elif self._decidable() is not None and request is not None:
            if self.sheet.version is None:
                self.say("the diff is still being read")
            elif self._guard.lets(request.id, self.sheet.version, self.pulse()):
                return self.sheet
            else:
                self.say(f"the diff of {request.id} has just changed: look, then press the key again")
        return None

    # ── keys ────────────────────────────────────────────────────────────────────────────────────

    def action_approve(self, scope: str = "once") -> None:
        """Say yes to the selected question, else approve the marked requests, else the one on the sheet."""
        if scope == "once" and not self._old and self._answers("yes"):
            return
        if self._old or scope != "once" or not self._together(Verdict((), "approve")):
            super().action_approve(scope)

    def action_reject(self) -> None:
        """Say no to the selected question, else reject the marked requests, else the one on the sheet."""
        if not self._old and self._answers("no"):
            return
        if self._old or not self._together(Verdict((), "reject")):
            super().action_reject()

    def action_undo(self) -> None:
        """Reject and undo the marked requests, else the one on the sheet; of a decided one, undo."""
        if self._old:
            self._undo_decided()
        elif not self._together(Verdict((), "reject", undo=True)):
            super().action_undo()

    def action_earlier(self) -> None:
        """Show earlier decisions in the place of the diff, or the diff again."""
        self.sheet.earlier()

    def action_next_need(self) -> None:
        """Select the next request; after the last comes the first."""
        rows = self.decided if self._old else self.requests
        if rows.entries and rows.selected == rows.entries[-1].key:
            rows.action_edge(-1)
        else:
            rows.action_move(1)

    def action_open(self) -> None:
        """See the selected request on a card; of a decided one, scroll through its diff."""
        if self._old:
            self.sheet.diff_view.focus()
        else:
            super().action_open()

    def _undo_decided(self) -> None:
        request = self.selected
        if request is None:
            self.say("no request is selected")
        elif not self.view.engine_alive:
            self.say(NO_ENGINE)
        elif why := why_not_undone(self.view.state, request.id):
            self.say(why)
        else:
            self.want("undo", request=request.id)

    def action_restore(self) -> None:
        """Bring back what the undo of the selected request removed."""
        request = self.selected
        undo = None if request is None else self._undo_of(request)
        if not self.view.engine_alive:
            self.say(NO_ENGINE)
        elif undo is None:
            self.say("nothing of the selected request was undone that could be restored")
        else:
            self.want("restore", undo=undo)

    def _undo_of(self, request: RequestState) -> str | None:
        """The newest undo of the request that can be restored."""
        state = self.view.state
        names = reversed(dict.fromkeys(request.undone.values()))
        return next((name for name in names if not why_not_restored(state, name)), None)

    def turned(self) -> Mapping[str, str]:
        """Whether the decided ones are shown."""
        return {"decided": "yes"} if self._old else {}

    def turn(self, turned: Mapping[str, str]) -> None:
        """Show the decided ones, if they were."""
        if ("decided" in turned) is not self._old:
            self.action_old()

    def action_old(self) -> None:
        """Show the decided requests in the place of the open ones, or the open ones again."""
        self._old = not self._old
        self.decided.display, self.requests.display = self._old, not self._old
        (self.decided if self._old else self.requests).focus()
        self.draw()
        self.offer()
        if self._old:
            self._read_past()

    @work(exclusive=True, group="past")
    async def _read_past(self) -> None:
        """Earlier runs are in the log."""
        try:
            self._records = await self.backend.since(0.0, past.TYPES)
        except BackendError as error:
            self.say(str(error))
            return
        self.draw()
        self.offer()

    def action_back(self) -> None:
        """Take the filter or the marks away, else go to the cockpit."""
        if not self.filter.display and self.requests.marked:
            self.action_unmark()
        else:
            super().action_back()
