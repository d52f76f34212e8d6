"""SpeakingApp: what the app does when the operator says something to agents, or answers what they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work

from runebook_tui.tui.backend import BackendError
from runebook_tui.tui.screens.speaking_keys import SpeakingKeys
from runebook_tui.tui.sending import SendingApp
from runebook_tui.tui.widgets.requests import RequestsPanel

if TYPE_CHECKING:
    from runebook_tui.tui.screens.say import SayScreen

_EARLIER = 50


class SpeakingApp(SendingApp, inherit_bindings=False):
    """Words and answers, and what became of them."""

    _draft = ""
    """Words that were written and not said yet."""

    @on(SpeakingKeys.SayWanted)
    def _say_wanted(self, event: SpeakingKeys.SayWanted) -> None:
        from runebook_tui.tui.screens.say import SayScreen

        screen = SayScreen(event.agents, several=event.several, text=self._draft)

        def keep(draft: str | None) -> None:
            self._draft = draft or ""

        self.push_screen(screen.data_bind(SendingApp.view), keep)
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
