"""SayScreen: words that are typed into the panes of agents, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.message import Message
from textual.reactive import var
from textual.screen import ModalScreen
from textual.widgets import Static

from runebook_tui.core.speech import refusal
from runebook_tui.tui import commands, glyphs
from runebook_tui.tui.bindings import bindings
from runebook_tui.tui.keys import saying
from runebook_tui.tui.text import safe
from runebook_tui.tui.view import EMPTY, View
from runebook_tui.tui.widgets.draft import Draft
from runebook_tui.tui.widgets.recipients import Recipients

_TITLE_CELLS = 50


class SayScreen(ModalScreen[str]):
    """Ends with the words that were not said, to be kept for the next time; "" when all was said.

    `agents` are meant at first; with `several` they can be chosen from a list.
    """

    BINDINGS = bindings(saying.SCREEN)

    view: var[View] = var(EMPTY)
    draft = getters.query_one(Draft)
    recipients = getters.query_one(Recipients)

    class Wanted(Message):
        """The operator wants `text` said to `agents`; `screen` is to hear what became of it."""

        def __init__(self, screen: SayScreen, agents: tuple[str, ...], text: str) -> None:
            super().__init__()
            self.screen = screen
            self.agents = agents
            self.text = text

    def __init__(self, agents: tuple[str, ...], *, several: bool, text: str = "") -> None:
        super().__init__()
        self._agents = agents
        self._several = several
        self._text = text
        self._saying = False
        self._earlier: Sequence[str] = ()

    def compose(self) -> ComposeResult:
        """Who is meant, the words, what there is to say about it, the keys."""
        with Vertical(id="dialog"):
            yield Recipients(self._agents, id="recipients").data_bind(SayScreen.view)
            yield Draft(self._text, id="draft")
            yield Static(id="notice")
            yield Static(id="keys")

    def on_mount(self) -> None:
        """Write first; the list is there where several can be meant."""
        self.recipients.display = self._several
        self.draft.earlier = self._earlier
        self.draft.focus()

    def remember(self, earlier: Sequence[str]) -> None:
        """What was said before, the newest first, each once."""
        self._earlier = earlier
        if self.is_mounted:
            self.draft.earlier = earlier

    def told(self, said: dict[str, tuple[str, str]]) -> None:
        """What became of it, by agent: the outcome and why. Closes when all have it; {}: it was refused."""
        self._saying = False
        if said and all(outcome == "submitted" for outcome, _ in said.values()):
            self.dismiss("")
            return
        if said:
            self.recipients.tell(said)
            self.recipients.display = True
        again = "⏎ says it again to those it was held back from" if self.recipients.marked else ""
        self._notice(again)
        self._entitle()

    @on(Draft.Written)
    def _written(self) -> None:
        if self._saying:
            return
        agents, text = self.recipients.marked, self.draft.text
        why = refusal(text) or ("" if agents else "mark who is meant: ⇥ goes to the list")
        if why:
            self._notice(why)
            return
        self._saying = True
        self._notice("typing …")
        self.post_message(self.Wanted(self, agents, text))

    @on(Recipients.Changed)
    @on(DescendantFocus)
    def _changed(self) -> None:
        self._entitle()

    def action_other(self) -> None:
        """Go from the words to the agents, or back."""
        if self.recipients.display and self.draft.has_focus:
            self.recipients.focus()
        else:
            self.draft.focus()

    def action_close(self) -> None:
        """Close, and keep the words."""
        self.dismiss(self.draft.text)

    def _notice(self, words: str) -> None:
        self.query_one("#notice", Static).update(safe(words, glyphs.CAUTION))

    def _entitle(self) -> None:
        names = self.recipients.marked
        shown = ", ".join(names)
        if len(shown) > _TITLE_CELLS:
            shown = f"{len(names)} agents"
        self.query_one("#dialog").border_title = Content(f"Say to {shown or 'nobody yet'}")
        in_list = self.recipients.has_focus
        table = (*saying.RECIPIENTS, *saying.SCREEN) if in_list else (*saying.DRAFT[:3], *saying.SCREEN)
        parts: list[Content | tuple[str, str] | str] = []
        for command in table:
            if command.id == "say.next" and not self.recipients.display:
                continue
            parts += [(commands.key_sign(command.key), glyphs.ACCENT), f" {command.word}   "]
        self.query_one("#keys", Static).update(Content.assemble(*parts))
