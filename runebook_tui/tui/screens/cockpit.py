"""CockpitScreen: the plan, the selected agent's pane, the requests, and the last events on one screen."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import replace

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.message import Message
from textual.reactive import reactive, var
from textual.screen import Screen
from textual.widget import Widget

from runebook_tui.core.decisions import TAKE_BACK_SECONDS, why_not_taken_back
from runebook_tui.core.resuming import lost_agents
from runebook_tui.core.state import AgentState, RequestState
from runebook_tui.core.undos import may_undo
from runebook_tui.tui import commands, glyphs
from runebook_tui.tui.backend import Frame
from runebook_tui.tui.offers import RESTARTABLE, may_be_mine, offers
from runebook_tui.tui.verdict import Verdict, about
from runebook_tui.tui.view import EMPTY, View
from runebook_tui.tui.widgets.agent import AgentPanel
from runebook_tui.tui.widgets.header import HeaderBar
from runebook_tui.tui.widgets.pane import PaneView
from runebook_tui.tui.widgets.plan import PlanPanel
from runebook_tui.tui.widgets.requests import RequestsPanel
from runebook_tui.tui.widgets.rows import Rows
from runebook_tui.tui.widgets.strip import EventStrip, KeyBar

_NO_ENGINE = "the engine is not running: E starts it"


class CockpitScreen(Screen[None]):
    """The first screen. It decides nothing: what the operator wants is posted as a message."""

    BINDINGS = commands.bindings(commands.COCKPIT)
    AUTO_FOCUS = "#plan"

    view: reactive[View] = reactive(EMPTY)
    tab: var[str] = var("plan")
    """Which of "plan" and "pane" is shown where there is room for one."""

    plan = getters.query_one("#plan", PlanPanel)
    agent_panel = getters.query_one("#pane", AgentPanel)
    requests = getters.query_one("#requests", RequestsPanel)
    key_bar = getters.query_one(KeyBar)

    class Answered(Message):
        """The operator answered a request by one key."""

        def __init__(self, verdict: Verdict) -> None:
            super().__init__()
            self.verdict = verdict

    class RejectWanted(Message):
        """The operator wants to reject a request, and may give a reason."""

        def __init__(self, request: RequestState) -> None:
            super().__init__()
            self.request = request

    class TogetherWanted(Message):
        """The operator wants to decide all marked requests alike."""

        def __init__(self, requests: tuple[RequestState, ...], verdict: Verdict) -> None:
            super().__init__()
            self.requests = requests
            self.verdict = verdict

    class TakeBackWanted(Message):
        """The operator wants the last decision back."""

    class CardWanted(Message):
        """The operator wants to see a request."""

        def __init__(self, request: RequestState) -> None:
            super().__init__()
            self.request = request

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

    class LogWanted(Message):
        """The operator wants to see everything that happened."""

    class HelpWanted(Message):
        """The operator wants to see every key."""

    def __init__(
        self,
        now: Callable[[], float],
        pulse: Callable[[], float],
        capture: Callable[[str], Awaitable[Frame | None]],
    ) -> None:
        super().__init__()
        self._pulse = pulse
        self._now = now
        self._capture = capture

    def compose(self) -> ComposeResult:
        """Header, three panels, last events, keys."""
        yield HeaderBar(self._now).data_bind(CockpitScreen.view)
        with Container(id="body"):
            yield PlanPanel(self._now, id="plan").data_bind(CockpitScreen.view)
            yield AgentPanel(self._capture, id="pane").data_bind(CockpitScreen.view)
            yield RequestsPanel(self._now, self._pulse, id="requests").data_bind(CockpitScreen.view)
        yield EventStrip().data_bind(CockpitScreen.view)
        yield KeyBar()

    def on_mount(self) -> None:
        """Times go on each second."""
        self.watch_tab(self.tab)
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        if self.is_current:
            self.query_one(HeaderBar).refresh()
            self.plan.redraw()
            self.requests.redraw()
            self._offer()

    def watch_view(self) -> None:
        """The keys depend on what there is to decide."""
        self._offer()

    def watch_tab(self, tab: str) -> None:
        """Show the tab, and say in its border how to get to the other."""
        self.set_class(tab == "pane", "-pane-tab")
        self._tab_titles()

    def on_resize(self, event: Resize) -> None:
        """The titles name the keys of the tabs only where there are tabs."""
        self.call_after_refresh(self._tab_titles)

    def _tab_titles(self) -> None:
        tabs = self.has_class("-narrow") or self.has_class("-short")
        self.plan.border_title = Content("1 Plan") if tabs else Content("Plan")
        self.plan.border_subtitle = Content.styled("2 pane", glyphs.MUTED) if tabs else None
        self.agent_panel.border_subtitle = Content.styled("1 plan", glyphs.MUTED) if tabs else None

    @on(Rows.Moved)
    def _moved(self, event: Rows.Moved) -> None:
        if event.rows is self.plan:
            self.agent_panel.agent = self.plan.agent
        self._offer()

    @on(DescendantFocus)
    def _focused(self) -> None:
        self._offer()

    # ── what can be done now ────────────────────────────────────────────────────────────────────

    @property
    def agent(self) -> AgentState | None:
        """The selected agent."""
        return self.view.state.agents.get(self.plan.agent or "")

    def _offer(self) -> None:
        """Put the keys that do something now into the key bar."""
        if not self.is_mounted:
            return
        keys = self._keys()
        offered = offers(
            keys,
            request=self.requests.request,
            requests=len(self.requests.entries),
            marked=tuple(request.id for request in self.requests.marked),
            last=self._last(),
            agent=self.agent,
            engine_alive=self.view.engine_alive,
            lost=len(lost_agents(self.view.state)),
        )
        self.key_bar.keys = tuple(offered)
        self.key_bar.last = ((keys["help"], "help"), (keys["palette"], "all commands"))

    def _keys(self) -> dict[str, str]:
        """The key of each command as people read it, after the operator's own choice of keys."""
        keys = {command.id: command.key for command in commands.COCKPIT}
        for key, active in self.active_bindings.items():
            name = active.binding.id
            if name in keys and key not in keys[name].split(","):
                keys[name] = key
        return {name: commands.key_sign(key) for name, key in keys.items()}

    def say(self, words: str) -> None:
        """Tell the operator why a key did nothing."""
        self.notify(words, severity="warning", markup=False, timeout=4)

    # ── requests ────────────────────────────────────────────────────────────────────────────────

    def _decidable(self) -> RequestState | None:
        """The selected request if a key may decide it now; else says why not."""
        refusal = self.requests.refusal() if self.view.engine_alive else _NO_ENGINE
        if refusal is not None:
            self.say(refusal)
            return None
        return self.requests.request

    def action_approve(self) -> None:
        """Approve the marked requests, else the selected one, once."""
        if not self._together(Verdict((), "approve")) and (request := self._decidable()) is not None:
            self.post_message(self.Answered(Verdict((request.id,), "approve")))

    def action_reject(self) -> None:
        """Ask for a reason, and reject the marked requests, else the selected one."""
        if not self._together(Verdict((), "reject")) and (request := self._decidable()) is not None:
            self.post_message(self.RejectWanted(request))

    def action_undo(self) -> None:
        """Reject the marked requests, else the selected one, and take back what was written."""
        if self._together(Verdict((), "reject", undo=True)):
            return
        request = self._decidable()
        if request is None:
            return
        if not may_undo(request):
            self.say(f"request {request.id}: nothing was written that could be undone")
            return
        self.post_message(self.Answered(Verdict((request.id,), "reject", undo=True)))

    def _together(self, verdict: Verdict) -> bool:
        """Whether there are marked requests, which `verdict` is then wanted for."""
        marked = self.requests.marked
        if not marked:
            return False
        barren = [str(request.id) for request in marked if verdict.undo and not may_undo(request)]
        if not self.view.engine_alive:
            self.say(_NO_ENGINE)
        elif barren:
            self.say(f"request {', '.join(barren)}: nothing was written that could be undone; unmark it")
        else:
            matters = about(marked)
            self.post_message(
                self.TogetherWanted(marked, replace(verdict, requests=tuple(matters), about=matters))
            )
        return True

    def action_mark(self) -> None:
        """Mark the selected request, or take its mark away."""
        if (refusal := self.requests.toggle()) is not None:
            self.say(refusal)
        self._offer()

    def action_mark_all(self) -> None:
        """Mark all requests that are on the screen."""
        if not self.requests.entries:
            self.say("no request waits for you")
            return
        if left := self.requests.mark_all():
            self.say(f"{left} not marked: mark what you have seen; scroll, then press the key again")
        self._offer()

    def action_unmark(self) -> None:
        """Take every mark away."""
        self.requests.unmark()
        self._offer()

    @on(RequestsPanel.MarkLost)
    def _mark_lost(self, event: RequestsPanel.MarkLost) -> None:
        self.say(f"request {', '.join(map(str, event.requests))} has changed and is not marked any more")
        self._offer()

    def action_take_back(self) -> None:
        """Take the last decision back."""
        why = why_not_taken_back(self.view.state, self._now())
        if not self.view.engine_alive:
            self.say(_NO_ENGINE)
        elif why:
            self.say(why)
        else:
            self.post_message(self.TakeBackWanted())

    def _last(self) -> tuple[tuple[int, ...], int] | None:
        """What the last decision was about and how many seconds are left to take it back; None when none."""
        last, now = self.view.state.last_decision, self._now()
        if last is None or why_not_taken_back(self.view.state, now):
            return None
        return last.requests, math.ceil(TAKE_BACK_SECONDS - (now - last.time))

    def action_disown(self) -> None:
        """Say that the change was the operator's own."""
        request = self._decidable()
        if request is None:
            return
        if not may_be_mine(request):
            self.say(f"request {request.id}: {request.who} did it for certain, not you")
            return
        self.post_message(self.Answered(Verdict((request.id,), "disown")))

    def action_open(self) -> None:
        """See the selected request."""
        request = self.requests.request
        if request is None:
            self.say("no request waits for you")
        else:
            self.post_message(self.CardWanted(request))

    def action_next_request(self) -> None:
        """Select the next request."""
        self.requests.next()

    # ── agents ──────────────────────────────────────────────────────────────────────────────────

    def action_move(self, step: int) -> None:
        """Select the next agent in a direction."""
        self.plan.action_move(step)

    def action_restart(self) -> None:
        """Start the selected agent again."""
        agent = self._agent_with_engine()
        if agent is None:
            return
        if agent.status in RESTARTABLE:
            self.post_message(self.RestartWanted(agent.id))
        else:
            self.say(f"{agent.id} has neither failed nor been stopped")

    def action_resume(self) -> None:
        """Bring back the agents that were lost."""
        if not self.view.engine_alive:
            self.say(_NO_ENGINE)
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
            self.say(_NO_ENGINE)
        else:
            return self.agent
        return None

    # ── the rest ────────────────────────────────────────────────────────────────────────────────

    def action_panel(self, name: str) -> None:
        """Go to a panel; where there are tabs, show it."""
        if name in ("plan", "pane"):
            self.tab = name
        target: Widget = {"plan": self.plan, "requests": self.requests}.get(name) or self.query_one(PaneView)
        self.call_after_refresh(target.focus)

    def action_log(self) -> None:
        """See everything that happened."""
        self.post_message(self.LogWanted())

    def action_help(self) -> None:
        """See every key."""
        self.post_message(self.HelpWanted())

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
