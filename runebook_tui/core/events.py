"""The coordination messages: everything that can happen, as one discriminated union.

An event is a fact in the past. The log keeps events in order; `state.apply` folds them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from runebook_tui.core.grants import Scope
from runebook_tui.core.types import (
    AgentStatus,
    Author,
    Change,
    Crossing,
    ExecutionPlan,
    GateMode,
    RequestKind,
)


class _Event(BaseModel):
    """Unknown fields are passed over, so that an older program reads a newer log."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class RunStarted(_Event):
    """A run of the plan began."""

    type: Literal["RunStarted"] = "RunStarted"
    plan: ExecutionPlan


class PlanChanged(_Event):
    """The operator edited the plan while it ran."""

    type: Literal["PlanChanged"] = "PlanChanged"
    plan: ExecutionPlan


class RunEnded(_Event):
    """The run is over: every phase complete, or it can go no further."""

    type: Literal["RunEnded"] = "RunEnded"
    outcome: Literal["completed", "failed", "stopped"]
    reason: str = ""


class EngineStarted(_Event):
    """An engine took the lease."""

    type: Literal["EngineStarted"] = "EngineStarted"
    pid: int
    host: str
    adopted: tuple[str, ...] = ()
    """Agents whose panes were found alive."""


class EngineStopped(_Event):
    """The engine gave the lease back."""

    type: Literal["EngineStopped"] = "EngineStopped"
    reason: str = ""


class PhaseStarted(_Event):
    """Everything the phase depends on holds."""

    type: Literal["PhaseStarted"] = "PhaseStarted"
    phase: str


class PhaseCompleted(_Event):
    """Every agent of the phase is complete."""

    type: Literal["PhaseCompleted"] = "PhaseCompleted"
    phase: str


class FinalizeStarted(_Event):
    """An agent was told to finalize: continuous agents at the end, then those that still serve."""

    type: Literal["FinalizeStarted"] = "FinalizeStarted"
    agent: str


class StatusUpdate(_Event):
    """An agent's status changed."""

    type: Literal["StatusUpdate"] = "StatusUpdate"
    agent: str
    status: AgentStatus
    reason: str = ""
    """What it waits for, or why it failed or was stopped; in words."""


class AgentStarted(_Event):
    """The agent's program runs in a pane."""

    type: Literal["AgentStarted"] = "AgentStarted"
    agent: str
    pane: str
    pid: int
    attempt: int


class AgentReady(_Event):
    """The agent said that it is set up and at work."""

    type: Literal["AgentReady"] = "AgentReady"
    agent: str


class AgentExited(_Event):
    """The agent's program ended."""

    type: Literal["AgentExited"] = "AgentExited"
    agent: str
    code: int | None = None
    """Exit code, or None when a signal ended it or its pane is gone."""
    signal: int | None = None
    last_lines: tuple[str, ...] = ()
    reason: str = ""


class TaskStarted(_Event):
    """An agent took up a task."""

    type: Literal["TaskStarted"] = "TaskStarted"
    agent: str
    task: str


class TaskBlocked(_Event):
    """An agent cannot go on with a task."""

    type: Literal["TaskBlocked"] = "TaskBlocked"
    agent: str
    task: str
    reason: str


class TaskCompleted(_Event):
    """A task is done."""

    type: Literal["TaskCompleted"] = "TaskCompleted"
    agent: str
    task: str
    note: str = ""


class ApiPublished(_Event):
    """An interface is real: its file holds what was promised."""

    type: Literal["ApiPublished"] = "ApiPublished"
    agent: str
    api: str
    path: str
    digest: str
    """SHA-256 of the published file, hexadecimal."""
    version: int


class CoordinationRequest(_Event):
    """A question to the operator."""

    type: Literal["CoordinationRequest"] = "CoordinationRequest"
    request: int
    kind: RequestKind
    requester: str | None
    """The agent that wants or did it; None when the author is not certain."""
    candidates: tuple[str, ...] = ()
    crossings: tuple[Crossing, ...]
    reason: str = ""
    """The agent's words, or the cause of a burst."""
    evidence: str = ""
    pid: int | None = None
    program: str = ""
    lane: str = ""
    """The agent in whose lane it was written; "" for the repository's own tree."""


class RequestGrew(_Event):
    """More writes joined an open request."""

    type: Literal["RequestGrew"] = "RequestGrew"
    request: int
    crossings: tuple[Crossing, ...]


class HoldStarted(_Event):
    """A write waits before the kernel for this request to be decided."""

    type: Literal["HoldStarted"] = "HoldStarted"
    request: int
    pid: int | None = None
    program: str = ""
    until: float
    """Unix seconds: when it is refused."""


class HoldEnded(_Event):
    """No write waits for this request any more; it may be open still."""

    type: Literal["HoldEnded"] = "HoldEnded"
    request: int
    reason: str


class RequestWithdrawn(_Event):
    """A request is void without a decision."""

    type: Literal["RequestWithdrawn"] = "RequestWithdrawn"
    request: int
    reason: str


class CoordinationResponse(_Event):
    """The operator decided; the first decision wins."""

    type: Literal["CoordinationResponse"] = "CoordinationResponse"
    request: int
    decision: Literal["approved", "rejected"]
    scope: Scope = Scope.ONCE
    reason: str = ""
    task: str | None = None
    """With scope "task": the requester's task when the decision was taken."""


class GrantUsed(_Event):
    """A `once` grant covered a write."""

    type: Literal["GrantUsed"] = "GrantUsed"
    request: int
    path: str
    pid: int | None = None


class Touched(_Event):
    """One file changed."""

    type: Literal["Touched"] = "Touched"
    change: Change
    author: Author
    cause: str = ""
    lane: str = ""
    """The agent in whose lane the file is; "" for the repository's own tree."""


class LaneOpened(_Event):
    """An agent's worktree is ready for it."""

    type: Literal["LaneOpened"] = "LaneOpened"
    agent: str
    branch: str
    fresh: bool
    """Whether it is as the repository's HEAD; else it was taken up with the work that was in it."""


class LaneIntegrated(_Event):
    """What an agent may write was taken from its lane into the repository."""

    type: Literal["LaneIntegrated"] = "LaneIntegrated"
    agent: str
    commit: str = ""
    """The new commit; "" when there was nothing to commit."""
    paths: tuple[str, ...] = ()
    """What was taken."""
    left: dict[str, str] = Field(default_factory=dict)
    """Paths that stay in the lane, and why."""
    settled: bool = False
    """Whether all of the lane was looked at, and nothing of it waits for a decision."""


class ChangeUndone(_Event):
    """What a request had written was taken back; the patch holds what was removed."""

    type: Literal["ChangeUndone"] = "ChangeUndone"
    undo: str
    """The undo's id, such as "u1"."""
    request: int
    changes: tuple[Change, ...]
    """What the undo itself changed; both sides of a change are the same where nothing was left to undo."""
    patch: str
    """The patch's path."""


class UndoRefused(_Event):
    """What a request had written to a path could not be taken back; the patch holds the change."""

    type: Literal["UndoRefused"] = "UndoRefused"
    undo: str
    request: int
    path: str
    reason: str
    patch: str


class UndoRestored(_Event):
    """What an undo had removed is back."""

    type: Literal["UndoRestored"] = "UndoRestored"
    undo: str
    changes: tuple[Change, ...]


class NetReported(_Event):
    """A net (gate, watch) began or ceased to hold, for one agent or for all."""

    type: Literal["NetReported"] = "NetReported"
    net: Literal["gate", "watch"]
    agent: str | None = None
    holds: bool
    reason: str = ""
    mode: GateMode | None = None
    """With net "gate": what it does."""


class AttemptRefused(_Event):
    """Somebody tried what only the operator may do."""

    type: Literal["AttemptRefused"] = "AttemptRefused"
    speaker: str
    attempt: str
    reason: str


Event = Annotated[
    RunStarted
    | PlanChanged
    | RunEnded
    | EngineStarted
    | EngineStopped
    | PhaseStarted
    | PhaseCompleted
    | FinalizeStarted
    | StatusUpdate
    | AgentStarted
    | AgentReady
    | AgentExited
    | TaskStarted
    | TaskBlocked
    | TaskCompleted
    | ApiPublished
    | CoordinationRequest
    | RequestGrew
    | HoldStarted
    | HoldEnded
    | RequestWithdrawn
    | CoordinationResponse
    | GrantUsed
    | Touched
    | ChangeUndone
    | UndoRefused
    | UndoRestored
    | LaneOpened
    | LaneIntegrated
    | NetReported
    | AttemptRefused,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads and writes an event as JSON."""


class Record(_Event):
    """An event as the log keeps it."""

    seq: int
    """Position in the log, from 1, without gaps."""
    time: float
    """Unix seconds."""
    run: int
    actor: str
    """OPERATOR, ENGINE or an agent's id."""
    event: Event
