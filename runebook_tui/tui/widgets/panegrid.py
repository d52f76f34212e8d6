"""PaneGrid: the panes of several agents beside each other, as many as there is room for."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.message import Message
from textual.widgets import Static

from runebook_tui.core.needs import needs_you
from runebook_tui.core.state import AgentState
from runebook_tui.tui import glyphs
from runebook_tui.tui.backend import Backend
from runebook_tui.tui.paneorder import cells, in_order, placed
from runebook_tui.tui.panewatch import PaneWatch
from runebook_tui.tui.view import EMPTY, View
from runebook_tui.tui.widgets.agent import AgentPanel


class PaneGrid(Container):
    """Shows agents by `draw`. A pane keeps its place while its agent is among those that are shown."""

    DEFAULT_CSS = """
    PaneGrid { layout: grid; width: 1fr; height: 1fr; }
    PaneGrid AgentPanel { border: round $border-blurred; border-title-color: $foreground 80%; padding: 0 1; }
    PaneGrid AgentPanel:focus-within { border: round $border; border-title-color: $foreground; }
    PaneGrid .empty { padding: 1 2; color: $foreground 60%; }
    """

    class Turned(Message):
        """Other panes are shown, or another one has the focus."""

    def __init__(self, backend: Backend, watch: PaneWatch, now: Callable[[], float]) -> None:
        super().__init__()
        self.agents: tuple[str, ...] = ()
        """Whose panes are shown, from the top left."""
        self.pinned: set[str] = set()
        self.zoomed = False
        self.page = 0
        self.left_out = 0
        """How many agents there are beside those that are shown."""
        self._backend = backend
        self._watch = watch
        self._now = now
        self._tiles: list[AgentPanel] = []
        self._empty = Static("", classes="empty")
        self._view = EMPTY
        self._wanted: Callable[[AgentState], bool] = lambda agent: True

    def compose(self) -> ComposeResult:
        """What stands there without agents; the panes come as there is room."""
        yield self._empty

    def draw(self, view: View, wanted: Callable[[AgentState], bool]) -> None:
        """Show the agents that are `wanted`."""
        self._view, self._wanted = view, wanted
        self._arrange()

    def on_resize(self, event: Resize) -> None:
        """As many as there is room for now."""
        self._arrange()

    @property
    def agent(self) -> str | None:
        """Whose pane has the focus; else the first."""
        tile = next((tile for tile in self._tiles if tile.has_focus_within and tile.display), None)
        return tile.agent if tile is not None else next(iter(self.agents), None)

    def step(self, right: int, down: int) -> None:
        """Focus the pane in a direction."""
        columns = 1 if self.zoomed else self._columns
        index = self.agents.index(self.agent) if self.agent in self.agents else 0
        index += right + down * columns
        if self.zoomed:
            self._zoom_next(right or down)
        elif 0 <= index < len(self.agents):
            self.focus_agent(self.agents[index])

    def focus_agent(self, agent: str) -> None:
        """Put the focus on the agent's pane; one that is not shown gets a place first."""
        if agent not in self.agents:
            self.agents = (agent, *self.agents[1:]) if self.agents else (agent,)
            self._assign()
        self._tiles[self.agents.index(agent)].pane.focus()

    def toggle_zoom(self) -> None:
        """Show the focused pane alone, or all again."""
        agent = self.agent
        if agent is None:
            return
        self.zoomed = not self.zoomed
        self.agents = (agent,) if self.zoomed else ()
        self._arrange(keep=agent)
        self.focus_agent(agent)

    def toggle_pin(self) -> None:
        """Keep the focused pane on the screen, or let it go."""
        if (agent := self.agent) is not None:
            self.pinned ^= {agent}
            self._assign()

    def turn(self, step: int) -> None:
        """Show the agents that come after (or before) those that are shown."""
        if self.zoomed:
            self._zoom_next(step)
            return
        count = self._columns * self._lines
        pages = max(1, -(-len(self._order()) // count))
        self.page = (self.page + step) % pages
        self.agents = ()
        self._arrange()
        self.focus_first()

    def next(self) -> bool:
        """Focus the next agent that needs the operator; False when none does."""
        state = self._view.state
        order = [agent for agent in self._order() if needs_you(state, state.agents[agent], self._now())]
        if not order:
            return False
        at = order.index(self.agent) + 1 if self.agent in order else 0
        self.focus_agent(order[at % len(order)])
        return True

    def focus_first(self) -> None:
        """Put the focus on a pane where none has it."""
        if self.agents and not any(tile.has_focus_within and tile.display for tile in self._tiles):
            self._tiles[0].pane.focus()

    @on(DescendantFocus)
    def _focused(self) -> None:
        self.post_message(self.Turned())

    # ── places ──────────────────────────────────────────────────────────────────────────────────

    @property
    def _columns(self) -> int:
        return cells(self.size.width, self.size.height)[0]

    @property
    def _lines(self) -> int:
        return cells(self.size.width, self.size.height)[1]

    def _order(self) -> tuple[str, ...]:
        return in_order(self._view.state, self._now(), self.pinned, self._wanted)

    def _zoom_next(self, step: int) -> None:
        order = self._order()
        at = order.index(self.agent) if self.agent in order else 0
        self.agents = ()
        self._arrange(keep=order[(at + step) % len(order)])
        self.focus_first()

    def _arrange(self, keep: str | None = None) -> None:
        """Choose who is shown, and give everybody a place."""
        if not self.is_mounted or not self.size.area:
            return
        order = self._order()
        count = 1 if self.zoomed else self._columns * self._lines
        start = 0 if self.zoomed else min(self.page * count, max(0, len(order) - 1)) // count * count
        self.page = self.page if self.zoomed else start // count
        shown = order if self.zoomed else order[start:]
        held = {keep or self.agent or ""} if keep or self._reading else set()
        before = self.agents or ((keep,) if keep else ())
        self.agents = placed(shown, before, min(count, len(shown)), held)
        self.left_out = len(order) - len(self.agents)
        self._assign()

    @property
    def _reading(self) -> bool:
        """Whether a pane has the focus, which is not taken from under the operator."""
        return any(tile.has_focus_within and tile.display for tile in self._tiles)

    def _assign(self) -> None:
        """Put the agents into tiles, and lay these out."""
        while len(self._tiles) < len(self.agents):
            tile = AgentPanel(self._backend, self._watch)
            self._tiles.append(tile)
            self.mount(tile)
        count = max(1, len(self.agents))
        columns = 1 if self.zoomed else min(self._columns, count)
        self.styles.grid_size_columns = columns
        self.styles.grid_size_rows = -(-count // columns)
        for index, tile in enumerate(self._tiles):
            tile.display = index < len(self.agents)
            if tile.display:
                tile.agent = self.agents[index]
                tile.view = self._view
                pinned = tile.agent in self.pinned
                tile.border_subtitle = Content.styled("pinned", glyphs.MUTED) if pinned else None
        self._empty.display = not self.agents
        if not self.agents:
            some = bool(self._view.state.agents)
            self._empty.update(
                "no agent is like that: esc takes the filter away"
                if some
                else "no agent yet: the plan in runebook.toml names them"
            )
        self.post_message(self.Turned())
