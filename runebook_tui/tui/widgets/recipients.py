"""Recipients: the agents that can be spoken to, those marked that are meant, and what became of it."""

from __future__ import annotations

from functools import partial

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from runebook_tui.core.state import AgentState, State
from runebook_tui.tui import glyphs
from runebook_tui.tui.bindings import bindings
from runebook_tui.tui.keys import saying
from runebook_tui.tui.text import edges, safe
from runebook_tui.tui.view import EMPTY, View, status_word
from runebook_tui.tui.widgets.rows import Entry, Rows


class Recipients(Rows):
    """A line for each agent that runs, and for each that was spoken to."""

    BINDINGS = bindings(saying.RECIPIENTS)

    view: reactive[View] = reactive(EMPTY)

    class Changed(Message):
        """Others may be meant than before."""

    def __init__(self, marked: tuple[str, ...], *, id: str | None = None) -> None:
        super().__init__(
            empty="no agent is running: R in the cockpit starts one again that failed or was stopped", id=id
        )
        self._marked = set(marked)
        self._told: dict[str, tuple[str, str]] = {}

    @property
    def marked(self) -> tuple[str, ...]:
        """Who is meant, in the order of the plan."""
        return tuple(agent.id for agent in self._agents() if agent.id in self._marked)

    def watch_view(self) -> None:
        """Show the agents as they are now."""
        self._list()
        self.post_message(self.Changed())

    def tell(self, told: dict[str, tuple[str, str]]) -> None:
        """Show what became of it: the outcome and why, by agent. Whom it was held from is meant again."""
        self._told |= told
        self._marked = {name for name, (outcome, _) in told.items() if outcome == "held"}
        self._list()

    def action_mark(self) -> None:
        """Mark the selected agent, or take its mark away."""
        self._mark(self._marked ^ {str(self.selected)} if self.selected is not None else self._marked)

    def action_all(self) -> None:
        """Mark all, or none when all are."""
        everybody = {agent.id for agent in self._agents()}
        self._mark(set() if self._marked >= everybody else everybody)

    def action_same(self, what: str) -> None:
        """Mark those alone that are of the selected agent's phase, or do the same."""
        state = self.view.state
        chosen = state.agents.get(str(self.selected))
        if chosen is not None:
            alike = _group(state, chosen, what)
            self._mark({agent.id for agent in self._agents() if _group(state, agent, what) == alike})

    def _mark(self, marked: set[str]) -> None:
        self._marked = marked
        self._list()
        self.post_message(self.Changed())

    def _agents(self) -> list[AgentState]:
        agents = self.view.state.agents.values()
        return [agent for agent in agents if agent.alive or agent.id in self._told]

    def _list(self) -> None:
        state = self.view.state
        self.show([Entry(agent.id, 1, partial(self._line, state, agent)) for agent in self._agents()])

    def _line(self, state: State, agent: AgentState, width: int) -> list[Content]:
        mark = glyphs.MARKED.sign if agent.id in self._marked else " "
        told = self._told.get(agent.id)
        words, style = (status_word(state, agent), glyphs.MUTED) if told is None else outcome_words(*told)
        name = Content.assemble((f"{mark} ", glyphs.MARKED.style), safe(agent.id, glyphs.STRONG), "  ")
        right = safe(agent.spec.phase, glyphs.MUTED) if told is None else Content()
        return [edges(Content.assemble(name, safe(words, style)), right, width)]


def outcome_words(outcome: str, why: str) -> tuple[str, str]:
    """What became of words, and the colour of it."""
    match outcome:
        case "submitted":
            return f"has it: {why}", glyphs.GOOD
        case "held":
            return f"held back: {why}", glyphs.CAUTION
        case _:
            return f"typed, not submitted: {why}", glyphs.BAD


def _group(state: State, agent: AgentState, what: str) -> str:
    return agent.spec.phase if what == "phase" else status_word(state, agent)
