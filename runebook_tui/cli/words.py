"""What the command line says to people. Everything that others wrote goes through `visible`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runebook_tui.cli.moments import clock, elapsed
from runebook_tui.core.acceptance import summary
from runebook_tui.core.activity import activity_words, use_words
from runebook_tui.core.events import Record
from runebook_tui.core.gates import agent_unmet, phase_unmet
from runebook_tui.core.names import from_words
from runebook_tui.core.ownership import FileOwnership
from runebook_tui.core.printable import visible
from runebook_tui.core.resuming import lost_agents
from runebook_tui.core.resuming import words as words_of
from runebook_tui.core.reviews import words as advice_words
from runebook_tui.core.sentences import attempt_sentence, gate_words, process
from runebook_tui.core.state import AgentState, RequestState, State, UndoState
from runebook_tui.core.types import OPERATOR, AgentStatus, Author, PhaseStatus, TaskStatus

_PATHS_SHOWN = 5
_ATTEMPTS_SHOWN = 3


def status_words(state: State, alive: bool) -> str:
    """`status` for people."""
    run = f"run {state.run}" if state.run else "no run yet"
    ended = f" · {state.outcome}" if state.outcome else ""
    engine = "engine runs" if alive else "no engine runs"
    lines = [f"{visible(state.plan.plan.name)} · {run}{ended} · {engine}"]
    if state.outcome_reason:
        lines.append(f"  {visible(state.outcome_reason)}")
    if state.watch_blind:
        lines.append(f"  the live watch is blind: {visible(state.watch_blind)}")
    for phase in state.phases.values():
        spec = state.plan.phase(phase.id)
        missing = ", ".join(phase_unmet(state, spec)) if spec is not None else ""
        waits = f" · waits for {missing}" if phase.status is PhaseStatus.PENDING and missing else ""
        lines.append(f"{phase.id}: {phase.status.value}{waits}")
        lines.extend(_agent_words(state, agent) for agent in state.agents_of(phase.id))
    if accepted := summary(state.plan.acceptance, state.acceptance):
        lines.append(f"acceptance: {accepted}")
    count = len(state.open_requests)
    if count:
        plural = "s wait" if count > 1 else " waits"
        lines.append(f"{count} request{plural} for a decision: `runebook-tui requests`")
    if lost := lost_agents(state):
        lines.append(f"lost with tmux or the machine: {words_of(lost)}; `runebook-tui resume` brings back")
    lines.extend(_attempt_words(state))
    return "\n".join(lines)


def _attempt_words(state: State) -> list[str]:
    """What was tried that only the operator may, the newest last."""
    if not state.attempts:
        return []
    were = "attempts were" if state.attempts > 1 else "attempt was"
    newest = [
        f"  {clock(each.time)} {visible(attempt_sentence(each), 500)}"
        for each in state.recent_attempts[-_ATTEMPTS_SHOWN:]
    ]
    return [f"{state.attempts} {were} refused that only the operator may:", *newest]


def _agent_words(state: State, agent: AgentState) -> str:
    tasks = state.tasks_of(agent.id)
    done = sum(task.status is TaskStatus.COMPLETED for task in tasks)
    parts = [f"  {agent.id:<16} {agent.status.value:<9}"]
    if tasks:
        parts.append(f"{done}/{len(tasks)} tasks")
    if agent.status in (AgentStatus.PENDING, AgentStatus.WAITING):
        parts.append(f"waits for {', '.join(agent_unmet(state, agent))}")
    elif agent.reason:
        parts.append(visible(agent.reason, 200))
    if agent.alive and agent.status is AgentStatus.COMPLETED:
        parts.append("serving")
    if agent.gate_is_less:
        parts.append(visible(gate_words(agent), 220))
    elif agent.gate_mode is not None and agent.alive:
        parts.append(agent.gate_mode.value)
    if agent.lane:
        parts.append(f"on {agent.lane}")
    if agent.spec.host:
        parts.append(f"at {agent.spec.host}")
    if agent.doing is not None:
        used = use_words(agent.doing)
        parts.append(visible(activity_words(agent.doing), 220) + (f", {used}" if used else ""))
    elif agent.hook:
        parts.append(f"the hook of {agent.hook} was seen")
    return "  ".join(parts)


def request_words(request: RequestState, now: float, place: str = "") -> str:
    """One request in a few lines; `place` says where its files are."""
    owners = " and ".join("you" if owner == OPERATOR else owner for owner in request.owners)
    head = f"{request.id}  {request.who} → {owners}  {request.kind.value}, {request.status}"
    until = now if request.decided_at is None else request.decided_at
    where = f",{place}" if place else ""
    lines = [f"{head}{where}, {elapsed(until - request.opened_at)}"]
    lines.extend(_path_words(request.paths))
    if request.reason:
        lines.append(f"    “{visible(request.reason, 500)}”")
    if request.evidence:
        lines.append(f"    evidence: {visible(request.evidence, 500)}")
    if request.held_until is not None:
        left = max(0, round(request.held_until - now))
        lines.append(
            f"    waits until {clock(request.held_until)} ({left} s more): {visible(process(request))}"
        )
    elif request.open and request.hold_over:
        over = visible(request.hold_over, 500)
        lines.append(f"    no write waits: {over}; approving lets the next try pass")
    lines.extend(f"    {visible(line, 500)}" for line in advice_words(request))
    if request.decided_from is not None:
        lines.append(f"    decided{from_words(request.decided_from)}")
    if request.answer:
        lines.append(f"    answer: {visible(request.answer, 500)}")
    if request.undone:
        lines.append(f"    undone as {', '.join(dict.fromkeys(request.undone.values()))}")
    lines.extend(
        f"    not undone: {visible(path)}: {visible(why, 200)}" for path, why in request.undo_refused.items()
    )
    return "\n".join(lines)


def undo_words(name: str, paths: Sequence[str], patch: str, *, restored: bool) -> str:
    """What an undo or a restore did."""
    head = f"restored {name}" if restored else f"undone as {name}"
    kept = f" (what was removed is kept in {patch})" if patch and not restored else ""
    return "\n".join([f"{head}{kept}", *_path_words(paths)])


def undo_line(undo: UndoState) -> str:
    """One undo in a few lines."""
    lines = [f"{undo.id}  request {undo.request}  {undo.status}, {clock(undo.time)}"]
    lines.extend(_path_words([*undo.changes]))
    lines.extend(
        f"    {visible(path)}: not undone: {visible(why, 200)}" for path, why in undo.refused.items()
    )
    return "\n".join(lines)


def _path_words(paths: Sequence[str]) -> list[str]:
    lines = [f"    {visible(path)}" for path in paths[:_PATHS_SHOWN]]
    return lines + ([f"    and {len(paths) - _PATHS_SHOWN} more"] if len(paths) > _PATHS_SHOWN else [])


def record_words(record: Record, sentence: Callable[[Record], str]) -> str:
    """One record of the log on one line."""
    return f"{record.seq:>6}  {clock(record.time)}  {visible(sentence(record))}"


def who_words(
    path: str, claim: FileOwnership | None, author: Author | None, time: float | None, *, yours: bool = False
) -> str:
    """`who` for people; `yours` says that the path is the operator's whatever the plan claims."""
    if yours:
        owner = "yours, whatever the plan claims"
    elif claim is None:
        owner = "nobody owns it"
    else:
        shared = ", shared" if claim.shared else ""
        owner = f"owned by {claim.owner} (claim {visible(claim.pattern)}{shared})"
    lines = [f"{visible(path)}: {owner}"]
    if author is None or time is None:
        lines.append("no change of it was seen")
    elif author.name is not None:
        name = "you" if author.name == "operator" else author.name
        lines.append(f"last written by {name} at {clock(time)}: {visible(author.evidence)}")
    else:
        names = (
            " or ".join("you" if each == "operator" else each for each in author.candidates) or "nobody known"
        )
        lines.append(
            f"last written at {clock(time)}, not certain by whom: {names} ({visible(author.evidence)})"
        )
    return "\n".join(lines)
