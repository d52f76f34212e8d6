"""State: everything that is known of a run, as frozen values. `fold` makes it from the events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from runebook_tui.core.acceptance import Accepted
from runebook_tui.core.activity import Doing
from runebook_tui.core.aftermath import Means
from runebook_tui.core.contract import Contract
from runebook_tui.core.grants import Grant, Scope
from runebook_tui.core.observed import Reading
from runebook_tui.core.ownership import OwnershipManager
from runebook_tui.core.planedits import PlanEdit
from runebook_tui.core.remembered import Attempt as Attempt
from runebook_tui.core.remembered import Decision as Decision
from runebook_tui.core.remembered import Engine as Engine
from runebook_tui.core.remembered import Message as Message
from runebook_tui.core.remembered import RecentTouch as RecentTouch
from runebook_tui.core.standing import Standing
from runebook_tui.core.suggested import Suggestion
from runebook_tui.core.types import (
    AgentSpec,
    AgentStatus,
    Change,
    Crossing,
    ExecutionPlan,
    GateMode,
    PhaseStatus,
    PlanInfo,
    RequestKind,
    Task,
    TaskStatus,
)

UNKNOWN_REASON = "for an unknown reason"


def _empty() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TaskState:
    """One task of one agent."""

    id: str
    agent: str
    title: str = ""
    status: TaskStatus = TaskStatus.NOT_STARTED
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PhaseState:
    """One phase. Times are unix seconds."""

    id: str
    status: PhaseStatus = PhaseStatus.PENDING
    started_at: float | None = None
    completed_at: float | None = None


@dataclass(frozen=True, slots=True)
class AgentState:
    """One agent. Times are unix seconds."""

    spec: AgentSpec
    status: AgentStatus = AgentStatus.PENDING
    reason: str = ""
    attempt: int = 0
    """How often it was started."""
    pane: str | None = None
    pid: int | None = None
    """The pane's first process."""
    alive: bool = False
    """Whether its program runs; a completed agent may go on serving."""
    ready: bool = False
    finalizing: bool = False
    code: int | None = None
    signal: int | None = None
    last_lines: tuple[str, ...] = ()
    lost: bool = False
    """Whether its pane vanished while it was at work."""
    resumes: str = ""
    """The session of its client that it was or will be started in; "" for a new one."""
    started_at: float | None = None
    ended_at: float | None = None
    gate: str = ""
    """Why the gate does less for it than the plan asks for; "" while it does that or nothing is known."""
    gate_holds: bool | None = None
    gate_mode: GateMode | None = None
    """What the gate does with its writes; None until its supervisor has said."""
    gate_proven: bool = False
    """Whether the gate refused what it must when the pane tried it, since the agent was started."""
    hook: str = ""
    """The client whose hook has spoken since the agent was started; "" while none has."""
    doing: Doing | None = None
    """What its client said last that it does; None while it has said nothing."""
    observed: Reading | None = None
    """What its pane says since it was started; None while it was not looked at."""
    standings: tuple[Standing, ...] = ()
    """What it did and does (`core/authority.py`), the newest last."""
    snoozed_until: float | None = None
    """Until when its call is put off, unix seconds, unless it does something else before."""
    task: str | None = None
    """The task in progress that was started last."""
    handed: tuple[Task, ...] = ()
    """Tasks that it was given beyond the plan's."""
    lane: str = ""
    """The branch of its worktree; "" where it works in the repository's own tree."""
    integrated: bool = False
    """Whether the repository has what its lane may give, as of its completion or end."""

    @property
    def id(self) -> str:
        """The agent's id."""
        return self.spec.id

    @property
    def restartable(self) -> bool:
        """Whether it failed, was stopped, or was killed while it served on after its last task."""
        ended = self.status is AgentStatus.COMPLETED and not self.alive and not self.finalizing
        return (ended and self.code != 0) or self.status in (AgentStatus.FAILED, AgentStatus.STOPPED)

    @property
    def all_tasks(self) -> tuple[Task, ...]:
        """The plan's tasks and those that it was handed, each in order."""
        return (*self.spec.tasks, *self.handed)

    @property
    def gate_is_less(self) -> bool:
        """Whether the gate is known to do less with its writes than the plan asks for."""
        if self.gate_mode is None:
            return self.gate_holds is False
        return self.gate_mode.strength < self.spec.gate.strength


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What an owner thinks of a request about its paths (`core/reviews.py`)."""

    agent: str
    advice: Literal["approve", "reject"]
    reason: str
    time: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class RequestState:
    """One request. Times are unix seconds."""

    id: int
    kind: RequestKind
    requester: str | None
    candidates: tuple[str, ...]
    crossings: Mapping[str, Crossing]
    reason: str
    evidence: str
    pid: int | None
    program: str
    opened_at: float
    updated_at: float
    status: Literal["open", "approved", "rejected", "withdrawn"] = "open"
    scope: Scope = Scope.ONCE
    answer: str = ""
    """The operator's reason, or why it was withdrawn."""
    lane: str = ""
    """The agent in whose lane it was written; "" for the repository's own tree."""
    hook: str = ""
    """The client whose hook asked before it wrote; "" for none."""
    decided_at: float | None = None
    decided_from: str | None = None
    """The host whose operator decided, where the plan has several; "" for the plan's own."""
    means: Means = ""
    """What else the decision did."""
    taken_back: int = 0
    """How many decisions of it were taken back."""
    held_since: float | None = None
    """When the wait began that ends at `held_until`."""
    held_until: float | None = None
    """When a write that waits for this request will be refused; None when none waits."""
    hold_over: str = ""
    """Why no write waits any more, once one did."""
    recommendations: Mapping[str, Recommendation] = field(default_factory=_empty)
    """What owners of its paths think of it, by agent."""
    undone: Mapping[str, str] = field(default_factory=_empty)
    """The undo by which a path was taken back, by path."""
    undo_refused: Mapping[str, str] = field(default_factory=_empty)
    """Why a path could not be taken back, by path."""
    contract: str = ""
    """With kind drift: the unified diff of the interface's contract."""

    @property
    def open(self) -> bool:
        """Whether it waits for a decision."""
        return self.status == "open"

    @property
    def who(self) -> str:
        """The requester, or the candidates: "alpha or you"."""
        if self.requester is not None:
            return self.requester
        names = ["you" if each == "operator" else each for each in self.candidates]
        return " or ".join(names) or "somebody"

    @property
    def owners(self) -> tuple[str, ...]:
        """Whose paths it is about, each once."""
        return tuple(dict.fromkeys(c.owner or "operator" for c in self.crossings.values()))

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths it is about, oldest first."""
        return tuple(self.crossings)


@dataclass(frozen=True, slots=True)
class UndoState:
    """One undo of a request."""

    id: str
    request: int
    time: float
    """Unix seconds."""
    changes: Mapping[str, Change] = field(default_factory=_empty)
    """What it changed, by path."""
    refused: Mapping[str, str] = field(default_factory=_empty)
    """Why not, by path."""
    restored: frozenset[str] = frozenset()
    """The paths that are back as they were before it."""
    patch: str = ""
    refused_patch: str = ""

    @property
    def status(self) -> str:
        """What became of it, in words."""
        if not self.changes:
            return "refused"
        word = "undone"
        if self.restored:
            word = "restored in part" if self.left else "restored"
        elif self.refused:
            word = "undone in part"
        return word

    @property
    def left(self) -> Mapping[str, Change]:
        """What of it can still be brought back."""
        return {
            path: each
            for path, each in self.changes.items()
            if path not in self.restored and each.before != each.after
        }


@dataclass(frozen=True, slots=True)
class Drift:
    """How the contract of a published interface differs from the published one, and the request about it."""

    request: int
    digest: str | None
    contract: Contract
    broken: str
    """What the file lacks of what the plan asks for, in words."""


@dataclass(frozen=True, slots=True)
class PublishedApi:
    """An interface that was published."""

    name: str
    agent: str
    path: str
    digest: str
    version: int
    time: float
    contract: Contract | None = None
    """What its file held when it was published; None where the log does not tell."""
    drift: Drift | None = None
    """While its file is not as it was published."""
    lacking: Mapping[str, str] = field(default_factory=_empty)
    """What the checkout of another host lacks of this version, by host; "" where it has it."""


@dataclass(frozen=True, slots=True)
class ApiRegistry:
    """The published APIs by name."""

    published: Mapping[str, PublishedApi] = field(default_factory=_empty)

    def has(self, name: str) -> bool:
        """Whether the interface `name` is published."""
        return name in self.published

    def get(self, name: str) -> PublishedApi | None:
        """The published interface `name`, or None."""
        return self.published.get(name)


@dataclass(frozen=True)
class State:
    """A frozen snapshot of a run. Equal logs give equal states."""

    plan: ExecutionPlan = field(default_factory=lambda: ExecutionPlan(plan=PlanInfo(name="none")))
    run: int = 0
    seq: int = 0
    time: float = 0.0
    """When the last event happened, unix seconds."""
    started_at: float | None = None
    ended_at: float | None = None
    outcome: Literal["completed", "failed", "stopped"] | None = None
    outcome_reason: str = ""
    engines: Mapping[str, Engine] = field(default_factory=_empty)
    """The engine of each host that has taken its lease and not left, by the host's name in the plan."""
    phases: Mapping[str, PhaseState] = field(default_factory=_empty)
    agents: Mapping[str, AgentState] = field(default_factory=_empty)
    tasks: Mapping[str, TaskState] = field(default_factory=_empty)
    apis: ApiRegistry = field(default_factory=ApiRegistry)
    acceptance: Mapping[str, Accepted] = field(default_factory=_empty)
    """What the plan's acceptance checks last came to in this run, by id."""
    requests: Mapping[int, RequestState] = field(default_factory=_empty)
    last_request: int = 0
    """The highest request number ever given, over all runs."""
    last_decision: Decision | None = None
    """What was decided last in this run, and may be taken back; None once it was."""
    grants: Mapping[int, Grant] = field(default_factory=_empty)
    undos: Mapping[str, UndoState] = field(default_factory=_empty)
    """Every undo, over all runs."""
    touches: int = 0
    recent_touches: tuple[RecentTouch, ...] = ()
    forgotten: int = 0
    """How many of them the log no longer has."""
    forgotten_before: int = 0
    """Of changes before this record only the newest of each path is in the log, over all runs."""
    attempts: int = 0
    """How often somebody was refused what only the operator may, in this run."""
    recent_attempts: tuple[Attempt, ...] = ()
    """The newest of them, oldest first."""
    messages: tuple[Message, ...] = ()
    """The newest messages, oldest first, over all runs."""
    last_message: int = 0
    """The highest message number ever given, over all runs."""
    suggestions: tuple[Suggestion, ...] = ()
    """The newest suggestions, the one that changed last at the end, over all runs."""
    last_suggestion: int = 0
    """The highest suggestion number ever given, over all runs."""
    dismissed_lessons: tuple[PlanEdit, ...] = ()
    """Edits of the plan that are not to be suggested again, over all runs."""
    looked_at: float | None = None
    """When the operator last came to the screen or left it, over all runs."""
    away_since: float | None = None
    """When the operator's last absence began: it goes on, or ended when the screen was opened."""
    blind_hosts: Mapping[str, str] = field(default_factory=_empty)
    """Why the live watch over a host's checkout sees nothing, by host."""
    watch_blind: str = ""
    """Why the live watch sees nothing; "" while it sees."""
    watch_blind_since: float | None = None

    @cached_property
    def owners(self) -> OwnershipManager:
        """Who owns what, by the plan."""
        return OwnershipManager(self.plan.ownership, self.plan.may_write)

    @cached_property
    def open_requests(self) -> tuple[RequestState, ...]:
        """The requests that wait for a decision, oldest first."""
        return tuple(request for request in self.requests.values() if request.open)

    def tasks_of(self, agent: str) -> tuple[TaskState, ...]:
        """The tasks of an agent, as in the plan."""
        tasks = (self.tasks[task.id] for task in self.agents[agent].all_tasks)
        return tuple(task for task in tasks if task.agent == agent)

    def agents_of(self, phase: str) -> tuple[AgentState, ...]:
        """The agents of a phase, as in the plan."""
        return tuple(agent for agent in self.agents.values() if agent.spec.phase == phase)

    def live_agents(self) -> tuple[AgentState, ...]:
        """The agents whose program runs."""
        return tuple(agent for agent in self.agents.values() if agent.alive)
