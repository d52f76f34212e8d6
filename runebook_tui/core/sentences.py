"""Sentences: what happened, in plain words. Pure; the texts of agents and paths are passed on as they are."""

from __future__ import annotations

from typing import assert_never

from runebook_tui.core import events as e
from runebook_tui.core.acceptance import AcceptanceRan, acceptance_words
from runebook_tui.core.activity import ActivityChanged, CommandRan, activity_words, use_words
from runebook_tui.core.aftermath import DecisionTakenBack, TaskHandedOver
from runebook_tui.core.capture import ShellEnded, ShellStarted
from runebook_tui.core.contract import ApiDrifted, ApiRestored, changed_words
from runebook_tui.core.copies import CopyChecked, copy_words
from runebook_tui.core.forgetting import forgotten_words
from runebook_tui.core.grants import Scope
from runebook_tui.core.learning import LessonDismissed
from runebook_tui.core.messages import EVERYBODY, MessageDelivered, MessageSent
from runebook_tui.core.names import from_words
from runebook_tui.core.observed import AgentObserved, observed_words
from runebook_tui.core.planedits import edit_words
from runebook_tui.core.presence import OperatorLooked
from runebook_tui.core.reviews import Recommended
from runebook_tui.core.snoozing import Snoozed, snoozed_words
from runebook_tui.core.speech import QuestionAnswered, SaidToAgent, said_words
from runebook_tui.core.state import AgentState, Attempt, RequestState
from runebook_tui.core.suggestions import SuggestionAdded, SuggestionApplied, SuggestionDismissed
from runebook_tui.core.types import ENGINE, OPERATOR, AgentStatus, Change, Crossing, GateMode, RequestKind

STATUS_WORDS = {
    AgentStatus.PENDING: "not started",
    AgentStatus.WAITING: "waiting",
    AgentStatus.STARTING: "starting",
    AgentStatus.RUNNING: "working",
    AgentStatus.COMPLETED: "done",
    AgentStatus.FAILED: "failed",
    AgentStatus.STOPPED: "stopped",
}
"""What an agent does, as people say it."""

_STATUS_VERBS = {
    AgentStatus.PENDING: "goes back to its gate",
    AgentStatus.FAILED: "failed",
    AgentStatus.STOPPED: "was stopped",
}

SCOPE_WORDS = {
    Scope.ONCE: "once",
    Scope.TASK: "until the task ends",
    Scope.PLAN: "until the plan ends",
}
"""How far an approval reaches."""

KIND_WORDS = {
    RequestKind.ASKED: "asks to write",
    RequestKind.HELD: "wants to write",
    RequestKind.CROSSED: "wrote",
    RequestKind.DRIFT: "changed the published",
    RequestKind.CONFLICT: "cannot be integrated in",
}
"""What the requester does, before the path."""

_CONTRACT_SHOWN = 300
_GATE_SHORT = {GateMode.ENFORCE: "enforces", GateMode.OBSERVE: "observes", GateMode.OFF: "off"}
_GATE_WORDS = {GateMode.ENFORCE: "enforces", GateMode.OBSERVE: "observes", GateMode.OFF: "is off"}


def sentence(record: e.Record) -> str:
    """What the record says, as one sentence without a full stop; who did it comes first."""
    event = record.event
    match event:
        case e.RunStarted():
            return f"{_who(record.actor)} started run {record.run} of {event.plan.plan.name}"
        case e.PlanChanged():
            does = "; ".join(edit_words(edit) for edit in event.edits)
            return f"{_who(record.actor)} changed the plan{does and f': {does}'}"
        case LessonDismissed():
            return f"{_who(record.actor)} dismissed the lesson: {edit_words(event.edit)}"
        case e.RunEnded():
            return f"run {record.run} {event.outcome}{_because(event.reason)}"
        case e.EngineStarted():
            found = f", found at work: {', '.join(event.adopted)}" if event.adopted else ""
            whose = f" of host {event.serves}" if event.serves else ""
            return f"engine{whose} started on {event.host} (pid {event.pid}){found}"
        case e.EngineStopped():
            whose = f" of host {event.serves}" if event.serves else ""
            return f"engine{whose} stopped{_because(event.reason)}"
        case e.PhaseStarted():
            return f"phase {event.phase} started"
        case e.PhaseCompleted():
            return f"phase {event.phase} is complete"
        case e.NetReported():
            return _net_sentence(event)
        case ActivityChanged():
            used = use_words(event.doing(record.time))
            model = f", {event.model}" if event.model else ""
            return f"{event.agent}: {activity_words(event.doing(record.time))}{model}" + (
                used and f", {used}"
            )
        case CopyChecked():
            return copy_words(event)
        case AgentObserved():
            return observed_words(event)
        case Snoozed():
            return snoozed_words(event, record.time)
        case DecisionTakenBack():
            return f"{_who(record.actor)} took back that request {event.request} was {event.was}"
        case TaskHandedOver():
            who = _who(record.actor)
            return f"{who} handed request {event.request} over to {event.agent} as task {event.task}"
        case MessageSent():
            about = f" about request {event.request}" if event.request is not None else ""
            return f"{_who(event.sender)} told {_readers(event.to)}{about}: {event.text}"
        case MessageDelivered():
            numbers = ", ".join(map(str, event.messages))
            return f"{_who(event.reader)} was given message {numbers} (by {event.by})"
        case SaidToAgent():
            return f"{_who(record.actor)} {said_words(event)}"
        case QuestionAnswered():
            return f"{_who(record.actor)} answered {event.agent} {event.answer}: {event.question}"
        case AcceptanceRan():
            return acceptance_words(event)
        case Recommended():
            advice = f"{event.agent} recommends to {event.advice} request {event.request}"
            return f"{advice}{_because(event.reason)}"
        case SuggestionAdded():
            return f"{event.agent} suggests ({event.suggestion}): {event.title}"
        case SuggestionDismissed():
            return f"{_who(event.by)} dismissed suggestion {event.suggestion}"
        case SuggestionApplied():
            return f"{_who(event.by)} applied suggestion {event.suggestion}"
        case OperatorLooked():
            return "you left the screen" if event.leaves else "you looked at the screen"
        case CommandRan():
            return _command_sentence(event)
        case ShellStarted() | ShellEnded():
            return f"{event.shell} ({event.session}) of {event.agent} {_shell_verb(event)}"
        case ApiDrifted():
            how = event.broken or changed_words(event.diff, _CONTRACT_SHOWN)
            return f"request {event.request}: {event.api} is not as it was published{_because(how)}"
        case ApiRestored():
            return f"{event.api} is as it was published again (v{event.version})"
        case e.AttemptRefused():
            return attempt_sentence(event)
        case e.ChangeUndone() | e.UndoRefused() | e.UndoRestored():
            return _undo_sentence(event)
        case e.Touched():
            cause = f" ({event.cause})" if event.cause else ""
            return f"{_author(event)} {_changed(event.change)}{cause}"
        case e.TouchesForgotten():
            return forgotten_words(event)
        case (
            e.CoordinationRequest()
            | e.RequestGrew()
            | e.HoldStarted()
            | e.HoldEnded()
            | e.RequestWithdrawn()
            | e.CoordinationResponse()
            | e.GrantUsed()
        ):
            return _request_sentence(record, event)
        case (
            e.FinalizeStarted()
            | e.StatusUpdate()
            | e.AgentStarted()
            | e.AgentReady()
            | e.AgentExited()
            | e.TaskStarted()
            | e.TaskBlocked()
            | e.TaskCompleted()
            | e.ApiPublished()
            | e.LaneOpened()
            | e.LaneIntegrated()
        ):
            return _agent_sentence(event)
        case _:
            assert_never(event)


def _readers(names: tuple[str, ...]) -> str:
    return ", ".join("everybody" if name == EVERYBODY else _who(name) for name in names)


def _shell_verb(event: ShellStarted | ShellEnded) -> str:
    return f"began in {event.folder or '.'}" if isinstance(event, ShellStarted) else "ended"


def _command_sentence(event: CommandRan) -> str:
    if event.error:
        return f"the pane of {event.agent} says: {event.error}"
    took = "" if event.seconds is None else f" after {event.seconds:.1f} s"
    end = f"exit {event.code}" if event.code is not None else "failed" if event.failed else "done"
    command = event.command or "what its shell keeps to itself"
    return f"{event.agent} ran {command} ({end}{took})"


def gate_words(agent: AgentState) -> str:
    """What the gate does for an agent when that is less than the plan asks for, and why; else ""."""
    if not agent.gate_is_less:
        return ""
    return f"gate {_GATE_SHORT[agent.gate_mode or GateMode.OFF]}{_because(agent.gate)}"


def process(request: RequestState) -> str:
    """The process that wrote or would write: "sed, pid 4121"."""
    pid = "" if request.pid is None else f", pid {request.pid}"
    return f"{request.program or 'a program'}{pid}"


def lines_changed(change: Change) -> str:
    """Lines added and removed, "+3 −1"; "" when they cannot be counted."""
    if change.added is None or change.removed is None:
        return ""
    return f"+{change.added} −{change.removed}"


_AgentEvent = (
    e.FinalizeStarted
    | e.StatusUpdate
    | e.AgentStarted
    | e.AgentReady
    | e.AgentExited
    | e.TaskStarted
    | e.TaskBlocked
    | e.TaskCompleted
    | e.ApiPublished
    | e.LaneOpened
    | e.LaneIntegrated
)


def _agent_sentence(event: _AgentEvent) -> str:
    match event:
        case e.FinalizeStarted():
            return f"{event.agent} was told to finalize"
        case e.StatusUpdate():
            verb = _STATUS_VERBS.get(event.status, f"is {STATUS_WORDS[event.status]}")
            if event.status is AgentStatus.WAITING:
                return f"{event.agent} waits for {event.reason or 'its turn'}"
            return f"{event.agent} {verb}{_because(event.reason)}"
        case e.AgentStarted():
            again = f", attempt {event.attempt}" if event.attempt > 1 else ""
            return f"{event.agent} started (pid {event.pid}{again})"
        case e.AgentReady():
            return f"{event.agent} is ready"
        case e.AgentExited():
            return f"{event.agent} ended{_because(event.reason or _exit(event))}"
        case e.TaskStarted():
            return f"{event.agent} took up task {event.task}"
        case e.TaskBlocked():
            return f"{event.agent} cannot go on with task {event.task}{_because(event.reason)}"
        case e.TaskCompleted():
            return f"{event.agent} completed task {event.task}{_because(event.note)}"
        case e.ApiPublished():
            return f"{event.agent} published {event.api} v{event.version} ({event.path})"
        case e.LaneOpened():
            how = "as HEAD" if event.fresh else "with the work that was in it"
            return f"{event.agent} has its worktree on {event.branch}, {how}"
        case e.LaneIntegrated():
            return _integrated(event)
        case _:
            assert_never(event)


def _integrated(event: e.LaneIntegrated) -> str:
    """What came into the repository, and what stays in the lane."""
    count = len(event.paths)
    taken = f"{count} path{'' if count == 1 else 's'} of {event.agent} integrated"
    if count == 0:
        taken = f"{event.agent} has nothing to integrate"
    if not event.left:
        return taken
    first, why = next(iter(event.left.items()))
    more = f" and {len(event.left) - 1} more" if len(event.left) > 1 else ""
    return f"{taken}; left out: {first}{more} ({why})"


_RequestEvent = (
    e.CoordinationRequest
    | e.RequestGrew
    | e.HoldStarted
    | e.HoldEnded
    | e.RequestWithdrawn
    | e.CoordinationResponse
    | e.GrantUsed
)


def _request_sentence(record: e.Record, event: _RequestEvent) -> str:
    match event:
        case e.CoordinationRequest():
            names = " or ".join(_who(each) for each in event.candidates) or "somebody"
            owners = ", ".join(dict.fromkeys(_who(c.owner or OPERATOR) for c in event.crossings))
            whose = f", owned by {owners}" if owners else ""
            verb = _crossed(event.crossings) if event.kind is RequestKind.CROSSED else KIND_WORDS[event.kind]
            return (
                f"request {event.request}: {event.requester or names} {verb} {_paths(event.crossings)}{whose}"
            )
        case e.RequestGrew():
            return f"request {event.request} grew: {_paths(event.crossings)}"
        case e.HoldStarted():
            program = event.program or "a program"
            pid = "" if event.pid is None else f" (pid {event.pid})"
            seconds = max(0, round(event.until - record.time))
            return f"request {event.request}: {program}{pid} waits for you, {seconds} s at most"
        case e.HoldEnded():
            ends = "no write waits any more" if event.until is None else "one of its writes waits no more"
            return f"request {event.request}: {ends}{_because(event.reason)}"
        case e.RequestWithdrawn():
            return f"request {event.request} was withdrawn{_because(event.reason)}"
        case e.CoordinationResponse():
            scope = f" {SCOPE_WORDS[event.scope]}" if event.decision == "approved" else ""
            decided = f"{_who(record.actor)} {event.decision} request {event.request}"
            return f"{decided}{scope}{from_words(event.from_host)}{_because(event.reason)}"
        case e.GrantUsed():
            return f"the approval of request {event.request} was used for {event.path}"
        case _:
            assert_never(event)


def _undo_sentence(event: e.ChangeUndone | e.UndoRefused | e.UndoRestored) -> str:
    match event:
        case e.ChangeUndone():
            return f"request {event.request} was undone as {event.undo}: {_changed_paths(event.changes)}"
        case e.UndoRefused():
            return f"request {event.request} was not undone: {event.path}: {event.reason}"
        case e.UndoRestored():
            return f"undo {event.undo} was restored: {_changed_paths(event.changes)}"
        case _:
            assert_never(event)


def _changed_paths(changes: tuple[Change, ...]) -> str:
    return _paths(tuple(Crossing(path=change.path, owner=None) for change in changes))


def attempt_sentence(attempt: e.AttemptRefused | Attempt) -> str:
    """What was refused to whom, and why."""
    were = "were" if attempt.speaker == OPERATOR else "was"
    often = f" {attempt.count} more times, at last" if attempt.count > 1 else ""
    return f"{_who(attempt.speaker)} {were} refused{often}: {attempt.attempt}{_because(attempt.reason)}"


def _net_sentence(event: e.NetReported) -> str:
    if event.net == "gate":
        holds = _GATE_WORDS[event.mode] if event.mode else "holds" if event.holds else "is off"
        proof = ", as its pane tried" if event.proven else ""
        return f"the gate of {event.agent or 'every agent'} {holds}{proof}{_because(event.reason)}"
    if event.net == "hook":
        seen = "was seen" if event.holds else "is gone"
        return f"the hook of {event.agent or 'every agent'} {seen}{_because(event.reason)}"
    return f"the live watch {'sees again' if event.holds else 'is blind'}{_because(event.reason)}"


def _who(speaker: str) -> str:
    return {OPERATOR: "you", ENGINE: "the engine"}.get(speaker, speaker)


def _author(event: e.Touched) -> str:
    if event.author.name is not None:
        return _who(event.author.name)
    return " or ".join(_who(each) for each in event.author.candidates) or "somebody"


def _changed(change: Change) -> str:
    if change.before.kind == "absent":
        verb = "created"
    elif change.after.kind == "absent":
        verb = "removed"
    else:
        verb = "wrote"
    counts = lines_changed(change)
    return f"{verb} {change.path}" + (f" {counts}" if counts else "")


def _crossed(crossings: tuple[Crossing, ...]) -> str:
    """What was done to the paths, when it was the same to all of them."""
    changes = [crossing.change for crossing in crossings if crossing.change is not None]
    if changes and all(change.after.kind == "absent" for change in changes):
        return "removed"
    if changes and all(change.before.kind == "absent" for change in changes):
        return "created"
    return "wrote"


def _paths(crossings: tuple[Crossing, ...]) -> str:
    if not crossings:
        return "nothing"
    more = f" and {len(crossings) - 1} more" if len(crossings) > 1 else ""
    return crossings[0].path + more


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _exit(event: e.AgentExited) -> str:
    if event.signal is not None:
        return f"signal {event.signal}"
    return "" if event.code is None else f"exit {event.code}"
