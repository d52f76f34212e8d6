"""What the tools answer: the shapes that a model reads, with what each field means."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class Task(_Answer):
    """One task of an agent: not started, in progress, completed or blocked."""

    id: str
    agent: str
    title: str
    status: str
    reason: str


class Gate(_Answer):
    """What the kernel gate does with your writes: `enforce`, `observe` or `off`."""

    asked_for: str
    """By the plan."""
    does: str | None
    """None until it has reported."""
    reason: str


class Identity(_Answer):
    """Who you are."""

    agent: str | None
    """None: you are in no agent's pane."""
    words: str
    plan: str
    title: str = ""
    phase: str = ""
    status: str = ""
    waits_for: list[str] = []
    finalizing: bool = False
    """True: finish your last work and exit."""
    current_task: str | None = None
    tasks: list[Task] = []
    gate: Gate | None = None
    hook: str = ""
    """Your client, if Runebook has heard of its hook since you were started."""
    unread: int = 0
    """Messages for you: use read_messages."""
    folder: str = "."
    """Where you work, relative to the repository."""
    branch: str = ""
    """Of your own worktree; empty in the repository's own tree."""


class Claim(_Answer):
    """A gitignore-style pattern with its owner."""

    pattern: str
    owner: str


class Grant(_Answer):
    """What an approval lets you write: `once`, until a `task` ends, or until the `plan` ends."""

    request: int
    scope: str
    task: str | None
    paths: list[str]


class PathPolicy(_Answer):
    """What differs for the paths of a pattern; None: as everywhere."""

    path: str
    away: str | None
    hold_seconds: float | None
    review: str | None


class Boundaries(_Answer):
    """What you may write, and what happens at the edge."""

    claims: list[str]
    """Gitignore-style patterns of what you own. Among all claims the most specific decides."""
    grants: list[Grant]
    """What else you may write now."""
    shared: list[Claim]
    """What everybody reads and only its owner changes."""
    others: list[Claim]
    more: int
    """How many claims of others are not listed: use who_owns."""
    operators: list[str]
    """Never an agent's to write."""
    unowned: Literal["allow", "ask"]
    """Whether you may write what nobody owns without asking."""
    away: str
    """What a write to another's file gets until the operator answers: hold (it waits), refuse, or flag."""
    hold_seconds: float
    paths: list[PathPolicy] = []
    """Where that differs. The most exact pattern counts."""


class Ownership(_Answer):
    """Whose a path is. What git ignores may always be written, whatever this says."""

    path: str
    owner: str | None
    """An agent, `operator`, or None: nobody's."""
    claim: str | None
    """The pattern that decides."""
    shared: bool
    you_may_write: bool | None
    """None: you are no agent."""
    words: str
    requests: list[int]
    """Open requests about it."""
    away: str | None = None
    """What your write of it gets until the operator answers: hold, refuse or flag. None: no need to ask."""
    hold_seconds: float | None = None


class Ticket(_Answer):
    """Your question to the operator."""

    ticket: int | None
    """For wait_for_decision; None when you may write all of these paths already."""
    words: str


class Decision(_Answer):
    """Where a request stands."""

    ticket: int
    status: Literal["open", "approved", "rejected", "withdrawn"]
    scope: str | None
    """Of an approval: once, task or plan."""
    reason: str
    """The operator's words, verbatim."""
    words: str


class Request(_Answer):
    """One request of yours."""

    ticket: int
    kind: str
    status: str
    scope: str | None
    paths: list[str]
    owners: list[str]
    asked_because: str
    reason: str
    """The operator's words, verbatim."""


class Requests(_Answer):
    """Your requests, oldest first."""

    requests: list[Request]
    more: int
    """How many older ones are not listed."""


class Api(_Answer):
    """An interface of the plan; once published it can be relied on."""

    name: str
    owner: str
    path: str
    must_contain: list[str]
    must_match: list[str]
    symbols: list[str]
    published: bool
    version: int | None
    drift: int | None
    """The request about a change of what was published; until it is decided, do not rely on the change."""


class Apis(_Answer):
    """The interfaces of the plan."""

    apis: list[Api]


class Tasks(_Answer):
    """The tasks of the plan."""

    tasks: list[Task]


class Message(_Answer):
    """Words from one to others."""

    id: int
    sender: str
    """An agent, `operator`, or `engine`: Runebook itself."""
    to: list[str]
    text: str
    request: int | None
    """The request that it is about."""


class Messages(_Answer):
    """What you had not read, oldest first; it counts as read now."""

    messages: list[Message]


class Advice(_Answer):
    """What you think of a request about your paths. The operator decides."""

    ticket: int
    recommendation: Literal["approve", "reject"]
    reason: str


class Suggestion(_Answer):
    """What an agent thinks would help. Nobody executes it: judge it, and do it yourself if it is right."""

    id: int
    agent: str
    """Who suggests it."""
    kind: str
    priority: Literal["high", "normal", "low"]
    title: str
    words: str
    snippet: str
    """A command or text to copy; empty for none."""
    confidence: float
    """From 0 to 1."""
    rule: str
    """What made it."""
    file: str
    """The file that it is about; empty for none."""
    line: int | None
    failed: str
    """The agent whose command failed; empty where it is about no failure."""
    count: int
    """How often it was suggested."""


class Suggestions(_Answer):
    """What is suggested for this repository, the best first."""

    suggestions: list[Suggestion]
