"""NewsApp: what the app says without being asked: agents that were lost, attempts, calls for the operator."""

from __future__ import annotations

import os
from collections.abc import Callable

from textual.events import Event, InputEvent

from runebook_tui.core.events import AttemptRefused
from runebook_tui.core.printable import visible
from runebook_tui.core.resuming import lost_agents
from runebook_tui.core.resuming import words as resume_words
from runebook_tui.core.sentences import attempt_sentence
from runebook_tui.settings import load_settings
from runebook_tui.tui.backend import Backend, Update
from runebook_tui.tui.caller import Caller
from runebook_tui.tui.screens.confirm import ConfirmScreen
from runebook_tui.tui.sending import SendingApp

_ATTEMPT_CHARACTERS = 300
_TOGETHER_SECONDS = 1.0
"""How long agents may be lost one after the other, and be one question."""
_CALL_SECONDS = 1.0


class NewsApp(SendingApp, inherit_bindings=False):
    """Follows the view, and speaks up. `now` gives unix seconds."""

    def __init__(self, backend: Backend, now: Callable[[], float]) -> None:
        super().__init__(backend, now)
        self._asked_about: set[tuple[str, int]] = set()
        self._resume_question: ConfirmScreen | None = None
        self._settings = load_settings()
        self._caller = Caller(self._settings.notify, now, self._to_terminal, os.environ)

    @property
    def at_first(self) -> bool:
        """Whether the cockpit is looked at, with nothing over it."""
        return len(self.screen_stack) == 1 and self.current_mode == self.DEFAULT_MODE

    # ── calls ───────────────────────────────────────────────────────────────────────────────────

    def begin_calls(self) -> None:
        """Begin to tell of what the operator does not see."""
        if self._settings.problem:
            self.notify(self._settings.problem, severity="warning", timeout=15, markup=False)
        self.set_interval(_CALL_SECONDS, self._call, name="calls")

    async def on_event(self, event: Event) -> None:
        """Whoever presses a key looks."""
        if isinstance(event, InputEvent):
            self._caller.touched()
        await super().on_event(event)

    def watch_app_focus(self, focus: bool) -> None:
        """The terminal says whether it is looked at."""
        self._caller.looked_at(focus)

    async def _call(self) -> None:
        mode = self.current_mode if self._caller.looks else ""
        fresh = self._caller.hear(self.view, mode)
        if not fresh:
            return
        if self._caller.looks:
            for call in fresh:
                self.notify(call.words, severity="warning", timeout=10, markup=False)
        else:
            self._caller.ring(fresh)
            await self._backend.call(fresh, self._settings.notify)

    def _to_terminal(self, data: str) -> None:
        if self._driver is not None and not self.is_web:
            self._driver.write(data)

    # ── what was lost, and what was tried ───────────────────────────────────────────────────────

    def offer_resume(self) -> None:
        """Ask about agents that were lost, once all that go together are known to be."""
        fresh = {(agent.id, agent.attempt) for agent in lost_agents(self.view.state)} - self._asked_about
        if fresh and self.view.engine_alive:
            self._asked_about |= fresh
            self.set_timer(_TOGETHER_SECONDS, self._ask_resume, name="resume")
        question = self._resume_question
        if question is not None and question.is_current and not lost_agents(self.view.state):
            question.dismiss(False)

    def _ask_resume(self) -> None:
        """One question, one key; whoever says no has the key in the key bar."""
        lost = lost_agents(self.view.state)
        if not lost or isinstance(self.screen, ConfirmScreen):
            return
        ones, them = ("1 agent", "it") if len(lost) == 1 else (f"{len(lost)} agents", "them")
        if not self.at_first:
            self.notify(
                f"{ones} lost: B on the first screen brings {them} back", severity="warning", timeout=15
            )
            return
        self._resume_question = self.confirm(
            f"Bring {ones} back?",
            f"At work when tmux or the machine ended. {resume_words(lost)}.",
            yes=f"bring {them} back",
            no=f"leave {them}; B does it later",
            then=lambda: self.send("resume", agents=[agent.id for agent in lost]),
        )

    def tell_attempts(self, update: Update) -> None:
        """Show what was just tried that only the operator may; the header counts it, the log keeps it."""
        refused = [each.event for each in update.records if isinstance(each.event, AttemptRefused)]
        if refused:
            more = f" (and {len(refused) - 1} more before it)" if len(refused) > 1 else ""
            words = visible(attempt_sentence(refused[-1]), _ATTEMPT_CHARACTERS) + more
            self.notify(words, title="refused", severity="warning", timeout=15, markup=False)
