"""CockpitScreen: the plan, the selected agent's pane, the requests, and the last events on one screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget

from runebook_tui.core.needs import needs
from runebook_tui.core.resuming import lost_agents
from runebook_tui.core.snoozing import why_not as why_not_snoozed
from runebook_tui.core.state import AgentState
from runebook_tui.tui import glyphs, modes
from runebook_tui.tui.backend import Backend
from runebook_tui.tui.bindings import bindings, in_force
from runebook_tui.tui.offers import offers
from runebook_tui.tui.panewatch import PaneWatch
from runebook_tui.tui.screens.mode import ModeScreen
from runebook_tui.tui.screens.request_keys import NO_ENGINE
from runebook_tui.tui.screens.speaking_keys import SpeakingKeys
from runebook_tui.tui.screens.why import WhyScreen
from runebook_tui.tui.view import BEHIND, View, same_but
from runebook_tui.tui.widgets.agent import AgentPanel
from runebook_tui.tui.widgets.header import HeaderBar
from runebook_tui.tui.widgets.lessons import LessonLine
from runebook_tui.tui.widgets.modes import ModeBar
from runebook_tui.tui.widgets.pane import PaneView
from runebook_tui.tui.widgets.plan import PlanPanel
from runebook_tui.tui.widgets.requests import RequestsPanel
from runebook_tui.tui.widgets.rows import Rows
from runebook_tui.tui.widgets.strip import EventStrip, KeyBar
from runebook_tui.tui.widgets.suggestion import SuggestionLine


class CockpitScreen(SpeakingKeys):
    """The first screen. It decides nothing: what the operator wants is posted as a message."""

    TABLE = modes.commands_of(modes.COCKPIT.id)
    BINDINGS = bindings(TABLE)
    AUTO_FOCUS = "#plan"

    tab: var[str] = var("plan")
    """Which of "plan" and "pane" is shown where there is room for one."""

    plan = getters.query_one("#plan", PlanPanel)
    agent_panel = getters.query_one("#pane", AgentPanel)
    key_bar = getters.query_one(KeyBar)

    class RestartWanted(Message):
        """The operator wants an agent started again."""

        def __init__(self, agent: str) -> None:
            super().__init__()
            self.agent = agent

    class ResumeWanted(Message):
        """The operator wants the agents back that were lost with tmux or the machine."""

    class StopWanted(Message):
        """The operator wants an agent stopped, and has not been asked yet whether that is meant."""

        def __init__(self, agent: str) -> None:
            super().__init__()
            self.agent = agent

    class DownWanted(Message):
        """The operator wants everything stopped, and has not been asked yet whether that is meant."""

    class EngineWanted(Message):
        """The engine is to be started."""

    class NewRunWanted(Message):
        """The operator wants the plan run again."""

    def __init__(
        self,
        now: Callable[[], float],
        pulse: Callable[[], float],
        backend: Backend,
    ) -> None:
        super().__init__()
        self.now = now
        self._pulse = pulse
        self._backend = backend
        self._looking = PaneWatch(backend.captures)
        self._at_agent: str | None = None

    def compose(self) -> ComposeResult:
        """Header, three panels, last events, keys."""
        yield HeaderBar(self.now).data_bind(CockpitScreen.view)
        yield ModeBar("cockpit")
        with Container(id="body"):
            yield PlanPanel(self.now, id="plan").data_bind(CockpitScreen.view)
            panel = AgentPanel(self._backend, self._looking, id="pane")
            yield panel.data_bind(CockpitScreen.view)
            with Vertical(id="waiting"):
                yield RequestsPanel(self.now, self._pulse, id="requests").data_bind(CockpitScreen.view)
                yield LessonLine(id="lesson").data_bind(CockpitScreen.view)
                yield SuggestionLine(id="suggestion").data_bind(CockpitScreen.view)
        yield EventStrip().data_bind(CockpitScreen.view)
        yield KeyBar()

    def on_mount(self) -> None:
        """Times go on each second."""
        self.run_worker(self._looking.run(), group="pane")
        self.watch_tab(self.tab)
        self.set_interval(1.0, self._tick)
        self.post_message(ModeScreen.Opened())

    def _tick(self) -> None:
        if self.is_current:
            self.query_one(HeaderBar).refresh()
            self.plan.tick()
            self.requests.redraw()
            self.offer()

    def watch_view(self, before: View, after: View) -> None:
        """The keys depend on what there is to decide. Whoever comes to requests that wait is led there."""
        if after.loaded and not before.loaded and after.state.open_requests:
            self.requests.focus()
        if not same_but(before, after, *BEHIND):
            self.offer()

    def watch_tab(self, tab: str) -> None:
        """Show the tab, and say in its border how to get to the other."""
        self.set_class(tab == "pane", "-pane-tab")
        self._tab_titles()

    def on_resize(self, event: Resize) -> None:
        """The titles name the keys of the tabs only where there are tabs."""
        self.call_after_refresh(self._tab_titles)

    def turned(self) -> Mapping[str, str]:
        """The tab."""
        return {"tab": self.tab}

    def turn(self, turned: Mapping[str, str]) -> None:
        """Show the tab."""
        if turned.get("tab") in ("plan", "pane"):
            self.tab = turned["tab"]

    def _tab_titles(self) -> None:
        tabs = self.has_class("-narrow") or self.has_class("-short")
        self.plan.border_title = Content("Plan") if tabs else Content("Plan")
        self.plan.border_subtitle = Content.styled("⇥ pane", glyphs.MUTED) if tabs else None
        self.agent_panel.border_subtitle = Content.styled("⇤ plan", glyphs.MUTED) if tabs else None

    @on(Rows.Moved)
    def _moved(self, event: Rows.Moved) -> None:
        if event.rows is self.plan:
            self.agent_panel.agent = self.plan.agent
        elif (asked := self.requests.question) is not None:
            self.plan.select(("agent", asked.agent))
        self.offer()

    @on(DescendantFocus)
    def _focused(self) -> None:
        self.offer()

    # ── what can be done now ────────────────────────────────────────────────────────────────────

    @property
    def agent(self) -> AgentState | None:
        """The selected agent."""
        return self.view.state.agents.get(self.plan.agent or "")

    def offer(self) -> None:
        """Put the keys that do something now into the key bar."""
        if not self.is_mounted:
            return
        keys = in_force(self, self.TABLE)
        offered = offers(
            keys,
            request=self.requests.request,
            asks=None if self.requests.question is None else self.requests.question.agent,
            requests=len(self.requests.entries),
            marked=self.requests.marked,
            last=self.last_decision(),
            lesson=self.lesson_line.lesson is not None,
            agent=self.agent,
            needs=len(needs(self.view.state, self.now())),
            now=self.now(),
            engine_alive=self.view.engine_alive,
            lost=len(lost_agents(self.view.state)),
        )
        self.key_bar.keys = tuple(offered)
        self.key_bar.last = ((keys["help"], "help"), (keys["palette"], "all commands"))

    # ── agents ──────────────────────────────────────────────────────────────────────────────────

    def action_move(self, step: int) -> None:
        """Select the next agent in a direction."""
        self.plan.action_move(step)

    def action_go(self) -> None:
        """Go to the selected agent's pane."""
        if self.agent is None:
            self.say("no agent is selected")
        else:
            self.post_message(AgentPanel.GoWanted(self.agent.id))

    def action_enter(self) -> None:
        """Open the selected request where requests have the focus; elsewhere go to the agent's pane."""
        if self.requests.has_focus:
            self.action_open()
        else:
            self.action_go()

    def action_next_need(self) -> None:
        """Go to the next that needs the operator: requests first, then agents."""
        found = needs(self.view.state, self.now())
        if not found:
            self.say("nobody needs you")
            return
        here = (None, self.plan.agent) if self._at_agent == self.plan.agent else (self.requests.selected, "")
        at = next((at for at, need in enumerate(found) if (need.request, need.agent) == here), -1)
        need = found[(at + 1) % len(found)]
        self._at_agent = need.agent or None
        if need.request is not None:
            self.requests.select(need.request, by_hand=True)
        else:
            self.plan.select(("agent", need.agent), by_hand=True)
            self.requests.select(("question", need.agent), by_hand=True)

    def action_why(self) -> None:
        """Say why the selected agent is what it is."""
        if self.agent is None:
            self.say("no agent is selected")
        else:
            self.app.push_screen(WhyScreen(self.view.state, self.agent, self.now))

    def action_snooze(self) -> None:
        """Put the selected agent's call off, or hear it again."""
        agent = self._agent_with_engine()
        if agent is None:
            return
        if why := why_not_snoozed(agent, self.now()):
            self.say(why)
        else:
            self.post_message(ModeScreen.Wanted("snooze", {"agent": agent.id}))

    def action_restart(self) -> None:
        """Start the selected agent again."""
        agent = self._agent_with_engine()
        if agent is None:
            return
        if agent.restartable:
            self.post_message(self.RestartWanted(agent.id))
        else:
            self.say(f"{agent.id} has neither failed nor been stopped")

    def action_resume(self) -> None:
        """Bring back the agents that were lost."""
        if not self.view.engine_alive:
            self.say(NO_ENGINE)
        elif lost_agents(self.view.state):
            self.post_message(self.ResumeWanted())
        else:
            self.say("no agent was lost")

    def action_stop(self) -> None:
        """Stop the selected agent."""
        agent = self._agent_with_engine()
        if agent is None:
            return
        if agent.alive:
            self.post_message(self.StopWanted(agent.id))
        else:
            self.say(f"{agent.id} is not running")

    def _agent_with_engine(self) -> AgentState | None:
        if self.agent is None:
            self.say("no agent is selected")
        elif not self.view.engine_alive:
            self.say(NO_ENGINE)
        else:
            return self.agent
        return None

    # ── the rest ────────────────────────────────────────────────────────────────────────────────

    def action_panel(self, step: int) -> None:
        """Go to the next panel in a direction; where there are tabs, show it."""
        panels = ("plan", "pane", "requests")
        focused = self.focused
        here = {each.id for each in focused.ancestors_with_self} if focused is not None else set()
        at = next((at for at, name in enumerate(panels) if name in here), -step)
        name = panels[(at + step) % len(panels)]
        if name in ("plan", "pane"):
            self.tab = name
        targets: dict[str, Widget] = {"plan": self.plan, "requests": self.requests}
        self.call_after_refresh((targets.get(name) or self.query_one(PaneView)).focus)

    def action_engine(self) -> None:
        """Start an engine where none runs."""
        if self.view.engine_alive:
            self.say("the engine is running")
        else:
            self.post_message(self.EngineWanted())

    def action_new_run(self) -> None:
        """Run the plan again."""
        if self.view.state.outcome is None:
            self.say("the run is not over")
        else:
            self.post_message(self.NewRunWanted())

    def action_down(self) -> None:
        """Stop everything."""
        self.post_message(self.DownWanted())
