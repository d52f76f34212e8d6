"""PanesScreen: what the agents' terminals show, several beside each other or one alone."""

from __future__ import annotations

from collections.abc import Iterable

from textual import getters, on
from textual.widget import Widget

from runebook_tui.core.needs import needs_you
from runebook_tui.core.state import AgentState
from runebook_tui.tui.panewatch import PaneWatch
from runebook_tui.tui.screens.mode import ModeScreen
from runebook_tui.tui.view import status_word
from runebook_tui.tui.widgets.agent import AgentPanel
from runebook_tui.tui.widgets.panegrid import PaneGrid


class PanesScreen(ModeScreen):
    """A grid of panes; who needs the operator comes first."""

    MODE = "panes"
    AUTO_FOCUS = ""

    grid = getters.query_one(PaneGrid)

    def body(self) -> Iterable[Widget]:
        """The grid."""
        self._looking = PaneWatch(self.backend.captures)
        yield PaneGrid(self.backend, self._looking, self.now)

    def on_mount(self) -> None:
        """Look at the panes that are seen."""
        super().on_mount()
        self.run_worker(self._looking.run(), group="pane")

    def draw(self) -> None:
        """The agents that the filter leaves."""
        self.grid.draw(self.view, self._wanted)

    def offered(self) -> Iterable[tuple[str, str]]:
        """What the keys do with the focused pane."""
        grid, state = self.grid, self.view.state
        if (agent := grid.agent) is not None:
            yield "panes.go", f"go to {agent}"
            yield "panes.zoom", "all panes" if grid.zoomed else "zoom"
            yield "panes.pin", "unpin" if agent in grid.pinned else "pin"
        if waiting := sum(needs_you(state, each, self.now()) for each in state.agents.values()):
            yield "panes.next", f"{waiting} need{'s' if waiting == 1 else ''} you"
        if grid.left_out:
            yield "panes.later", f"{grid.left_out} more"
        yield "panes.filter", "filter"

    def _wanted(self, agent: AgentState) -> bool:
        word = status_word(self.view.state, agent)
        return self.matches(agent.id, agent.spec.client or "", agent.spec.builtin or "", word)

    @on(PaneGrid.Turned)
    def _turned(self) -> None:
        if self.focused is None:
            self.grid.focus_first()
        self.offer()

    def action_go(self) -> None:
        """Go to the focused agent's pane."""
        if (agent := self.grid.agent) is None:
            self.say("no agent is selected")
        else:
            self.post_message(AgentPanel.GoWanted(agent))

    def action_zoom(self) -> None:
        """One pane alone, or all."""
        self.grid.toggle_zoom()

    def action_pin(self) -> None:
        """Keep a pane on the screen."""
        self.grid.toggle_pin()
        self.offer()

    def action_step(self, right: int, down: int) -> None:
        """Focus the pane in a direction."""
        self.grid.step(right, down)

    def action_turn(self, step: int) -> None:
        """Show other agents."""
        self.grid.turn(step)

    def action_next(self) -> None:
        """To whoever needs the operator."""
        if not self.grid.next():
            self.say("no agent needs you")

    def action_back(self) -> None:
        """All panes again, else what every mode does."""
        if self.grid.zoomed:
            self.grid.toggle_zoom()
        else:
            super().action_back()
