"""WhyScreen: what an agent does, by whose authority that is known, and what it did before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from runebook_tui.core.authority import standing
from runebook_tui.core.snoozing import is_snoozed
from runebook_tui.core.standing import Standing, explained
from runebook_tui.core.state import AgentState, State
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import age, safe

_LINE_LIMIT = 400


class WhyScreen(ModalScreen[None]):
    """Any key closes it. `now` gives unix seconds; the state is that of when it was opened."""

    def __init__(self, state: State, agent: AgentState, now: Callable[[], float]) -> None:
        super().__init__()
        self._state, self._agent, self._now = state, agent, now

    def compose(self) -> ComposeResult:
        """What it does and for how long, how that is known, and the states before."""
        agent, now = self._agent, self._now()
        stands = standing(self._state, agent)
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content.assemble("Why is ", safe(agent.id), f" {stands.word}?")
            yield Static(Content("\n").join(self._lines(stands, now)), id="what")
            before = list(self._before(stands))
            if before:
                yield Static(Content.styled("Before that", glyphs.STRONG), classes="group")
                yield Static(Content("\n").join(before), id="before")
            yield Static(Content.styled("any key closes", glyphs.MUTED), id="keys")

    def _lines(self, stands: Standing, now: float) -> Iterator[Content]:
        sign = glyphs.STANDING[stands.word]
        since = "" if stands.since is None else f" for {age(now - stands.since)}"
        yield Content.assemble((sign.sign, sign.style), f" {stands.word}{since}")
        for name, words in (("says", str(stands.source)), ("rule", stands.rule), ("line", stands.line)):
            if words:
                yield Content.assemble((f"{name}  ", glyphs.MUTED), safe(words, limit=_LINE_LIMIT))
        if is_snoozed(self._agent, now) and self._agent.snoozed_until is not None:
            yield Content.styled(f"snoozed for {age(self._agent.snoozed_until - now)} more", glyphs.MUTED)

    def _before(self, stands: Standing) -> Iterator[Content]:
        until = stands.since
        for each in reversed(self._agent.standings[:-1]):
            sign = glyphs.STANDING[each.word]
            took = "" if each.since is None or until is None else f" for {age(until - each.since)}"
            words = safe(explained(each), glyphs.MUTED, limit=_LINE_LIMIT)
            yield Content.assemble((sign.sign, sign.style), f" {each.word}{took}: ", words)
            until = each.since

    def on_key(self, event: Key) -> None:
        """Close."""
        event.stop()
        self.dismiss(None)
