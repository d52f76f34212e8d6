"""RunebookApp: follows a backend, gives every screen the same snapshot, and sends what the operator wants."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import App
from textual.binding import BindingType
from textual.filter import LineFilter
from textual.reactive import reactive

from runebook_tui.core.absence import TYPES, lines, summary
from runebook_tui.core.events import AttemptRefused
from runebook_tui.core.planedits import written
from runebook_tui.core.printable import visible
from runebook_tui.core.resuming import lost_agents
from runebook_tui.core.resuming import words as resume_words
from runebook_tui.core.sentences import attempt_sentence
from runebook_tui.tui import glyphs, modes
from runebook_tui.tui.backend import Backend, BackendError, Update
from runebook_tui.tui.outcomes import outcomes
from runebook_tui.tui.screens.cockpit import CockpitScreen
from runebook_tui.tui.screens.confirm import ConfirmScreen
from runebook_tui.tui.screens.mode import ModeScreen
from runebook_tui.tui.screens.request_keys import RequestKeys
from runebook_tui.tui.theme import RUNEBOOK
from runebook_tui.tui.verdict import Verdict, about
from runebook_tui.tui.view import EMPTY, View, worth_telling

if TYPE_CHECKING:
    from textual.command import Provider

    from runebook_tui.core.learning import Lesson
    from runebook_tui.core.state import RequestState
    from runebook_tui.tui.widgets.sheet import RequestSheet


_ATTEMPT_CHARACTERS = 300
_TOGETHER_SECONDS = 1.0
"""How long agents may be lost one after the other, and be one question."""


def _palette() -> type[Provider]:
    from runebook_tui.tui.palette import CockpitCommands

    return CockpitCommands


class RunebookApp(App[None], inherit_bindings=False):
    """The cockpit. `now` gives unix seconds, `pulse` monotonic ones.

    Screens post what the operator wants; only this class sends it. Leaving ends no agent.
    """

    TITLE = "Runebook"
    CSS_PATH = "app.tcss"
    COMMANDS = {_palette}
    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_MODE = modes.COCKPIT.id
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-very-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]

    view: reactive[View] = reactive(EMPTY)
    """What is known now: the one thing that everything on the screen is drawn from."""

    def __init__(
        self,
        backend: Backend,
        *,
        now: Callable[[], float] = time.time,
        pulse: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ascii = glyphs.AsciiFilter() if glyphs.ascii_wanted() else None
        super().__init__()
        self._backend = backend
        self._asked_about: set[tuple[str, int]] = set()
        self._now, self._pulse = now, pulse
        self._opened: dict[str, ModeScreen] = {}
        self._cockpit = CockpitScreen(now, pulse, backend.capture)

    def get_default_screen(self) -> CockpitScreen:
        """The cockpit is what the app starts with."""
        return self._cockpit.data_bind(RunebookApp.view)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and ASCII forms of all signs where they are wanted."""
        filters = super().get_line_filters()
        return filters if self._ascii is None else [*filters, self._ascii]

    def on_mount(self) -> None:
        """Begin to follow."""
        self.add_mode(modes.COCKPIT.id, self.get_default_screen)
        self.register_theme(RUNEBOOK)
        self.theme = RUNEBOOK.name
        self._follow()

    async def on_unmount(self) -> None:
        """Give the backend back."""
        await self._backend.close()

    @work(exclusive=True, group="follow")
    async def _follow(self) -> None:
        async for update in self._backend.follow():
            first = not self.view.loaded
            if not first:
                self._tell_attempts(update)
            self.view = self.view.after(update)
            self._offer_resume()
            if first and update.state.away_since is not None:
                self._show_absence(asked=False)

    def _offer_resume(self) -> None:
        """Ask about agents that were lost, once all that go together are known to be."""
        fresh = {(agent.id, agent.attempt) for agent in lost_agents(self.view.state)} - self._asked_about
        if fresh and self.view.engine_alive:
            self._asked_about |= fresh
            self.set_timer(_TOGETHER_SECONDS, self._ask_resume, name="resume")

    def _ask_resume(self) -> None:
        """One question, one key; whoever says no has the key in the key bar."""
        lost = lost_agents(self.view.state)
        if not lost or isinstance(self.screen, ConfirmScreen):
            return
        ones, them = ("1 agent", "it") if len(lost) == 1 else (f"{len(lost)} agents", "them")
        if self.screen is not self._cockpit:
            self.notify(
                f"{ones} lost: B on the first screen brings {them} back", severity="warning", timeout=15
            )
            return
        self._confirm(
            f"Bring {ones} back?",
            f"At work when tmux or the machine ended. {resume_words(lost)}.",
            yes=f"bring {them} back",
            no=f"leave {them}; B does it later",
            then=lambda: self._send("resume", agents=[agent.id for agent in lost]),
        )

    def _tell_attempts(self, update: Update) -> None:
        """Show what was just tried that only the operator may; the header counts it, the log keeps it."""
        refused = [each.event for each in update.records if isinstance(each.event, AttemptRefused)]
        if refused:
            more = f" (and {len(refused) - 1} more before it)" if len(refused) > 1 else ""
            words = visible(attempt_sentence(refused[-1]), _ATTEMPT_CHARACTERS) + more
            self.notify(words, title="refused", severity="warning", timeout=15, markup=False)

    # ── what the operator wants ─────────────────────────────────────────────────────────────────

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
                self._send("amend", edits=edits, seen=preview.get("before"))
            elif said == "dismiss":
                self._send("dismiss-lesson", lesson=lesson.id)

        self.push_screen(of_lesson(lesson, preview), answer)

    @on(RequestKeys.TakeBackWanted)
    def _take_back_wanted(self) -> None:
        self._send("take-back")

    @on(RequestKeys.CardWanted)
    def _card_wanted(self, event: RequestKeys.CardWanted) -> None:

        from runebook_tui.tui.screens.card import CardScreen

        card = CardScreen(event.request, self._now, self._backend)
        self.push_screen(card.data_bind(RunebookApp.view), self._answer)

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

    @on(CockpitScreen.RestartWanted)
    def _restart_wanted(self, event: CockpitScreen.RestartWanted) -> None:
        self._send("restart", agent=event.agent)

    @on(CockpitScreen.ResumeWanted)
    def _resume_wanted(self) -> None:
        self._send("resume")

    @on(CockpitScreen.StopWanted)
    def _stop_wanted(self, event: CockpitScreen.StopWanted) -> None:
        agent = event.agent
        self._confirm(
            f"Stop {agent}?",
            "Its program is ended. Its files stay as they are, and R starts it again.",
            yes=f"stop {agent}",
            no="leave it running",
            then=lambda: self._send("stop", agent=agent),
        )

    @on(CockpitScreen.DownWanted)
    def _down_wanted(self) -> None:
        self._confirm(
            "Stop everything?",
            "Every agent's program and the engine are ended. The next `runebook-tui` goes on from there.",
            yes="stop everything",
            no="leave it running",
            then=lambda: self._send("down"),
        )

    @on(CockpitScreen.EngineWanted)
    def _engine_wanted(self) -> None:
        self._send("hello")

    @on(CockpitScreen.NewRunWanted)
    def _new_run_wanted(self) -> None:
        self._send("new-run")

    @on(ModeScreen.Wanted)
    def _wanted(self, event: ModeScreen.Wanted) -> None:
        self._send(event.do, **event.fields)

    # ── where the operator looks ────────────────────────────────────────────────────────────────

    def action_mode(self, mode: str) -> None:
        """Go to a mode; where it was left, it is found again."""
        if mode == self.current_mode:
            return
        if mode != modes.COCKPIT.id and mode not in self._opened:
            screen = self._opened[mode] = modes.by_id(mode).load()(self._backend, self._now)
            screen.view, screen.pulse = self.view, self._pulse
            self.add_mode(mode, lambda: screen)
        self.switch_mode(mode)

    def watch_view(self, view: View) -> None:
        """The modes that were opened have the same snapshot; they draw when they are looked at."""
        for screen in self._opened.values():
            screen.view = view

    def action_log(self) -> None:
        """Show everything that happened."""
        from runebook_tui.tui.screens.log import LogScreen

        self.push_screen(LogScreen(self._backend.events).data_bind(RunebookApp.view))

    def action_away(self) -> None:
        """Show what happened while the operator was away."""
        self._show_absence(asked=True)

    @work(exclusive=True, group="absence")
    async def _show_absence(self, *, asked: bool) -> None:
        """Show what happened since the operator last looked; unasked only where it is worth a screen."""
        from runebook_tui.tui.screens.away import AwayScreen

        now, since = self._now(), self.view.state.away_since or 0.0
        try:
            records = await self._backend.since(since, TYPES)
        except BackendError as error:
            self.notify(visible(str(error)), severity="error", markup=False)
            return
        absence = summary(records, since, self.view.state)
        if (asked or worth_telling(absence, now)) and self.screen is self._cockpit:
            self.push_screen(AwayScreen(lines(absence), since, now))

    def action_help(self) -> None:
        """Show every key."""
        from runebook_tui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen())

    def action_leave(self) -> None:
        """End the app, and say what goes on."""
        live = len(self.view.state.live_agents())
        words = "no agent is running"
        if live:
            agents = "1 agent goes" if live == 1 else f"{live} agents go"
            words = f"{agents} on; `runebook-tui down` ends {'it' if live == 1 else 'them'}"
        self.exit(message=Text(words))

    # ── sending ─────────────────────────────────────────────────────────────────────────────────

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

    def _confirm(self, title: str, words: str, *, yes: str, no: str, then: Callable[[], object]) -> None:
        def answer(meant: bool | None) -> None:
            if meant:
                then()

        self.push_screen(ConfirmScreen(title, words, yes=yes, no=no), answer)

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
        for screen in self._deciders():
            screen.sent(*verdict.requests)
        self._send(verdict.do, **verdict.fields())

    def _tell(self, do: str, answer: dict[str, object]) -> None:
        """Say what became of it, where there is more to say than that it was done."""
        for outcome in outcomes(do, answer):
            self.notify(
                visible(outcome.words),
                title=outcome.title,
                severity="information" if outcome.done else "warning",
                timeout=8 if outcome.done else 20,
                markup=False,
            )

    @work(group="send")
    async def _send(self, do: str, **fields: object) -> None:
        """Send, and show a refusal to the operator."""
        if (answer := await self._asked(do, **fields)) is not None:
            self._tell(do, answer)
            refused = answer.get("refused")
            if isinstance(refused, dict) and "requests" in fields:
                self._unsent(*(int(number) for number in refused))
        else:
            several = fields.get("requests")
            numbers = several if isinstance(several, list) else [fields.get("request")]
            self._unsent(*(each for each in numbers if isinstance(each, int)))

    def _deciders(self) -> list[RequestKeys]:
        """The screens that decide requests."""
        return [self._cockpit, *(each for each in self._opened.values() if isinstance(each, RequestKeys))]

    def _unsent(self, *requests: int) -> None:
        for screen in self._deciders():
            screen.unsent(*requests)

    async def _asked(self, do: str, **fields: object) -> dict[str, object] | None:
        """The engine's answer; None when it refused, which the operator is shown."""
        try:
            return await self._backend.send(do, **fields)
        except BackendError as error:
            self.notify(visible(str(error)), title=f"not done: {do}", severity="error", markup=False)
            return None
