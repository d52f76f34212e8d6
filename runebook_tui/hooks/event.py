"""What a client's hook tells, in one form for all clients."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from runebook_tui.hooks.edits import Edit


class HookError(ValueError):
    """A payload that cannot be read; the words say why."""


class Kind(StrEnum):
    """What happened in the client."""

    BEFORE_TOOL = "before tool"
    PERMISSION = "permission"
    """It is about to ask its own user whether a tool may run; an answer spares the question."""
    AFTER_TOOL = "after tool"
    SESSION_START = "session start"
    SESSION_END = "session end"
    PROMPT = "prompt"
    NOTICE = "notice"
    """It wants its user's attention."""
    STOP = "stop"
    """Its turn is over."""
    SUBAGENT = "subagent"
    MODEL = "model"
    """The model has answered: tokens and cost."""
    OTHER = "other"

    @property
    def asks(self) -> bool:
        """Whether the client waits to hear if it may go on."""
        return self in (Kind.BEFORE_TOOL, Kind.PERMISSION)


@dataclass(frozen=True)
class HookEvent:
    """One run of a hook. Texts are the client's own, bounded; "" where it says nothing."""

    kind: Kind
    name: str = ""
    """The client's own name of the event."""
    session: str = ""
    model: str = ""
    cwd: str = ""
    part: bool = False
    """Whether a session below the client's own did it, which works on a part for it."""
    tool: str = ""
    call: str = ""
    """The client's id of the tool call: the same before and after it."""
    edits: tuple[Edit, ...] = ()
    """What the tool would write, as far as it can be told."""
    command: str = ""
    """The shell command that the tool runs."""
    code: int | None = None
    """After a shell command: its exit code where the client says it."""
    seconds: float | None = None
    failed: bool = False
    words: str = ""
    """What a notice says, or why a session ended or a turn failed."""
    waiting: bool = False
    """With a notice: whether the client waits for its user's answer."""
    tokens: int | None = None
    """Tokens of one answer of the model, in and out."""
    cost: float | None = None
    """US dollars of one answer of the model."""
