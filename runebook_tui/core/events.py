"""The coordination messages: everything that can happen, as one discriminated union.

An event is a fact in the past. The log keeps events in order; `state.apply` folds them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from runebook_tui.core.acceptance import AcceptanceRan
from runebook_tui.core.activity import ActivityChanged, CommandRan
from runebook_tui.core.aftermath import DecisionTakenBack, Means, TaskHandedOver
from runebook_tui.core.capture import ShellEnded, ShellStarted
from runebook_tui.core.contract import ApiDrifted, ApiRestored, Contract
from runebook_tui.core.copies import CopyChecked
from runebook_tui.core.fact import Fact
from runebook_tui.core.forgetting import TouchesForgotten as TouchesForgotten
from runebook_tui.core.grants import Scope
from runebook_tui.core.lane_events import LaneIntegrated as LaneIntegrated
from runebook_tui.core.lane_events import LaneOpened as LaneOpened
from runebook_tui.core.learning import LessonDismissed
from runebook_tui.core.messages import MessageDelivered, MessageSent
from runebook_tui.core.observed import AgentObserved
from runebook_tui.core.planedits import PlanEdit
from runebook_tui.core.presence import OperatorLooked
from runebook_tui.core.reviews import Recommended
from runebook_tui.core.snoozing import Snoozed
from runebook_tui.core.speech import QuestionAnswered, SaidToAgent
from runebook_tui.core.suggestions import SuggestionAdded, SuggestionApplied, SuggestionDismissed
from runebook_tui.core.types import (
    AgentStatus,
    Author,
    Change,
    Crossing,
    ExecutionPlan,
    GateMode,
    RequestKind,
)
from runebook_tui.core.undo_events import ChangeUndone as ChangeUndone
from runebook_tui.core.undo_events import UndoRefused as UndoRefused
from runebook_tui.core.undo_events import UndoRestored as UndoRestored


class RunStarted(Fact):
    """A run of the plan began."""

    type: Literal["RunStarted"] = "RunStarted"
    plan: ExecutionPlan


class PlanChanged(Fact):
    """The operator edited the plan while it ran."""

    type: Literal["PlanChanged"] = "PlanChanged"
    plan: ExecutionPlan
    edits: tuple[PlanEdit, ...] = ()
    """What Runebook wrote into the plan's file for the operator; () when that was edited by hand."""


class RunEnded(Fact):
    """The run is over: every phase complete, or it can go no further."""

    type: Literal["RunEnded"] = "RunEnded"
    outcome: Literal["completed", "failed", "stopped"]
    reason: str = ""


class EngineStarted(Fact):
    """An engine took the lease."""

    type: Literal["EngineStarted"] = "EngineStarted"
    pid: int
    host: str
    adopted: tuple[str, ...] = ()
    """Agents whose panes were found alive."""
    serves: str = ""
    """The host of the plan that it is the engine of; "" for the plan's own."""


class EngineStopped(Fact):
    """The engine gave the lease back."""

    type: Literal["EngineStopped"] = "EngineStopped"
    reason: str = ""
    serves: str = ""


class PhaseStarted(Fact):
    """Everything the phase depends on holds."""

    type: Literal["PhaseStarted"] = "PhaseStarted"
    phase: str


class PhaseCompleted(Fact):
    """Every agent of the phase is complete."""

    type: Literal["PhaseCompleted"] = "PhaseCompleted"
    phase: str


class FinalizeStarted(Fact):
    """An agent was told to finalize: continuous agents at the end, then those that still serve."""

    type: Literal["FinalizeStarted"] = "FinalizeStarted"
    agent: str


class StatusUpdate(Fact):
    """An agent's status changed."""

    type: Literal["StatusUpdate"] = "StatusUpdate"
    agent: str
    status: AgentStatus
    reason: str = ""
    """What it waits for, or why it failed or was stopped; in words."""
    session: str = ""
    """The session of its client that it goes on in when it starts next; "" for a new one."""


class AgentStarted(Fact):
    """The agent's program runs in a pane."""

    type: Literal["AgentStarted"] = "AgentStarted"
    agent: str
    pane: str
    pid: int
    attempt: int


class AgentReady(Fact):
    """The agent said that it is set up and at work."""

    type: Literal["AgentReady"] = "AgentReady"
    agent: str


class AgentExited(Fact):
    """The agent's program ended."""

    type: Literal["AgentExited"] = "AgentExited"
    agent: str
    code: int | None = None
    """Exit code, or None when a signal ended it or its pane is gone."""
    signal: int | None = None
    last_lines: tuple[str, ...] = ()
    reason: str = ""
    lost: bool = False
    """Whether its pane vanished while it was at work, so that it may be brought back."""


class TaskStarted(Fact):
    """An agent took up a task."""

    type: Literal["TaskStarted"] = "TaskStarted"
    agent: str
    task: str


class TaskBlocked(Fact):
    """An agent cannot go on with a task."""

    type: Literal["TaskBlocked"] = "TaskBlocked"
    agent: str
    task: str
    reason: str


class TaskCompleted(Fact):
    """A task is done."""

    type: Literal["TaskCompleted"] = "TaskCompleted"
    agent: str
    task: str
    note: str = ""


class ApiPublished(Fact):
    """An interface is real: its file holds what was promised."""

    type: Literal["ApiPublished"] = "ApiPublished"
    agent: str
    api: str
    path: str
    digest: str
    """SHA-256 of the published file, hexadecimal."""
    version: int
    contract: Contract | None = None
    """What the file holds of what the plan asks for; None in a log from before it was kept."""


class CoordinationRequest(Fact):
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
    hook: str = ""
    """The client whose hook asked before it wrote; "" for none."""


class RequestGrew(Fact):
    """More writes joined an open request."""

    type: Literal["RequestGrew"] = "RequestGrew"
    request: int
    crossings: tuple[Crossing, ...]
    hook: str = ""
    """The client whose hook asked for them; "" for none."""


class HoldStarted(Fact):
    """A write waits before the kernel for this request to be decided."""

    type: Literal["HoldStarted"] = "HoldStarted"
    request: int
    pid: int | None = None
    program: str = ""
    until: float
    """Unix seconds: when it is refused."""


class HoldEnded(Fact):
    """A write that waited for this request does not wait any more; it may be open still."""

    type: Literal["HoldEnded"] = "HoldEnded"
    request: int
    reason: str
    until: float | None = None
    """Unix seconds: when the next one is refused that waits still; None when none does."""


class RequestWithdrawn(Fact):
    """A request is void without a decision."""

    type: Literal["RequestWithdrawn"] = "RequestWithdrawn"
    request: int
    reason: str


class CoordinationResponse(Fact):
    """The operator decided; the first decision wins."""

    type: Literal["CoordinationResponse"] = "CoordinationResponse"
    request: int
    decision: Literal["approved", "rejected"]
    scope: Scope = Scope.ONCE
    reason: str = ""
    task: str | None = None
    """With scope "task": the requester's task when the decision was taken."""
    means: Means = ""
    """What else it did."""
    group: str = ""
    """What decisions have in common that were taken together; "" for one alone."""
    base: dict[str, str] = Field(default_factory=dict)
    """What was at the paths then (SHA-256, or "" for nothing): an approval for once holds for that."""
    plan_before: str = ""
    """Where the plan was changed by it: the SHA-256 of its text before."""
    plan_after: str = ""
    """And after."""
    from_host: str | None = None
    """From where, in a plan of several hosts; "" for its own."""


class GrantUsed(Fact):
    """A `once` grant covered a write."""

    type: Literal["GrantUsed"] = "GrantUsed"
    request: int
    path: str
    pid: int | None = None


class Touched(Fact):
    """One file changed."""

    type: Literal["Touched"] = "Touched"
    change: Change
    author: Author
    cause: str = ""
    lane: str = ""
    """The agent in whose lane the file is; "" for the repository's own tree."""


class NetReported(Fact):
    """A net began or ceased to hold, for one agent or for all. With "hook" the reason names the client."""

    type: Literal["NetReported"] = "NetReported"
    net: Literal["gate", "watch", "hook"]
    agent: str | None = None
    holds: bool
    reason: str = ""
    mode: GateMode | None = None
    """With net "gate": what it does."""
    proven: bool = False
    """With net "gate": that it was seen to refuse, in this very pane."""
    host: str = ""
    """With net "watch": over which host's checkout it is; "" for the plan's own."""


class AttemptRefused(Fact):
    """Somebody tried what only the operator may do."""

    type: Literal["AttemptRefused"] = "AttemptRefused"
    speaker: str
    attempt: str
    reason: str
    count: int = 1
    """How many attempts this record stands for; of more than one it names the last."""


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
    | ApiDrifted
    | ApiRestored
    | CopyChecked
    | CoordinationRequest
    | RequestGrew
    | HoldStarted
    | HoldEnded
    | RequestWithdrawn
    | CoordinationResponse
    | GrantUsed
    | Touched
    | TouchesForgotten
    | ChangeUndone
    | UndoRefused
    | UndoRestored
    | LaneOpened
    | LaneIntegrated
    | NetReported
    | ActivityChanged
    | AgentObserved
    | Snoozed
    | CommandRan
    | AcceptanceRan
    | ShellStarted
    | ShellEnded
    | DecisionTakenBack
    | TaskHandedOver
    | MessageSent
    | MessageDelivered
    | SaidToAgent
    | QuestionAnswered
    | LessonDismissed
    | Recommended
    | SuggestionAdded
    | SuggestionDismissed
    | SuggestionApplied
    | OperatorLooked
    | AttemptRefused,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads and writes an event as JSON."""


class Record(Fact):
    """An event as the log keeps it."""

    seq: int
    """Position in the log, from 1; numbers are missing only where `TouchesForgotten` says so."""
    time: float
    """Unix seconds."""
    run: int
    actor: str
    """OPERATOR, ENGINE or an agent's id."""
    event: Event
