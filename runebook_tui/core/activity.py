"""Activity: what an agent's client says that it does, by its hooks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import Field

from runebook_tui.core.fact import Fact


class Activity(StrEnum):
    """What a client does."""

    WORKING = "working"
    WAITING = "waiting for input"
    IDLE = "idle"
    LIMITED = "rate-limited"
    """The model's server refused it, and it ended its turn for that."""
    DONE = "done"
    """Its session has ended."""


@dataclass(frozen=True, slots=True)
class Doing:
    """What an agent's client said last."""

    client: str
    """Its name for people: "Claude Code"."""
    activity: Activity
    about: str
    """What it waits for, or why its session ended; in its own words."""
    session: str
    """Its own id of the session, by which it can be resumed; "" where it says none."""
    model: str
    tokens: int | None
    """Tokens of the model's answers since the engine began to count; None where the client says nothing."""
    cost: float | None
    """US dollars of the same answers; None where the client says nothing."""
    since: float
    """When that began, unix seconds."""


class ActivityChanged(Fact):
    """An agent's client does something else now, or goes on in another session."""

    type: Literal["ActivityChanged"] = "ActivityChanged"
    agent: str
    client: str
    activity: Activity
    about: str = ""
    session: str = ""
    model: str = ""
    tokens: int | None = None
    cost: float | None = None

    def doing(self, time: float) -> Doing:
        """What the client does from `time` on."""
        return Doing(
            self.client,
            self.activity,
            self.about,
            self.session,
            self.model,
            self.tokens,
            self.cost,
            time,
        )


class CommandSource(StrEnum):
    """How it is known that a command ran."""

    HOOK = "hook"
    """An agent's client said it, by its hook."""
    SHELL = "shell"
    """An interactive shell said it (capture/)."""
    PANE = "pane"
    """The agent's own program: it ended with a failure, or its output holds what looks like an error."""


class CommandRan(Fact):
    """A command ran in an agent's pane. What looks like a secret is left out of every text."""

    type: Literal["CommandRan"] = "CommandRan"
    agent: str
    client: str
    """The client, the shell, or "" for what the pane's output says."""
    command: str
    """Bounded."""
    code: int | None = None
    """Its exit code; None where nobody says it."""
    failed: bool = False
    seconds: float | None = None
    session: str = ""
    """The client's own id of its session; the process id of the shell."""
    source: CommandSource = CommandSource.HOOK
    arguments: tuple[str, ...] = ()
    """The words of its first simple command; () where it cannot be split into words."""
    folder: str = ""
    """Where it was started, relative to the repository, or absolute outside; "" where nobody says it."""
    started: float | None = None
    """Unix seconds."""
    ended: float | None = None
    """Unix seconds."""
    environment: dict[str, str | None] = Field(default_factory=dict)
    """The exported variables that it changed; None stands for one that is gone."""
    output: str = ""
    """The file of the repository that holds its output, or the part of the pane's that says the failure."""
    error: str = ""
    """The line of the pane's output that looks like an error."""


def activity_words(doing: Doing) -> str:
    """What the client does, for people: "Claude Code is idle"."""
    about = f" ({doing.about})" if doing.about else ""
    verb = {
        Activity.WORKING: "is at work",
        Activity.WAITING: "waits for your input",
        Activity.IDLE: "is idle",
        Activity.LIMITED: "is rate-limited",
        Activity.DONE: "has ended its session",
    }[doing.activity]
    return f"{doing.client} {verb}{about}"


def use_words(doing: Doing) -> str:
    """Tokens and cost for people: "12,400 tokens, $0.31"; "" where the client says nothing."""
    parts = [] if doing.tokens is None else [f"{doing.tokens:,} tokens"]
    parts += [] if doing.cost is None else [f"${doing.cost:,.2f}"]
    return ", ".join(parts)
