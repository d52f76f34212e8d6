"""Observed: what the last lines of an agent's pane say that it does, as far as a rule knows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runebook_tui.core.fact import Fact
from runebook_tui.core.standing import Word

if TYPE_CHECKING:
    from runebook_tui.core.state import AgentState

MOST_LINE = 300
"""Characters of the line that is kept."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a pane says. All of it is empty where no rule knows its last lines."""

    word: Word | None = None
    rule: str = ""
    """The rule's name, with the client whose rule it is: "codex: approval"."""
    line: str = ""
    """The line that it goes by, bounded, without secrets."""
    unhooked: bool = False
    """Whether the client's hook never tells of this, so that the pane counts beside it."""
    since: float | None = None
    """When that was first seen, unix seconds."""


class AgentObserved(Fact):
    """An agent's pane says something else now than it did."""

    type: Literal["AgentObserved"] = "AgentObserved"
    agent: str
    word: Word | None = None
    """None where no rule knows what it says."""
    rule: str = ""
    line: str = ""
    unhooked: bool = False

    def reading(self, time: float) -> Reading:
        """What the pane says from `time` on."""
        return Reading(self.word, self.rule, self.line, self.unhooked, time)


@dataclass(frozen=True)
class ReportObserved:
    """An agent's pane was looked at."""

    agent: str
    reading: Reading


def observed(agent: AgentState, command: ReportObserved) -> tuple[AgentObserved, ...]:
    """One event for each change; a number that counts on in the same line is none, nor is what moves while
    the agent works.
    """
    fresh, known = command.reading, agent.observed or Reading()
    if (fresh.word, fresh.rule, _gist(fresh)) == (known.word, known.rule, _gist(known)):
        return ()
    return (
        AgentObserved(
            agent=agent.id,
            word=fresh.word,
            rule=fresh.rule,
            line=fresh.line[:MOST_LINE],
            unhooked=fresh.unhooked,
        ),
    )


def _gist(reading: Reading) -> str:
    return "" if reading.word is Word.WORKING else re.sub(r"\d+", "0", reading.line[:MOST_LINE])


def observed_words(event: AgentObserved) -> str:
    """What was seen, for people."""
    if event.word is None:
        return f"the pane of {event.agent} says nothing that is known"
    return f"{event.agent} is {event.word}, its pane says ({event.rule}): {event.line}"
