"""Ideas: what the analysis would suggest, before it says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runebook_tui.core.suggested import RANKS, Layer, Priority

Kind = Literal["fix", "look", "change", "ask", "wait", "ask-model", "pattern"]
"""fix: run the snippet; look: at a file; change: a file by hand; ask: for access; wait: and try again."""


@dataclass(frozen=True, slots=True)
class Idea:
    """What would help with one failure."""

    kind: Kind
    title: str
    rule: str
    layer: Layer
    words: str = ""
    snippet: str = ""
    priority: Priority = "normal"
    confidence: float = 0.5
    file: str = ""
    """Relative to the repository, or ""."""
    line: int | None = None

    @property
    def rank(self) -> tuple[int, float]:
        """The smaller, the better."""
        return RANKS[self.priority], -self.confidence
