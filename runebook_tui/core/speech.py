"""Speech: words that are typed into agents' panes, and the answers to what their clients ask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from runebook_tui.core.activity import Activity
from runebook_tui.core.fact import Fact
from runebook_tui.core.messages import cleaned

if TYPE_CHECKING:
    from runebook_tui.core.state import AgentState

MOST_BYTES = 64 * 1024
"""How long a text may be that is typed, in UTF-8."""

SaidOutcome = Literal["submitted", "typed", "held"]
"""What became of a text: its agent has it; it stands in the pane, not submitted; it was not typed."""

Answer = Literal["yes", "no"]


class SaidToAgent(Fact):
    """The operator had words typed into an agent's pane."""

    type: Literal["SaidToAgent"] = "SaidToAgent"
    agent: str
    text: str
    """Bounded, without what looks like a secret."""
    outcome: SaidOutcome
    why: str = ""
    """By what that is known, or why it is so."""


class QuestionAnswered(Fact):
    """The operator answered what an agent's client asked of its user."""

    type: Literal["QuestionAnswered"] = "QuestionAnswered"
    agent: str
    question: str
    """In the client's words, bounded."""
    answer: Answer
    by: Literal["hook", "keys"]
    """How: the client's own hook said it, or the keys were pressed that a person would press."""


@dataclass(frozen=True)
class ReportSaid:
    """A text was typed into an agent's pane, or was not."""

    agent: str
    text: str
    outcome: SaidOutcome
    why: str


@dataclass(frozen=True)
class ReportAnswered:
    """What an agent's client asked was answered."""

    agent: str
    question: str
    answer: Answer
    by: Literal["hook", "keys"]


def refusal(text: str) -> str:
    """Why a text is not typed, in words; "" when it may be. Newlines and tabs may be."""
    if not text.strip():
        return "there is nothing to say"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "the text is not UTF-8"
    if size > MOST_BYTES:
        return f"the text has {size} bytes; at most {MOST_BYTES} are typed"
    for character in text:
        if character not in "\n\t" and (character < " " or "\x7f" <= character <= "\x9f"):
            return f"the text holds the control character U+{ord(character):04X}, which is not typed"
    return ""


def said(command: ReportSaid) -> tuple[SaidToAgent, ...]:
    """The event of words that were typed."""
    text = cleaned(command.text)
    return (SaidToAgent(agent=command.agent, text=text, outcome=command.outcome, why=cleaned(command.why)),)


def answered(command: ReportAnswered) -> tuple[QuestionAnswered, ...]:
    """The event of an answer."""
    return (
        QuestionAnswered(
            agent=command.agent, question=command.question, answer=command.answer, by=command.by
        ),
    )


def after_answer(agent: AgentState, event: QuestionAnswered, time: float) -> AgentState:
    """The agent goes on; a question that was put away by keys leaves it without a turn.

    Clients tell of neither; what they say next counts again.
    """
    if agent.doing is None or agent.doing.activity is not Activity.WAITING:
        return agent
    idle = event.answer == "no" and event.by == "keys"
    fresh = Activity.IDLE if idle else Activity.WORKING
    return replace(agent, doing=replace(agent.doing, activity=fresh, about="", since=time))


def said_words(event: SaidToAgent) -> str:
    """What became of words, for people, after "you"."""
    first = event.text.split("\n", 1)[0]
    verb = {
        "submitted": "said to",
        "typed": "typed, without its being submitted, to",
        "held": "did not say to",
    }[event.outcome]
    why = f" ({event.why})" if event.why and event.outcome != "submitted" else ""
    return f"{verb} {event.agent}{why}: {first}"
