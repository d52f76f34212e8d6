"""Speaking: what the app does when the operator says something to agents, or answers what they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work
from textual.app import App
from textual.reactive import reactive

from runebook_tui.core.printable import visible
from runebook_tui.tui.backend import Backend, BackendError
from runebook_tui.tui.screens.speaking_keys import SpeakingKeys
from runebook_tui.tui.view import EMPTY, View
from runebook_tui.tui.widgets.requests import RequestsPanel

if TYPE_CHECKING:
    from runebook_tui.tui.screens.say import SayScreen

_EARLIER = 50


class Speaking(App[None], inherit_bindings=False):
    """The part of the app that asks the engine, and sends words and answers."""

    view: reactive[View] = reactive(EMPTY)
    """What is known now: the one thing that everything on the screen is drawn from."""

    _backend: Backend
    _draft = ""
    """Words that were written and not said yet."""

    async def _asked(self, do: str, **fields: object) -> dict[str, object] | None:
        """The engine's answer; None when it refused, which the operator is shown."""
        try:
            return await self._backend.send(do, **fields)
        except BackendError as error:
            self.notify(visible(str(error)), title=f"not done: {do}", severity="error", markup=False)
            return None

    @on(SpeakingKeys.SayWanted)
    def _say_wanted(self, event: SpeakingKeys.SayWanted) -> None:
        from runebook_tui.tui.screens.say import SayScreen

        screen = SayScreen(event.agents, several=event.several, text=self._draft)

        def keep(draft: str | None) -> None:
            self._draft = draft or ""

        self.push_screen(screen.data_bind(Speaking.view), keep)
        self._remember(screen)

    @work(exclusive=True, group="earlier")
    async def _remember(self, screen: SayScreen) -> None:
        """Show the screen what was said before."""
        try:
            records = await self._backend.since(0.0, ("SaidToAgent",))
        except BackendError:
            return
        texts = (str(getattr(record.event, "text", "")) for record in reversed(records))
        screen.remember(list(dict.fromkeys(texts))[:_EARLIER])

    async def on_say_screen_wanted(self, event: SayScreen.Wanted) -> None:
        """Have it typed, and show on the screen what became of it."""
        self._say(event)

    @work(group="send")
    async def _say(self, event: SayScreen.Wanted) -> None:
        answer = await self._asked("say", agents=list(event.agents), text=event.text)
        said = () if answer is None else answer.get("said")
        told = {
            str(each["id"]): (str(each["outcome"]), str(each["why"]))
            for each in (said if isinstance(said, list | tuple) else ())
        }
        if event.screen.is_attached:
            event.screen.told(told)
        if told and all(outcome == "submitted" for outcome, _ in told.values()):
            self.notify(
                f"{', '.join(told)} {'has' if len(told) == 1 else 'have'} it", timeout=4, markup=False
            )

    @on(SpeakingKeys.AnswerWanted)
    def _answer_wanted(self, event: SpeakingKeys.AnswerWanted) -> None:
        self._answer_question(event)

    @work(group="send")
    async def _answer_question(self, event: SpeakingKeys.AnswerWanted) -> None:
        asked = event.question
        done = await self._asked("answer", agent=asked.agent, question=asked.words, answer=event.answer)
        if done is None:
            for panel in self.screen_stack[0].query(RequestsPanel):
                panel.answered(asked, undone=True)
