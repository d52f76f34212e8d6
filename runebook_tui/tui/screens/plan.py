"""PlanScreen: the phases as a graph and a list, the selected one whole, and what is wrong with the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual import getters, on, work
from textual.app import SuspendNotSupported
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.widget import Widget

from runebook_tui.core.planedits import PlanEdit
from runebook_tui.core.state import AgentState
from runebook_tui.orchestrator.problems import Problem
from runebook_tui.place import PLAN_NAME
from runebook_tui.tui import glyphs, particulars
from runebook_tui.tui.backend import BackendError
from runebook_tui.tui.editor import EditorError, text_edited
from runebook_tui.tui.screens.edit import EditPrompt
from runebook_tui.tui.screens.mode import ModeScreen
from runebook_tui.tui.screens.request_keys import NO_ENGINE
from runebook_tui.tui.text import safe
from runebook_tui.tui.view import first_agent
from runebook_tui.tui.widgets.phases import NO_PLAN, PhaseGraph, PhaseList
from runebook_tui.tui.widgets.rows import Rows
from runebook_tui.tui.widgets.words import Words, entitle

_FINDINGS = 5
_MARGIN = 4


class PlanScreen(ModeScreen):
    """Nothing is in force without a yes to its patch."""

    MODE = "plan"
    AUTO_FOCUS = "PhaseList"

    phases = getters.query_one(PhaseList)
    graph = getters.query_one(PhaseGraph)
    whole = getters.query_one("#whole", Words)
    findings = getters.query_one("#findings", Words)
    _apis = False
    _checked: object = None
    """The plan and the last write of its file when the file was last checked."""

    class EditsWanted(Message):
        """The operator wants to see the patch of some edits of the plan."""

        def __init__(self, screen: PlanScreen, edits: tuple[PlanEdit, ...]) -> None:
            super().__init__()
            self.screen = screen
            self.edits = edits

    class TextWanted(Message):
        """The operator has edited the plan's text, and wants to see what that changes."""

        def __init__(
            self, screen: PlanScreen, before: str, after: str, problems: tuple[Problem, ...]
        ) -> None:
            super().__init__()
            self.screen = screen
            self.before = before
            self.after = after
            self.problems = problems

    def body(self) -> Iterable[Widget]:
        """The graph, the list and the selected one, the findings."""
        graph = VerticalScroll(PhaseGraph(id="boxes"), id="graph")
        graph.can_focus = False
        yield graph
        beside = VerticalScroll(Words(id="whole"), id="beside")
        yield Horizontal(PhaseList(self.now, id="phases"), beside)
        yield Words(id="findings")

    def draw(self) -> None:
        """The plan in force, of what the filter leaves."""
        fresh = self.phases.selected is None
        self.phases.empty = self.none(NO_PLAN)
        self.phases.show_plan(self.view.state, self.matches)
        entitle(self.phases, Content.assemble("Plan  ", safe(self.view.state.plan.plan.name)))
        if fresh and (agent := first_agent(self.view.state)) is not None:
            self.phases.select(("agent", agent))
        self._show_selected()
        written = [each.time for each in self.view.state.recent_touches if each.path == PLAN_NAME][-1:]
        if self._checked != (self.view.state.plan, written):
            self._checked = (self.view.state.plan, written)
            self._check()

    @property
    def agent(self) -> AgentState | None:
        """The selected agent."""
        kind, name = self._selected
        return self.view.state.agents.get(name) if kind == "agent" else None

    @property
    def _selected(self) -> tuple[str, str]:
        key = self.phases.selected
        return key if isinstance(key, tuple) else ("", "")

    def _show_selected(self) -> None:
        state, (kind, name) = self.view.state, self._selected
        phase_of = state.agents[name].spec.phase if kind == "agent" and name in state.agents else name
        self.graph.show_plan(self.view, phase_of, self.size.width - _MARGIN)
        self.query_one("#graph").set_class(not self.graph.display, "-none")
        phase = state.plan.phase(name) if kind == "phase" else None
        lines: Iterable[Content] = ()
        if self._apis:
            shown = [each for each in state.plan.interfaces if self.matches(each.name, each.path, each.owner)]
            lines = [line for each in shown for line in particulars.of_interface(state, each)]
            lines = lines or [Content.styled("the plan has no interfaces", glyphs.MUTED)]
        elif self.agent is not None:
            lines = particulars.of_agent(state, self.agent, self.now())
        elif phase is not None:
            lines = particulars.of_phase(state, phase, self.now())
        entitle(self.query_one("#beside"), Content("Interfaces" if self._apis else kind.capitalize()))
        self.whole.update(Content("\n").join(lines))

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._show_selected()
        self.offer()

    def on_resize(self, event: Resize) -> None:
        """The graph is drawn for the width."""
        self.call_after_refresh(self._show_selected)

    def offered(self) -> Iterable[tuple[str, str]]:
        """Changes where there is an engine that makes them."""
        if self.view.engine_alive:
            if self.agent is not None:
                yield "plan.edit", f"change {self.agent.id}"
            yield "plan.file", "edit the file"
        yield "plan.apis", "phases" if self._apis else "interfaces"
        yield "plan.check", "check"
        yield "mode.filter", "filter"
        yield "mode.back", "back"

    # ── what is wrong with the file ─────────────────────────────────────────────────────────────

    def action_check(self) -> None:
        """Check the plan's file as it is now."""
        self._check()

    @work(exclusive=True, group="check")
    async def _check(self) -> None:
        try:
            problems = (await self.backend.plan_file()).problems
        except BackendError as error:
            self.findings.update(safe(str(error), glyphs.BAD, limit=300))
            return
        errors = sum(each.severity == "error" for each in problems)
        head = f"{PLAN_NAME}: {_counted(errors, 'error')}, {_counted(len(problems) - errors, 'warning')}"
        good = Content.styled(f"{PLAN_NAME}: nothing is wrong with it", glyphs.GOOD)
        lines = [Content.styled(head, glyphs.BAD if errors else glyphs.CAUTION) if problems else good]
        lines += [safe(str(each), limit=300) for each in problems[:_FINDINGS]]
        if len(problems) > _FINDINGS:
            lines[0] = Content.assemble(lines[0], (f", the first {_FINDINGS}", glyphs.MUTED))
        self.findings.update(Content("\n").join(lines))

    # ── changes ─────────────────────────────────────────────────────────────────────────────────

    def turned(self) -> Mapping[str, str]:
        """Whether the interfaces are shown."""
        return {"interfaces": "yes"} if self._apis else {}

    def turn(self, turned: Mapping[str, str]) -> None:
        """Show the interfaces, if they were."""
        if ("interfaces" in turned) is not self._apis:
            self.action_apis()

    def action_apis(self) -> None:
        """Show the interfaces in the place of the selected one, or that again."""
        self._apis = not self._apis
        self._show_selected()
        self.offer()

    def action_edit(self) -> None:
        """Choose what to change for the selected agent, then see the patch."""
        spec = None if self.agent is None else self.view.state.plan.agent(self.agent.id)
        if not self.view.engine_alive:
            self.say(NO_ENGINE)
        elif spec is None:
            self.say("select an agent of the plan: that is who gets or gives")
        else:
            self.app.push_screen(EditPrompt(self.view.state.plan, spec), self._edits_chosen)

    def _edits_chosen(self, edits: tuple[PlanEdit, ...] | None) -> None:
        if edits:
            self.post_message(self.EditsWanted(self, edits))

    def action_file(self) -> None:
        """Edit the plan's file in the operator's editor; the file itself is not touched."""
        if self.view.engine_alive:
            self.edit_text()
        else:
            self.say(NO_ENGINE)

    @work(exclusive=True, group="file")
    async def edit_text(self, before: str | None = None, text: str | None = None) -> None:
        """Have the plan's text edited, or once more the `text` that was made of `before`."""
        try:
            now = (await self.backend.plan_file()).text if before is None else before
            with self.app.suspend():
                after = text_edited(now if text is None else text, PLAN_NAME)
        except (BackendError, EditorError) as error:
            self.say(str(error))
        except SuspendNotSupported:
            self.say(f"no editor can be opened here: edit {PLAN_NAME} from a terminal")
        else:
            if after == now:
                self.say("nothing was changed")
            else:
                problems = await self.backend.check(after)
                self.post_message(self.TextWanted(self, now, after, problems))


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
