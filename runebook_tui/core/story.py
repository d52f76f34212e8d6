"""Story: what is told of one file: the place of its rule, its last changes, who wrote each line."""

from __future__ import annotations

from dataclasses import dataclass

from runebook_tui.core.events import Record


@dataclass(frozen=True)
class Story:
    """What is known of one file beyond the state."""

    touches: tuple[Record, ...] = ()
    """Its newest `Touched` records, the newest first, a few."""
    diff: str = ""
    """The unified diff of the newest change, bounded; "" where there is none."""
    claim_line: int | None = None
    """The line of `runebook.toml` that has the claim which decides, from 1."""


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """One line of a file as it is now, and who wrote it, in words."""

    text: str
    """As in a path, bytes that are not UTF-8 are lone surrogates."""
    who: str
    time: float | None = None
    """Unix seconds; None where no change was seen that brought it."""
    evidence: str = ""
