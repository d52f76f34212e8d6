"""TourScreen: six steps through the cockpit, each beside the part that it speaks of."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click, Key
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from runebook_tui.tui import glyphs
from runebook_tui.tui.text import safe

_MARK = "-toured"


@dataclass(frozen=True)
class Step:
    """One step: the part of the cockpit that it is about, a title, and what there is to know."""

    part: str
    title: str
    words: str


STEPS = (
    Step(
        "HeaderBar",
        "Does anyone need you?",
        "The first line answers in one look: how many requests wait for you, what your agents do, and how "
        "far the plan is. Nothing blinks; what needs you is orange.",
    ),
    Step(
        "#plan",
        "The plan",
        "Phases, and the agents in them. An agent starts by itself when its gates are open. j and k select "
        "one; y says why it is in the state that it is in.",
    ),
    Step(
        "#pane",
        "The agent's pane",
        "What the selected agent's terminal shows, live. g goes into it, and F12 comes back. PgUp reads what "
        "was printed before.",
    ),
    Step(
        "#requests",
        "Requests",
        "An agent that would write another one's file waits here, before a byte lands. a approves it once, r "
        "rejects it with a reason that the agent reads, o opens its card with the diff. z takes it back.",
    ),
    Step(
        "KeyBar",
        "The keys that do something now",
        "The last line always says what each key does here. s says something to the selected agent, n goes "
        "to the next that needs you, ? shows every key, and ^p finds a command by its name.",
    ),
    Step(
        "ModeBar",
        "Where more is",
        "The number keys go to other screens: all requests, the files with their owners, the timeline, "
        "suggestions, the plan as a graph, all panes. q leaves; your agents go on. T shows this again.",
    ),
)


class TourScreen(ModalScreen[None]):
    """Any key goes on, escape ends. `cockpit` is the screen below, whose parts are marked."""

    def __init__(self, cockpit: Screen[None]) -> None:
        super().__init__()
        self._cockpit = cockpit
        self._at = 0

    def compose(self) -> ComposeResult:
        """The words of the step, and what a key does."""
        with Vertical(id="tour"):
            yield Static(id="what")
            yield Static(id="keys")

    def on_mount(self) -> None:
        """Begin with the first step."""
        self._show()

    def on_key(self, event: Key) -> None:
        """Go on, back or out."""
        event.stop()
        self._go(None if event.key == "escape" else -1 if event.key in ("left", "backspace") else 1)

    def on_click(self, event: Click) -> None:
        """A click goes on."""
        event.stop()
        self._go(1)

    def _go(self, step: int | None) -> None:
        self._unmark()
        self._at = len(STEPS) if step is None else max(0, self._at + step)
        if self._at >= len(STEPS):
            self.dismiss(None)
        else:
            self._show()

    def _show(self) -> None:
        step = STEPS[self._at]
        for part in self._cockpit.query(step.part):
            part.add_class(_MARK)
        number = Content.styled(f"{self._at + 1} of {len(STEPS)}  ", glyphs.MUTED)
        self.query_one("#what", Static).update(
            Content.assemble(number, (step.title, glyphs.STRONG), "\n\n", safe(step.words))
        )
        last = self._at + 1 == len(STEPS)
        words = "any key ends the tour" if last else "any key goes on   ← back   esc ends the tour"
        self.query_one("#keys", Static).update(Content.styled(words, glyphs.MUTED))

    def _unmark(self) -> None:
        for widget in self._cockpit.query(f".{_MARK}"):
            widget.remove_class(_MARK)
