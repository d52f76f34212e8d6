"""EditPrompt: what to change in the plan for one agent, chosen from a list, with what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from runebook_tui.core.planedits import (
    AddClaim,
    AddMayWrite,
    AddPathPolicy,
    EditError,
    PlanEdit,
    RemoveClaim,
    edit_words,
    edited,
    read,
    transfer,
    written,
)
from runebook_tui.core.types import AgentSpec, Away, ExecutionPlan
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import cut, safe
from runebook_tui.tui.widgets.rows import Entry, Rows

_LIMIT = 1_000
_AWAY: dict[str, Away] = {"hold": "hold", "refuse": "refuse", "flag": "flag"}


class Choice(NamedTuple):
    """One kind of change: its words, what is typed for it ("" for nothing), and the edits that it makes."""

    words: str
    asks: str
    edits: Callable[[str], tuple[PlanEdit, ...]]


def choices(plan: ExecutionPlan, agent: AgentSpec) -> Iterator[Choice]:
    """What can be changed for the agent. `edits` raises EditError for words that make no edit."""
    name = agent.id
    yield Choice(f"{name} owns more", "a pattern, such as src/api/**", lambda text: (AddClaim(name, text),))
    for claim in agent.claims:
        gone = (RemoveClaim(name, claim),)
        yield Choice(edit_words(gone[0]), "", lambda text, gone=gone: gone)  # type: ignore[misc]
    yield Choice(
        f"{name} may write more without asking", "a pattern", lambda text: (AddMayWrite(name, text),)
    )
    yield Choice(f"{name} gets a file of another", "a path", lambda text: transfer(plan, text, name))
    yield Choice(
        "what becomes of writes across a boundary, by path", "a pattern, then hold, refuse or flag", _policy
    )


def _policy(text: str) -> tuple[PlanEdit, ...]:
    pattern, _, away = text.rpartition(" ")
    if away not in _AWAY or not pattern.strip():
        raise EditError("say a pattern, a blank, and hold, refuse or flag")
    return (AddPathPolicy(pattern.strip(), away=_AWAY[away]),)


class EditPrompt(ModalScreen[tuple[PlanEdit, ...] | None]):
    """Ends with the edits, or None when the operator thought better of it. Nothing is changed by it."""

    BINDINGS = [
        Binding("escape", "back", "back", id="edit.back"),
        Binding("enter", "choose", "choose", id="edit.choose"),
    ]
    AUTO_FOCUS = "Rows"

    def __init__(self, plan: ExecutionPlan, agent: AgentSpec) -> None:
        super().__init__()
        self._plan = plan
        self._choices = list(choices(plan, agent))
        self._agent = agent

    def compose(self) -> ComposeResult:
        """The choices, what is typed, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = safe(f"Change the plan for {self._agent.id}")
            yield Rows(id="choices")
            field = Input(max_length=_LIMIT, id="typed")
            field.display = False
            yield field
            yield Static(id="notice")
            keys = (("⏎", " see the patch    "), ("esc", " back, change nothing"))
            yield Static(
                Content.assemble(
                    *((k, glyphs.ACCENT) if n == 0 else k for each in keys for n, k in enumerate(each))
                ),
                id="keys",
            )

    def on_mount(self) -> None:
        """Show the choices."""
        rows = self.query_one(Rows)
        rows.styles.height = min(12, len(self._choices))
        rows.show([Entry(n, 1, partial(_line, each.words)) for n, each in enumerate(self._choices)])

    @property
    def choice(self) -> Choice:
        """The selected choice."""
        selected = self.query_one(Rows).selected
        return self._choices[selected if isinstance(selected, int) else 0]

    def action_choose(self) -> None:
        """Take the choice, or ask for what it needs."""
        field = self.query_one(Input)
        if self.choice.asks:
            field.placeholder = self.choice.asks
            field.display = True
            field.focus()
        else:
            self._end("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._end(event.value.strip())

    def _end(self, typed: str) -> None:
        try:
            edits = read(written(self.choice.edits(typed)))
            edited(self._plan, edits)
        except EditError as error:
            self.query_one("#notice", Static).update(safe(str(error), glyphs.BAD, limit=300))
            return
        self.dismiss(edits)

    def action_back(self) -> None:
        """Back to the choices; from there, change nothing."""
        field = self.query_one(Input)
        if field.display:
            field.display = False
            self.query_one("#notice", Static).update("")
            self.query_one(Rows).focus()
        else:
            self.dismiss(None)


def _line(words: str, width: int) -> list[Content]:
    return [Content(cut(words, width))]
