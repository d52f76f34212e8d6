"""AgentPanel: the selected agent's live pane, or why there is none."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Awaitable, Callable

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive, var

from runebook_tui.core.authority import standing
from runebook_tui.core.gates import agent_unmet
from runebook_tui.core.printable import visible
from runebook_tui.core.state import AgentState
from runebook_tui.core.types import AgentStatus
from runebook_tui.tui import glyphs
from runebook_tui.tui.backend import BackendError, Frame
from runebook_tui.tui.text import safe
from runebook_tui.tui.view import EMPTY, View, status_word
from runebook_tui.tui.widgets.pane import PaneView

_FAST, _SLOW, _SLOWER = 0.1, 0.5, 1.3
"""Seconds between two looks at a pane: while it changes, at most, and the factor from one to the other."""


class AgentPanel(Vertical):
    """Looks at the selected agent's pane while it can be seen, one look at a time."""

    view: reactive[View] = reactive(EMPTY)
    agent: var[str | None] = var(None)
    """The agent to show."""

    def __init__(self, capture: Callable[[str], Awaitable[Frame | None]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.pane = PaneView()
        self.looked = False
        """Whether the pane of the agent has been looked at since it was selected."""
        self._capture = capture
        self._shown: tuple[tuple[bytes, ...], tuple[int, int] | None] | None = None

    def compose(self) -> ComposeResult:
        """The pane alone; its words stand in the border."""
        yield self.pane

    def on_mount(self) -> None:
        """Start looking."""
        self._look()

    def watch_agent(self) -> None:
        """Look at the other agent at once."""
        self._title()
        if self.is_mounted:
            self._look()

    def watch_view(self, before: View, after: View) -> None:
        """Look at once when the agent started or ended."""
        self._title()
        old, new = (each.state.agents.get(self.agent or "") for each in (before, after))
        if self.is_mounted and (old and (old.status, old.alive)) != (new and (new.status, new.alive)):
            self._look()

    def _title(self) -> None:
        agent = self.view.state.agents.get(self.agent or "")
        if agent is None:
            self.border_title = Content("Pane")
            return
        spec = agent.spec
        program = f"built-in {spec.builtin}" if spec.builtin else spec.client or " ".join(spec.command or ())
        glyph = glyphs.STANDING[standing(self.view.state, agent).word]
        self.border_title = Content.assemble(
            (glyph.sign, glyph.style),
            f" {agent.id} · {status_word(self.view.state, agent)} · "
            + (f"{agent.lane} · " if agent.lane else ""),
            safe(program, glyphs.MUTED, limit=200),
        )

    @work(exclusive=True, group="pane")
    async def _look(self) -> None:
        self._shown, self.looked = None, False
        pause = _FAST
        while True:
            if self.screen.is_current and self.pane.is_on_screen and self.pane.region.area:
                pause = _FAST if await self._look_once() else min(pause * _SLOWER, _SLOW)
            await asyncio.sleep(pause)

    async def _look_once(self) -> bool:
        """Show what there is now; whether it differs from what was shown."""
        agent = self.view.state.agents.get(self.agent or "")
        if agent is None:
            content = self._words("no agent is selected")
        else:
            content = self._last_words(agent) or await self._captured(agent)
        self.looked = True
        if content == self._shown:
            return False
        self._shown = content
        self.pane.show(*content)
        return True

    async def _captured(self, agent: AgentState) -> _Content:
        try:
            frame = await self._capture(agent.id)
        except BackendError as error:
            if agent.last_lines and not agent.alive:
                return tuple(_bytes(line) for line in agent.last_lines), None
            return self._words(f"the pane cannot be read: {error}")
        if frame is not None:
            return frame.lines, frame.cursor
        if agent.status in (AgentStatus.PENDING, AgentStatus.WAITING):
            waits = ", ".join(agent_unmet(self.view.state, agent))
            return self._words(f"{agent.id} has not started" + (f": it waits for {waits}" if waits else ""))
        return self._words(f"{agent.id} has no pane now")

    def _last_words(self, agent: AgentState) -> _Content | None:
        """How a failed agent ended, with the last lines it printed."""
        if agent.alive or agent.status is not AgentStatus.FAILED:
            return None
        words, _ = self._words(f"{agent.id} failed: {agent.reason or 'for an unknown reason'}")
        return (*words, b"", *(_bytes(line) for line in agent.last_lines)), None

    def _words(self, words: str) -> _Content:
        """Our own words in the place of a pane, folded."""
        lines = textwrap.wrap(visible(words), max(20, self.pane.size.width))
        return tuple(line.encode() for line in lines), None


def _bytes(line: str) -> bytes:
    return line.encode("utf-8", "surrogatepass")


_Content = tuple[tuple[bytes, ...], tuple[int, int] | None]
