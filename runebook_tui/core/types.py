"""The values of the program: the plan as people write it, and what is observed while it runs.

A path is a `str` relative to the repository, `/`-separated, decoded with `os.fsdecode`
(so bytes that are not UTF-8 are lone surrogates). Times are unix seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from runebook_tui.core.acceptance import AcceptanceCheck as AcceptanceCheck
from runebook_tui.core.analysis import AnalysisPolicy
from runebook_tui.core.contract import InterfaceStub as InterfaceStub
from runebook_tui.core.names import (
    AgentId,
    ApiName,
    HostName,
    Identifier,
    OneLine,
    Pattern,
    RemoteName,
    RepositoryPath,
)
from runebook_tui.core.ownership import FileOwnership
from runebook_tui.core.pattern import exactly
from runebook_tui.core.policy import Away as Away
from runebook_tui.core.policy import PathPolicy as PathPolicy
from runebook_tui.core.policy import Policy as Policy
from runebook_tui.core.policy import Review as Review
from runebook_tui.core.speakers import ENGINE as ENGINE
from runebook_tui.core.speakers import OPERATOR as OPERATOR
from runebook_tui.core.storeaddress import StoreAddress
from runebook_tui.core.value import Value as Value

ORCHESTRATOR = "orchestrator"
"""The built-in agent that begins a plan: roadmap, interface stubs, boundaries."""


# ── the plan ────────────────────────────────────────────────────────────────────────────────────


class Needs(Value):
    """Conditions that must hold before a phase or an agent starts."""

    phases: tuple[Identifier, ...] = ()
    """Phases that must be complete."""
    tasks: tuple[Identifier, ...] = ()
    """Tasks that must be completed."""
    apis: tuple[ApiName, ...] = ()
    """Interfaces that must be published."""

    def __bool__(self) -> bool:
        return bool(self.phases or self.tasks or self.apis)


class Task(Value):
    """A unit of an agent's work."""

    id: Identifier
    """Used once in the whole plan."""
    title: str = ""
    """What is to be done, for people."""


class Phase(Value):
    """A named stage of the plan."""

    id: Identifier
    """Used once in the plan."""
    title: str = ""
    """What the phase is called on the screen."""
    after: tuple[Identifier, ...] = ()
    """Phases that must be complete before this one starts."""
    continuous: bool = False
    """Runs alongside from its dependencies on, and finalizes when all other phases are complete."""
    needs: Needs = Needs()
    """What else must be there before it starts."""


class GateMode(StrEnum):
    """What the kernel gate does with a write of this agent."""

    ENFORCE = "enforce"
    """A foreign write waits for the operator, or is refused, before it lands."""
    OBSERVE = "observe"
    """Every write passes and is recorded."""
    OFF = "off"

    @property
    def strength(self) -> int:
        """How much it does: 0 off, 1 observe, 2 enforce."""
        return (GateMode.OFF, GateMode.OBSERVE, GateMode.ENFORCE).index(self)


CaptureMode = Literal["output", "commands", "off"]
"""What is kept of what runs in an agent's pane."""

ClientName = Literal["claude", "codex", "gemini", "opencode", "copilot", "qwen", "cursor", "goose", "aider"]
"""The agent CLIs that Runebook can start (`clients/`)."""


class AgentSpec(Value):
    """An agent as the plan describes it: one of `builtin`, `command` and `client` says what it runs."""

    id: AgentId
    """Used once in the plan; it names the pane, and who did what."""
    title: str = ""
    """What the agent is called on the screen."""
    phase: Identifier
    """The phase that it works in."""
    host: HostName = ""
    """The host whose engine runs it (docs/hosts.md); without one, the engine that was given no name."""
    builtin: str | None = None
    """The name of a built-in or installed agent (entry point group `runebook.agents`)."""
    command: tuple[str, ...] | None = None
    """The program and its arguments, run without a shell."""
    client: ClientName | None = None
    """The agent CLI that it runs, set up for its boundaries (docs/clients.md)."""
    prompt: Annotated[str, Field(max_length=16_000)] = ""
    """What the client is asked to do, after what Runebook tells it about its place in the plan; it is one
    argument of a command line, so a longer one belongs into a file of the repository."""
    model: OneLine | None = None
    """The client's model, by the client's own name for it; without one, the client's choice."""
    args: tuple[str, ...] = ()
    """Further arguments of the client."""
    cwd: RepositoryPath = "."
    """Working folder, relative to the repository."""
    env: dict[str, str] = Field(default_factory=dict)
    """Variables added to its environment."""
    claims: tuple[Pattern, ...] = ()
    """Gitignore-style patterns of the files that this agent owns."""
    tasks: tuple[Task, ...] = ()
    """Its work in parts."""
    needs: Needs = Needs()
    """What must be there before it starts, beyond its phase."""
    may_write: tuple[Pattern, ...] = ()
    """Patterns of others' files that this agent may write without asking; they stay theirs."""
    gate: GateMode = GateMode.ENFORCE
    """What the kernel gate does with its writes; less than asked for where the system allows less."""
    capture: CaptureMode = "output"
    """What a plan with an event-capture agent keeps of this one's pane: its commands and their output, its
    commands, or nothing (docs/capture.md). What its client's hooks report is in the log all the same."""
    finalize: Literal["signal", "wait"] | None = None
    """How it is told to finalize: "signal" sends SIGTERM at once; "wait" lets `runebook-tui wait finalize`
    return and sends SIGTERM only after `policy.finalize_seconds`. Default: "wait" for a builtin."""

    @property
    def waits_for_finalize(self) -> bool:
        """Whether the agent asks to be told, rather than being signalled."""
        return (self.finalize or ("signal" if self.builtin is None else "wait")) == "wait"

    @field_validator("prompt", "model", "args")
    @classmethod
    def _of_a_client(cls, value: object, info: ValidationInfo) -> object:
        if value and "client" in info.data and info.data["client"] is None:
            raise ValueError("is for an agent with a 'client' only")
        return value

    @model_validator(mode="after")
    def _one_program(self) -> AgentSpec:
        if sum(each is not None for each in (self.builtin, self.command, self.client)) != 1:
            raise ValueError("needs exactly one of 'builtin', 'command' and 'client'")
        if self.command is not None and (not self.command or not self.command[0]):
            raise ValueError("'command' is empty")
        return self


class SharedPath(Value):
    """A path that everybody reads and only its owner and approved requests change."""

    path: Pattern
    """A gitignore-style pattern."""
    owner: AgentId
    """The agent that may change it without asking."""


class PlanInfo(Value):
    """What the plan is called and how agents are kept apart."""

    name: OneLine
    """What the plan is called."""
    isolation: Literal["shared", "worktree"] = "shared"
    """How agents are kept apart: all in one working tree, or each in a worktree of its own."""
    store: StoreAddress = ""
    """Where the log is, if not in `.runebook/`: the address of a PostgreSQL database without a password."""
    remote: RemoteName = ""
    """The git remote from which a host fetches what was published on another; "" for none."""


class Roadmap(Value):
    """The phases in the order in which they can run, with the agents of each."""

    phases: tuple[Phase, ...]
    agents: dict[str, tuple[str, ...]]


class ExecutionPlan(Value):
    """A whole plan: `runebook.toml`, read and checked."""

    plan: PlanInfo
    """What the plan is called."""
    policy: Policy = Policy()
    """What happens at a boundary."""
    phases: tuple[Phase, ...] = ()
    """The stages, in any order; `after` says which come first."""
    agents: tuple[AgentSpec, ...] = ()
    """The programs that run, one a pane."""
    shared: tuple[SharedPath, ...] = ()
    """What everybody reads and only its owner changes."""
    interfaces: tuple[InterfaceStub, ...] = ()
    """What agents must publish before others may rely on it."""
    acceptance: tuple[AcceptanceCheck, ...] = ()
    """The commands that say whether the work is as it should be."""
    analysis: AnalysisPolicy = AnalysisPolicy()
    """Whether a language model may be asked about failures."""

    @property
    def ownership(self) -> tuple[FileOwnership, ...]:
        """Every claim of the plan, shared paths last."""
        own = [
            FileOwnership(pattern=claim, owner=agent.id) for agent in self.agents for claim in agent.claims
        ]
        shared = [FileOwnership(pattern=each.path, owner=each.owner, shared=True) for each in self.shared]
        return (*own, *shared)

    @property
    def may_write(self) -> tuple[tuple[str, str], ...]:
        """Which agent may write what of others' files without asking: agent and pattern.

        The built-in orchestrator stubs the interfaces whose files are missing: that is its task.
        """
        stubs = [exactly(each.path) for each in self.interfaces]
        return (
            *((agent.id, pattern) for agent in self.agents for pattern in agent.may_write),
            *((agent.id, path) for agent in self.agents if agent.builtin == ORCHESTRATOR for path in stubs),
        )

    @property
    def has_lanes(self) -> bool:
        """Whether each agent works in a lane: a worktree and branch of its own."""
        return self.plan.isolation == "worktree"

    @property
    def roadmap(self) -> Roadmap:
        """The phases in a startable order; phases caught in a cycle come last, as written."""
        placed: list[Phase] = []
        rest = list(self.phases)
        while rest:
            done = {phase.id for phase in placed}
            free = [phase for phase in rest if set(phase.after) <= done] or rest
            placed.append(free[0])
            rest.remove(free[0])
        members = {p.id: tuple(a.id for a in self.agents if a.phase == p.id) for p in placed}
        return Roadmap(phases=tuple(placed), agents=members)

    def agent(self, agent_id: str) -> AgentSpec | None:
        """The agent of that id, or None."""
        return next((agent for agent in self.agents if agent.id == agent_id), None)

    def phase(self, phase_id: str) -> Phase | None:
        """The phase of that id, or None."""
        return next((phase for phase in self.phases if phase.id == phase_id), None)

    def interface(self, name: str) -> InterfaceStub | None:
        """The interface of that name, or None."""
        return next((each for each in self.interfaces if each.name == name), None)


# ── what happens ────────────────────────────────────────────────────────────────────────────────


class AgentStatus(StrEnum):
    """Where an agent stands."""

    PENDING = "pending"
    """Its phase has not started."""
    WAITING = "waiting"
    """Its phase has started; something it needs is missing."""
    STARTING = "starting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


class TaskStatus(StrEnum):
    """Where a task stands."""

    NOT_STARTED = "not started"
    IN_PROGRESS = "in progress"
    COMPLETED = "completed"
    BLOCKED = "blocked"


class PhaseStatus(StrEnum):
    """Where a phase stands."""

    PENDING = "pending"
    ACTIVE = "active"
    COMPLETED = "completed"


class RequestKind(StrEnum):
    """How a request came to be."""

    ASKED = "asked"
    HELD = "held"
    CROSSED = "crossed"
    DRIFT = "drift"
    CONFLICT = "conflict"


class Version(Value):
    """What was at a path at one moment."""

    kind: Literal["file", "symlink", "absent", "other"]
    digest: str | None = None
    """SHA-256 of the content (of the target of a symlink), hexadecimal; None when absent."""
    size: int = 0
    """Bytes."""
    mode: int = 0
    """Permission bits."""
    stored: bool = False
    """Whether the content can be had from the history."""


class Change(Value):
    """One observed change of one path."""

    path: str
    before: Version
    after: Version
    added: int | None = None
    """Lines added; None when not a text that can be compared."""
    removed: int | None = None


class Author(Value):
    """Who made a change, and how that is known."""

    name: str | None = None
    """An agent's id, OPERATOR, or None when it is not certain."""
    candidates: tuple[str, ...] = ()
    """Who it may have been, when it is not certain."""
    evidence: str = "nobody was seen"
    """In words, for people."""
    pid: int | None = None
    program: str = ""
    under: int | None = None
    """The request whose approval the gate let the write pass under."""

    @property
    def certain(self) -> bool:
        """Whether one name can be given."""
        return self.name is not None


class Crossing(Value):
    """One path of a request: whose it is, and what changed if something did."""

    path: str
    owner: str | None
    change: Change | None = None
    source: str | None = None
    """While nothing is written: the file of the repository that would take its place by a rename or link."""
    proposed: Version | None = None
    """While nothing is written: what an agent's client said that the file would hold."""
