"""DecidingApp: what the operator says to requests and lessons, and what is asked before it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from textual import on, work

from runebook_tui.core.planedits import written
from runebook_tui.tui.screens.request_keys import RequestKeys
from runebook_tui.tui.sending import SendingApp
from runebook_tui.tui.verdict import Verdict, about

if TYPE_CHECKING:
    from runebook_tui.core.learning import Lesson
    from runebook_tui.core.state import RequestState
    from runebook_tui.tui.screens.plan import PlanScreen
    from runebook_tui.tui.widgets.sheet import RequestSheet


class DecidingApp(SendingApp, inherit_bindings=False):
    """Every answer is sent for what the operator saw, or not at all."""

    def deciders(self) -> Iterable[RequestKeys]:
        """The screens that decide requests."""
        return ()

    @on(RequestKeys.Answered)
    def _answered(self, event: RequestKeys.Answered) -> None:
        self._answer(event.verdict)

    @on(RequestKeys.RejectWanted)
    def _reject_wanted(self, event: RequestKeys.RejectWanted) -> None:
        self._ask_reason([event.request], self._answer)

    @on(RequestKeys.TogetherWanted)
    def _together_wanted(self, event: RequestKeys.TogetherWanted) -> None:
        """Decide all marked requests: a rejection takes a reason, everything else is asked about."""
        from runebook_tui.tui.screens.together import TogetherScreen

        if event.verdict.do == "reject" and not event.verdict.undo:
            self._ask_reason(event.requests, self._answer)
            return

        def answer(meant: bool | None) -> None:
            if meant:
                self._answer(event.verdict)

        does, effect = ("Approve", "Each is approved once, as it stands.")
        if event.verdict.undo:
            does, effect = "Reject and undo", "What they wrote is taken out again; a patch of each is kept."
        self.push_screen(TogetherScreen(does, event.requests, effect=effect), answer)

    @on(RequestKeys.LessonWanted)
    def _lesson_wanted(self, event: RequestKeys.LessonWanted) -> None:
        self._show_lesson(event.lesson)

    @work(exclusive=True, group="patch")
    async def _show_lesson(self, lesson: Lesson) -> None:
        """Show the patch that a lesson suggests; the plan changes only when it is accepted."""

        from runebook_tui.tui.screens.patch import of_lesson

        edits = written([lesson.edit])
        preview = await self._asked("amend-preview", edits=edits)
        if preview is None or not isinstance(self.screen, RequestKeys):
            return

        def answer(said: str | None) -> None:
            if said == "accept":
                self.send("amend", edits=edits, seen=preview.get("before"))
            elif said == "dismiss":
                self.send("dismiss-lesson", lesson=lesson.id)

        self.push_screen(of_lesson(lesson, preview), answer)

    async def on_plan_screen_edits_wanted(self, event: PlanScreen.EditsWanted) -> None:
        """Show the patch of some edits of the plan; accepting it puts them in force."""
        self._show_edits(event)

    @work(exclusive=True, group="patch")
    async def _show_edits(self, event: PlanScreen.EditsWanted) -> None:
        from runebook_tui.tui.screens.patch import of_edits

        edits = written(event.edits)
        preview = await self._asked("amend-preview", edits=edits)
        if preview is None or self.screen is not event.screen:
            return

        def answer(said: str | None) -> None:
            if said == "accept":
                self.send("amend", edits=edits, seen=preview.get("before"))

        self.push_screen(of_edits(event.edits, preview), answer)

    async def on_plan_screen_text_wanted(self, event: PlanScreen.TextWanted) -> None:
        """Show what the operator's own edit changes and what is wrong with it; accepting puts it in force."""
        from runebook_tui.tui.screens.patch import of_text

        broken = any(each.severity == "error" for each in event.problems)

        def answer(said: str | None) -> None:
            if said == "accept" and broken:
                event.screen.edit_text(event.before, event.after)
            elif said == "accept":
                seen = hashlib.sha256(event.before.encode()).hexdigest()
                self.send("amend", text=event.after, seen=seen)

        self.push_screen(of_text(event.before, event.after, event.problems), answer)

    @on(RequestKeys.TakeBackWanted)
    def _take_back_wanted(self) -> None:
        self.send("take-back")

    @on(RequestKeys.CardWanted)
    def _card_wanted(self, event: RequestKeys.CardWanted) -> None:
        from runebook_tui.tui.screens.card import CardScreen

        card = CardScreen(event.request, self._now, self._backend)
        self.push_screen(card.data_bind(DecidingApp.view), self._answer)

    async def on_request_sheet_reject_wanted(self, event: RequestSheet.RejectWanted) -> None:
        """Ask for the reason over the sheet, which then has the answer."""
        self._ask_reason([event.request], event.sheet.answer)

    async def on_request_sheet_patch_wanted(self, event: RequestSheet.PatchWanted) -> None:
        """Show the patch of the plan over the sheet; accepting it answers the request."""
        self._show_patch(event)

    @work(exclusive=True, group="patch")
    async def _show_patch(self, event: RequestSheet.PatchWanted) -> None:

        from runebook_tui.tui.screens.patch import of_request

        request, means = event.request, event.means
        preview = await self._asked("preview", request=request.id, means=means)
        if preview is None or self.screen is not event.sheet.screen:
            return

        def answer(said: str | None) -> None:
            if said == "accept":
                event.sheet.plan_changed(means, str(preview.get("plan", "")), request)

        self.push_screen(of_request(request, means, preview), answer)

    def _ask_reason(
        self, requests: Sequence[RequestState], then: Callable[[Verdict], object], *, undo: bool = False
    ) -> None:
        from runebook_tui.tui.screens.reason import ReasonPrompt

        matters = about(requests)

        def answer(reason: str | None) -> None:
            if reason is not None:
                then(
                    Verdict(tuple(matters), "reject", reason=reason, undo=undo, about=matters if undo else {})
                )

        self.push_screen(ReasonPrompt(requests, undo=undo), answer)

    def _answer(self, verdict: Verdict | None) -> None:
        """Send the answer to requests, if there is one and they are still what it was meant for."""
        if verdict is None:
            return
        if changed := verdict.outdated(self.view.state):
            which = ", ".join(str(number) for number in changed)
            self.notify(
                f"request {which} has changed meanwhile: nothing was decided; look again",
                severity="warning",
                markup=False,
            )
            return
        for screen in self.deciders():
            screen.sent(*verdict.requests)
        self.send(verdict.do, **verdict.fields())

    def undecided(self, *requests: int) -> None:
        """They can be decided again."""
        for screen in self.deciders():
            screen.unsent(*requests)
