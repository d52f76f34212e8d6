"""RequestKeys: what the keys for requests, marks, lessons and taking back do on every list of requests."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from textual import getters, on
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen

from runebook_tui.core.decisions import TAKE_BACK_SECONDS, why_not_taken_back
from runebook_tui.core.learning import Lesson
from runebook_tui.core.state import RequestState
from runebook_tui.core.undos import may_undo
from runebook_tui.tui.offers import may_be_mine
from runebook_tui.tui.verdict import Verdict, about
from runebook_tui.tui.view import EMPTY, View
from runebook_tui.tui.widgets.lessons import LessonLine
from runebook_tui.tui.widgets.requests import RequestsPanel

NO_ENGINE = "the engine is not running: E starts it"


class RequestKeys(Screen[None]):
    """A screen that posts what the operator wants done with requests. It has `#requests` and `#lesson`."""

    now: Callable[[], float]
    """Gives unix seconds."""

    view: var[View] = var(EMPTY)

    requests = getters.query_one("#requests", RequestsPanel)
    lesson_line = getters.query_one("#lesson", LessonLine)

    class Answered(Message):
        """The operator answered a request by one key."""

        def __init__(self, verdict: Verdict) -> None:
            super().__init__()
            self.verdict = verdict

    class RejectWanted(Message):
        """The operator wants to reject a request, and may give a reason."""

        def __init__(self, request: RequestState) -> None:
            super().__init__()
            self.request = request

    class TogetherWanted(Message):
        """The operator wants to decide all marked requests alike."""

        def __init__(self, requests: tuple[RequestState, ...], verdict: Verdict) -> None:
            super().__init__()
            self.requests = requests
            self.verdict = verdict

    class TakeBackWanted(Message):
        """The operator wants the last decision back."""

    class LessonWanted(Message):
        """The operator wants to see the patch that their decisions suggest."""

        def __init__(self, lesson: Lesson) -> None:
            super().__init__()
            self.lesson = lesson

    class CardWanted(Message):
        """The operator wants to see a request."""

        def __init__(self, request: RequestState) -> None:
            super().__init__()
            self.request = request

    def sent(self, *requests: int) -> None:
        """A decision of these is on its way."""
        self.requests.sent(*requests)

    def unsent(self, *requests: int) -> None:
        """The decision of these did not go through."""
        self.requests.unsent(*requests)

    def offer(self) -> None:
        """Called when other keys do something than before."""

    def say(self, words: str) -> None:
        """Tell the operator why a key did nothing."""
        self.notify(words, severity="warning", markup=False, timeout=4)

    def _decidable(self) -> RequestState | None:
        """The selected request if a key may decide it now; else says why not."""
        refusal = self.requests.refusal() if self.view.engine_alive else NO_ENGINE
        if refusal is not None:
            self.say(refusal)
            return None
        return self.requests.request

    def action_approve(self) -> None:
        """Approve the marked requests, else the selected one, once."""
        if not self._together(Verdict((), "approve")) and (request := self._decidable()) is not None:
            self.post_message(self.Answered(Verdict((request.id,), "approve")))

    def action_reject(self) -> None:
        """Ask for a reason, and reject the marked requests, else the selected one."""
        if not self._together(Verdict((), "reject")) and (request := self._decidable()) is not None:
            self.post_message(self.RejectWanted(request))

    def action_undo(self) -> None:
        """Reject the marked requests, else the selected one, and take back what was written."""
        if self._together(Verdict((), "reject", undo=True)):
            return
        request = self._decidable()
        if request is None:
            return
        if not may_undo(request):
            self.say(f"request {request.id}: nothing was written that could be undone")
            return
        self.post_message(self.Answered(Verdict((request.id,), "reject", undo=True)))

    def _together(self, verdict: Verdict) -> bool:
        """Whether there are marked requests, which `verdict` is then wanted for."""
        marked = self.requests.marked
        if not marked:
            return False
        barren = [str(request.id) for request in marked if verdict.undo and not may_undo(request)]
        if not self.view.engine_alive:
            self.say(NO_ENGINE)
        elif barren:
            self.say(f"request {', '.join(barren)}: nothing was written that could be undone; unmark it")
        else:
            matters = about(marked)
            self.post_message(
                self.TogetherWanted(marked, replace(verdict, requests=tuple(matters), about=matters))
            )
        return True

    def action_mark(self) -> None:
        """Mark the selected request, or take its mark away."""
        if (refusal := self.requests.toggle()) is not None:
            self.say(refusal)
        self.offer()

    def action_mark_all(self) -> None:
        """Mark all requests that are on the screen."""
        if not self.requests.entries:
            self.say("no request waits for you")
            return
        if left := self.requests.mark_all():
            self.say(f"{left} not marked: mark what you have seen; scroll, then press the key again")
        self.offer()

    def action_unmark(self) -> None:
        """Take every mark away."""
        self.requests.unmark()
        self.offer()

    @on(RequestsPanel.MarkLost)
    def _mark_lost(self, event: RequestsPanel.MarkLost) -> None:
        self.say(f"request {', '.join(map(str, event.requests))} has changed and is not marked any more")
        self.offer()

    def action_lesson(self) -> None:
        """See the change of the plan that is suggested."""
        lesson = self.lesson_line.lesson
        if not self.view.engine_alive:
            self.say(NO_ENGINE)
        elif lesson is None:
            self.say("your decisions suggest no change of the plan")
        else:
            self.post_message(self.LessonWanted(lesson))

    def action_take_back(self) -> None:
        """Take the last decision back."""
        why = why_not_taken_back(self.view.state, self.now())
        if not self.view.engine_alive:
            self.say(NO_ENGINE)
        elif why:
            self.say(why)
        else:
            self.post_message(self.TakeBackWanted())

    def last_decision(self) -> tuple[tuple[int, ...], int] | None:
        """What the last decision was about and how many seconds are left to take it back; None when none."""
        last, now = self.view.state.last_decision, self.now()
        if last is None or why_not_taken_back(self.view.state, now):
            return None
        return last.requests, math.ceil(TAKE_BACK_SECONDS - (now - last.time))

    def action_disown(self) -> None:
        """Say that the change was the operator's own."""
        request = self._decidable()
        if request is None:
            return
        if not may_be_mine(request):
            self.say(f"request {request.id}: {request.who} did it for certain, not you")
            return
        self.post_message(self.Answered(Verdict((request.id,), "disown")))

    def action_open(self) -> None:
        """See the selected request."""
        request = self.requests.request
        if request is None:
            self.say("no request waits for you")
        else:
            self.post_message(self.CardWanted(request))
