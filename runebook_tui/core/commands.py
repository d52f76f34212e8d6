"""What can be asked of the coordinator. A command may be refused; an event cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from runebook_tui.core.acceptance import ReportAcceptance as ReportAcceptance
from runebook_tui.core.activity import Activity, CommandSource
from runebook_tui.core.answers import Decide as Decide
from runebook_tui.core.answers import Disown as Disown
from runebook_tui.core.answers import TakeBack as TakeBack
from runebook_tui.core.contract import Contract
from runebook_tui.core.copies import CheckCopy as CheckCopy
from runebook_tui.core.learning import DismissLesson
from runebook_tui.core.messages import ReportDelivered, SendMessage
from runebook_tui.core.observed import ReportObserved
from runebook_tui.core.planedits import PlanEdit
from runebook_tui.core.presence import Look
from runebook_tui.core.recording import Observe as Observe
from runebook_tui.core.recording import RecordRestore as RecordRestore
from runebook_tui.core.recording import RecordUndo as RecordUndo
from runebook_tui.core.recording import Touch as Touch
from runebook_tui.core.reviews import Recommend
from runebook_tui.core.snoozing import Snooze
from runebook_tui.core.speech import ReportAnswered, ReportSaid
from runebook_tui.core.suggestions import ApplySuggestion, DismissSuggestion, Suggest
from runebook_tui.core.types import Author, Change, Crossing, ExecutionPlan, GateMode


@dataclass(frozen=True)
class StartRun:
    """Begin a run of `plan`."""

    plan: ExecutionPlan


@dataclass(frozen=True)
class ChangePlan:
    """Go on under an edited plan."""

    plan: ExecutionPlan
    edits: tuple[PlanEdit, ...] = ()
    """What was written into the plan's file for the operator; () when it was edited by hand."""


@dataclass(frozen=True)
class EndRun:
    """End the run because it can go no further or the operator ends it."""

    outcome: Literal["failed", "stopped"]
    reason: str


@dataclass(frozen=True)
class TakeEngine:
    """An engine has the lease and found these agents alive."""

    pid: int
    host: str
    adopted: tuple[str, ...] = ()
    serves: str = ""
    """The host of the plan that it is the engine of; "" for the plan's own."""


@dataclass(frozen=True)
class LeaveEngine:
    """The engine is about to give the lease back."""

    reason: str
    serves: str = ""


@dataclass(frozen=True)
class ReportStarted:
    """The agent's program was started in a pane."""

    agent: str
    pane: str
    pid: int


@dataclass(frozen=True)
class ReportExited:
    """The agent's program ended."""

    agent: str
    code: int | None = None
    signal: int | None = None
    last_lines: tuple[str, ...] = ()
    reason: str = ""
    lost: bool = False
    """Whether its pane vanished while it was at work."""


@dataclass(frozen=True)
class ReportNet:
    """A net holds, or ceased to hold."""

    net: Literal["gate", "watch", "hook"]
    agent: str | None
    holds: bool
    reason: str = ""
    mode: GateMode | None = None
    proven: bool = False
    host: str = ""


@dataclass(frozen=True)
class MarkReady:
    """An agent is set up and at work."""

    agent: str


@dataclass(frozen=True)
class StartTask:
    """An agent takes up a task."""

    agent: str
    task: str


@dataclass(frozen=True)
class BlockTask:
    """An agent cannot go on with a task."""

    agent: str
    task: str
    reason: str


@dataclass(frozen=True)
class CompleteTask:
    """An agent is done with a task."""

    agent: str
    task: str
    note: str = ""


@dataclass(frozen=True)
class PublishApi:
    """An agent publishes an interface; the caller has read the file."""

    agent: str
    api: str
    digest: str | None
    """SHA-256 of the interface's file; None when there is no such file."""
    contract: Contract = ()
    """What the file holds of what the plan asks for."""
    fault: str = ""
    """Why the file cannot be checked, or how the plan's command for it failed; "" when all went well."""


@dataclass(frozen=True)
class CheckApi:
    """The file of a published interface was read; `touches` are what changed it since the last time."""

    api: str
    digest: str | None
    contract: Contract = ()
    fault: str = ""
    touches: tuple[tuple[Change, Author], ...] = ()


@dataclass(frozen=True)
class Ask:
    """An agent asks to write paths that are not its own."""

    agent: str
    paths: tuple[str, ...]
    reason: str
    pid: int | None = None
    program: str = ""
    always: bool = False
    """Ask also where the plan lets the agent write what is another's."""


@dataclass(frozen=True)
class Hold:
    """The gate stopped a foreign write of `agent` before it landed."""

    agent: str
    path: str
    pid: int
    program: str
    words: str
    """What the process would do, for people: "sed -i s/a/b/ x.py would open it for writing"."""
    until: float | None
    """Unix seconds: how long the write waits; None when it was refused at once."""
    reason: str = ""
    """Why it does not wait."""
    source: str | None = None
    """The file of the repository that would take the place of `path`, by a rename or link."""


@dataclass(frozen=True)
class Propose:
    """The hook of an agent's client asks before an edit is made; `crossings` are foreign, with what comes."""

    agent: str
    client: str
    """Its name for people."""
    tool: str
    crossings: tuple[Crossing, ...]
    until: float | None
    """Unix seconds: how long the client waits; None when it was refused at once."""
    reason: str = ""
    """Why it does not wait."""
    about: str = ""
    """The shell command that it would run; "" for none."""


@dataclass(frozen=True)
class SpendGrant:
    """The hook of an agent's client says that the write was made which an approval for once allowed."""

    agent: str
    request: int
    path: str


@dataclass(frozen=True)
class ReportActivity:
    """The hook of an agent's client says what it does."""

    agent: str
    client: str
    activity: Activity
    about: str = ""
    session: str = ""
    model: str = ""
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class ReportShell:
    """An interactive shell in an agent's pane began, or ended."""

    agent: str
    shell: str
    session: str
    folder: str = ""
    ended: bool = False


@dataclass(frozen=True)
class ReportCommand:
    """A command has run: the hook of an agent's client says so, a shell, or what is seen of the pane."""

    agent: str
    client: str
    command: str
    """As it was: what looks like a secret is left out of the event."""
    code: int | None = None
    failed: bool = False
    seconds: float | None = None
    session: str = ""
    source: CommandSource = CommandSource.HOOK
    folder: str = ""
    started: float | None = None
    ended: float | None = None
    environment: Mapping[str, str | None] = field(default_factory=dict)
    output: str = ""
    error: str = ""


@dataclass(frozen=True)
class EndHold:
    """No write waits for this request any more. `gone`: because nobody wants it any more."""

    request: int
    reason: str
    gone: bool = False
    until: float | None = None
    """When the next write that waits still will be refused, unix seconds; None when none does."""


@dataclass(frozen=True)
class ReportLane:
    """An agent's worktree is ready; `fresh` when it is as the repository's HEAD."""

    agent: str
    branch: str
    fresh: bool


@dataclass(frozen=True)
class ReportIntegrated:
    """What an agent may write was taken from its lane into the repository.

    `whole` says that all of the lane was looked at, not only what was asked for.
    """

    agent: str
    commit: str
    paths: tuple[str, ...]
    left: Mapping[str, str]
    conflicts: tuple[Crossing, ...]
    reason: str
    """How the conflicts came about, in words."""
    whole: bool


@dataclass(frozen=True)
class RestartAgent:
    """Start an agent's program again."""

    agent: str


@dataclass(frozen=True)
class ResumeAgents:
    """Bring lost agents back, each in its own session where it has one; () for all of them."""

    agents: tuple[str, ...] = ()


@dataclass(frozen=True)
class StopAgent:
    """Stop an agent's program."""

    agent: str
    reason: str


@dataclass(frozen=True)
class RecordAttempt:
    """Somebody tried what only the operator may do."""

    speaker: str
    attempt: str
    reason: str
    count: int = 1


Command = (
    StartRun
    | ChangePlan
    | EndRun
    | TakeEngine
    | LeaveEngine
    | ReportStarted
    | ReportExited
    | ReportNet
    | MarkReady
    | StartTask
    | BlockTask
    | CompleteTask
    | PublishApi
    | CheckApi
    | CheckCopy
    | Ask
    | Hold
    | Propose
    | SpendGrant
    | ReportActivity
    | ReportObserved
    | Snooze
    | ReportCommand
    | ReportAcceptance
    | ReportShell
    | EndHold
    | Decide
    | TakeBack
    | Disown
    | Observe
    | RecordUndo
    | RecordRestore
    | ReportLane
    | ReportIntegrated
    | RestartAgent
    | ResumeAgents
    | StopAgent
    | RecordAttempt
    | SendMessage
    | ReportSaid
    | ReportAnswered
    | ReportDelivered
    | DismissLesson
    | Recommend
    | Suggest
    | DismissSuggestion
    | ApplySuggestion
    | Look
)
