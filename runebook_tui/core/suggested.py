"""Suggestions as the state keeps them: what an agent thinks would help, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runebook_tui.core.fact import Fact

Priority = Literal["high", "normal", "low"]

RANKS: dict[str, int] = {"high": 0, "normal": 1, "low": 2}
"""Priorities, the most pressing first."""

Layer = Literal["", "heuristics", "search", "model", "pattern"]


class Provenance(Fact):
    """Where a suggestion comes from."""

    rule: str = ""
    """The id of the rule that matched, or of what else made it."""
    layer: Layer = ""
    """The step of the analysis; "" where another agent suggests."""
    command: int | None = None
    """The `seq` of the record of the failure."""
    agent: str = ""
    """Whose failure it was."""
    file: str = ""
    """The file that it is about, relative to the repository."""
    line: int | None = None
    """A line of that file, from 1."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One suggestion (`core/suggestions.py`). Times are unix seconds."""

    id: int
    agent: str
    """Who suggests it."""
    kind: str
    """Such as "fix", "look", "ask" or "ask-model"."""
    priority: Priority
    title: str
    words: str
    snippet: str
    """A command or text to copy; never executed. "" for none."""
    confidence: float
    """From 0 to 1."""
    provenance: Provenance
    fingerprint: str
    """What makes it the same as another of the same agent."""
    first: float
    """When it was suggested first."""
    time: float
    """When it was suggested last."""
    count: int = 1
    """How often it was suggested."""
    applied: int = 0
    """How often its snippet was taken."""
    status: Literal["open", "applied", "dismissed"] = "open"
    by: str = ""
    """Who applied or dismissed it last."""

    @property
    def open(self) -> bool:
        """Whether it was neither applied nor dismissed."""
        return self.status == "open"
