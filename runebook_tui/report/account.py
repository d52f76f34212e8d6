"""The account of a run: what its phases, agents, requests and files came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Span(NamedTuple):
    """A time from one moment to another, unix seconds; `end` is None while it lasts."""

    start: float
    end: float | None
    status: str
    """How it ended, or "running"."""


@dataclass
class PhaseAccount:
    """One phase. Times are unix seconds."""

    id: str
    title: str
    continuous: bool
    started: float | None = None
    completed: float | None = None


@dataclass
class Written:
    """What one author wrote to one path."""

    edits: int = 0
    added: int = 0
    """Lines, where they could be counted."""
    removed: int = 0


@dataclass(frozen=True)
class Failure:
    """A command that failed."""

    time: float
    command: str
    code: int | None


@dataclass
class AgentAccount:
    """One agent. Times are unix seconds."""

    id: str
    title: str = ""
    phase: str = ""
    status: str = "not started"
    reason: str = ""
    spans: list[Span] = field(default_factory=list)
    """Each life of its program."""
    tasks: dict[str, float | None] = field(default_factory=dict)
    """When each was completed; None for those that are not."""
    files: dict[str, Written] = field(default_factory=dict)
    requests: list[int] = field(default_factory=list)
    commands: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    client: str = ""
    model: str = ""
    tokens: int | None = None
    """Tokens of its model's answers; None where its client said nothing."""
    cost: float | None = None
    """US dollars of the same answers."""


@dataclass
class RequestAccount:
    """One request, and what was decided. Times are unix seconds."""

    id: int
    kind: str
    requester: str
    owners: list[str]
    paths: list[str]
    reason: str
    opened: float
    decided: float | None = None
    status: str = "open"
    scope: str = ""
    by: str = ""
    answer: str = ""
    taken_back: int = 0


@dataclass(frozen=True)
class Check:
    """What an acceptance check last came to."""

    id: str
    title: str
    command: str
    passed: bool
    code: int | None
    seconds: float | None
    commit: str
    reason: str
    time: float
    runs: int


@dataclass
class SuggestionAccount:
    """One suggestion. Times are unix seconds."""

    id: int
    agent: str
    priority: str
    title: str
    time: float
    """When it was made first."""
    count: int = 1
    status: str = "open"


class Publication(NamedTuple):
    """An interface was published."""

    time: float
    api: str
    version: int
    agent: str


@dataclass
class Account:
    """What a run came to. Times are unix seconds."""

    run: int
    plan: str = ""
    started: float = 0.0
    last: float = 0.0
    """When its last event happened."""
    ended: float | None = None
    outcome: str = ""
    """"completed", "failed", "stopped", or "" while it is not over."""
    reason: str = ""
    phases: dict[str, PhaseAccount] = field(default_factory=dict)
    agents: dict[str, AgentAccount] = field(default_factory=dict)
    others: dict[str, dict[str, Written]] = field(default_factory=dict)
    """What was written by the operator ("operator"), and by nobody for certain ("")."""
    requests: dict[int, RequestAccount] = field(default_factory=dict)
    published: list[Publication] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)
    suggestions: dict[int, SuggestionAccount] = field(default_factory=dict)
    events: int = 0
    forgotten: int = 0
    """Changes of files that the log no longer has: they are counted nowhere else."""
    attempts: int = 0
    """What was tried that only the operator may."""

    @property
    def files(self) -> dict[str, dict[str, Written]]:
        """Who wrote what: by path, by author; "" stands for nobody for certain."""
        found: dict[str, dict[str, Written]] = {}
        for author, files in [
            *((each.id, each.files) for each in self.agents.values()),
            *self.others.items(),
        ]:
            for path, written in files.items():
                found.setdefault(path, {})[author] = written
        return dict(sorted(found.items()))
