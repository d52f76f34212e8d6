"""AgentPanel: one agent's live pane, or why there is none; and where in it is read."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.reactive import var
from textual.widgets import Input, Static

from runebook_tui.core.authority import standing
from runebook_tui.core.gates import agent_unmet
from runebook_tui.core.printable import visible
from runebook_tui.core.state import AgentState
from runebook_tui.core.types import AgentStatus
from runebook_tui.tui import glyphs
from runebook_tui.tui.backend import Backend, BackendError, Frame, Rows
from runebook_tui.tui.panewatch import PaneWatch
from runebook_tui.tui.text import safe
from runebook_tui.tui.view import EMPTY, View, status_word
from runebook_tui.tui.widgets.pane import PaneView
from runebook_tui.tui.widgets.words import entitle


class AgentPanel(Vertical):
    """Shows what the watch sees of its agent's pane."""

    DEFAULT_CSS = """
    AgentPanel .foot { height: 1; display: none; background: $panel; }
    AgentPanel .search { height: 1; border: none; padding: 0 1; display: none; background: $panel; }
    """

    class GoWanted(Message):
        """The operator wants to go to an agent's pane."""

        def __init__(self, agent: str) -> None:
            super().__init__()
            self.agent = agent

    view: var[View] = var(EMPTY)
    agent: var[str | None] = var(None)
    """The agent to show."""

    def __init__(
        self, backend: Backend, watch: PaneWatch, *, id: str | None = None, classes: str = ""
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.pane = PaneView(self._rows)
        self.looked = False
        """Whether the pane of the agent has been looked at since it was selected."""
        self._backend = backend
        self._watch = watch
        self._foot = Static(classes="foot")
        self._search = Input(placeholder="search …", classes="search", compact=True)

    def compose(self) -> ComposeResult:
        """The pane, and a line below it while it is read; its words stand in the border."""
        yield self.pane
        yield self._foot
        yield self._search

    def on_mount(self) -> None:
        """Have it looked at."""
        self._watch.add(self)

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        self._watch.remove(self)

    @property
    def seen(self) -> bool:
        """Whether the pane is on the screen now."""
        return (
            self.is_mounted
            and self.screen.is_current
            and self.pane.is_on_screen
            and bool(self.pane.region.area)
        )

    def watch_agent(self) -> None:
        """Look at the other agent at once."""
        self._title()
        self.pane.follow()
        self._close_search()
        self._anew()

    def watch_view(self, before: View, after: View) -> None:
        """Look at once when the agent started or ended."""
        self._title()
        old, new = (each.state.agents.get(self.agent or "") for each in (before, after))
        if (old and (old.status, old.alive)) != (new and (new.status, new.alive)):
            self._anew()

    def _anew(self) -> None:
        self.looked = False
        self._watch.look(self)

    def _title(self) -> None:
        agent = self.view.state.agents.get(self.agent or "")
        if agent is None:
            entitle(self, Content("Pane"))
            return
        spec = agent.spec
        program = f"built-in {spec.builtin}" if spec.builtin else spec.client or " ".join(spec.command or ())
        glyph = glyphs.STANDING[standing(self.view.state, agent).word]
        title = Content.assemble(
            (glyph.sign, glyph.style),
            f" {agent.id} · {status_word(self.view.state, agent)} · "
            + (f"{agent.lane} · " if agent.lane else "")
            + (f"at {spec.host} · " if spec.host else ""),
            safe(program, glyphs.MUTED, limit=200),
        )
        entitle(self, title)

    # ── what the watch saw ──────────────────────────────────────────────────────────────────────

    def took(self, found: Frame | BackendError | None) -> None:
        """Show what there is now."""
        self.looked = True
        agent = self.view.state.agents.get(self.agent or "")
        if agent is None:
            self._say("no agent is selected")
        elif (last := self._last_words(agent)) is not None:
            self.pane.show(last, None)
        elif isinstance(found, Frame):
            self.pane.show(found.lines, found.cursor, found.history, found.width)
        elif isinstance(found, BackendError):
            if agent.last_lines and not agent.alive:
                self.pane.show([_bytes(line) for line in agent.last_lines], None)
            else:
                self._say(f"the pane cannot be read: {found}")
        elif agent.status in (AgentStatus.PENDING, AgentStatus.WAITING):
            waits = ", ".join(agent_unmet(self.view.state, agent))
            self._say(f"{agent.id} has not started" + (f": it waits for {waits}" if waits else ""))
        else:
            self._say(f"{agent.id} has no pane now")

    async def _rows(self, start: int, count: int) -> Rows:
        return await self._backend.rows(self.agent or "", start, count)

    def _say(self, words: str) -> None:
        self.pane.show(self._words(words), None)

    def _last_words(self, agent: AgentState) -> tuple[bytes, ...] | None:
        """How a failed agent ended, with the last lines it printed."""
        if agent.alive or agent.status is not AgentStatus.FAILED:
            return None
        words = self._words(f"{agent.id} failed: {agent.reason or 'for an unknown reason'}")
        return (*words, b"", *(_bytes(line) for line in agent.last_lines))

    def _words(self, words: str) -> tuple[bytes, ...]:
        """Our own words in the place of a pane, folded."""
        lines = textwrap.wrap(visible(words), max(20, self.pane.size.width))
        return tuple(line.encode() for line in lines)

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    @on(PaneView.Reading)
    def _reading(self) -> None:
        words = reading_words(self.pane)
        self._foot.display = words is not None and not self._search.display
        if words is not None:
            self._foot.update(words)

    @on(PaneView.SearchWanted)
    def _search_wanted(self) -> None:
        self._search.display = True
        self._foot.display = False
        self._search.focus()

    @on(Input.Changed)
    def _search_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.pane.search(event.value)

    @on(Input.Submitted)
    def _search_done(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_search()
        self.pane.focus()

    def on_key(self, event: Key) -> None:
        """While a text is typed: the next places, and the way out."""
        if not self._search.has_focus:
            return
        keys: dict[str, Callable[[], None]] = {
            "up": partial(self.pane.action_step, 1),
            "down": partial(self.pane.action_step, -1),
            "shift+enter": partial(self.pane.action_step, -1),
            "escape": self._give_up,
        }
        if event.key in keys:
            event.stop()
            keys[event.key]()

    def _give_up(self) -> None:
        self.pane.search("")
        self._close_search()
        self.pane.focus()

    def _close_search(self) -> None:
        self._search.display = False
        with self._search.prevent(Input.Changed):
            self._search.value = ""
        self._reading()


def reading_words(pane: PaneView) -> Content | None:
    """Where a pane is read and what the keys do there; None when it just shows what comes."""
    parts: list[str | tuple[str, str]] = []
    if not pane.following and (rows := pane.above_end):
        parts.append(f"{rows} row{'s' if rows != 1 else ''} above the end")
    if pane.selection is not None:
        marking = pane.selection.anchor is not None
        parts.append("y copies" if marking else "v marks from here, y copies the row")
    elif pane.found is not None:
        parts.append(f"{visible(pane.found.wanted, 40)}: {pane.found.words}")
        parts.append("n older, N newer")
    elif not parts:
        return None
    parts.append("esc leaves" if pane.selection or pane.found else "end follows")
    return Content.styled(" " + " · ".join(str(part) for part in parts), glyphs.MUTED)


def _bytes(line: str) -> bytes:
    return line.encode("utf-8", "surrogatepass")
