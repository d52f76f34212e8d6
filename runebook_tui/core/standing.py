"""Standing: what an agent does, in one word, and by whose authority that is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Word(StrEnum):
    """What an agent does, as people say it."""

    WAITING = "waiting for you"
    """Its program asks something of a person in its pane."""
    BLOCKED = "blocked on a request"
    """It waits for the answer to a request."""
    IDLE = "idle"
    """Its turn is over and its tasks are not: nobody but a person makes it go on."""
    LIMITED = "rate-limited"
    """The model's server takes no more of it for a while."""
    FAILED = "failed"
    LOST = "lost"
    """Its pane vanished while it was at work."""
    UNKNOWN = "unknown"
    """Nobody who could know has said."""
    WORKING = "working"
    STARTING = "starting"
    FINALIZING = "finalizing"
    SERVING = "done, serving"
    DONE = "done"
    STOPPED = "stopped"
    PENDING = "not started"


CALLS = (Word.WAITING, Word.BLOCKED, Word.FAILED, Word.LOST, Word.IDLE, Word.LIMITED)
"""What needs a person, the most pressing first."""


class Source(StrEnum):
    """By whose authority it is known, as people say it."""

    PLAN = "the plan"
    PROCESS = "its process"
    GATE = "the gate"
    REQUEST = "its request"
    HOOK = "its client's hook"
    PANE = "its pane"


@dataclass(frozen=True, slots=True)
class Standing:
    """What an agent does, and how that is known. Texts are others' words, bounded, not made safe."""

    word: Word
    source: Source
    rule: str
    """What the authority goes by: "exit status", "a write that waits", a pane rule's name."""
    line: str = ""
    """The line of the pane, the client's words or the event that said it."""
    since: float | None = None
    """Unix seconds; None while nothing has happened to the agent."""
    request: int | None = None
    """The request that it is blocked on."""

    @property
    def calls(self) -> bool:
        """Whether it needs a person."""
        return self.word in CALLS


KEPT = 4
"""So many standings are remembered of an agent: the one now and three before it."""


def explained(standing: Standing) -> str:
    """How it is known, in a line: "the gate says so (a write that waits): request 12: src/api.py"."""
    if standing.word is Word.UNKNOWN and standing.source is Source.PANE:
        return standing.rule
    line = f": {standing.line}" if standing.line else ""
    return f"{standing.source} says so ({standing.rule}){line}"
