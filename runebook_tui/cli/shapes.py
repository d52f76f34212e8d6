"""The JSON shapes that the command line prints: stable, documented in docs/cli.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a command that only asks the engine something starts without the state
    from runebook_tui.core.acceptance import Accepted
    from runebook_tui.core.activity import Doing
    from runebook_tui.core.events import Record
    from runebook_tui.core.standing import Standing
    from runebook_tui.core.state import AgentState, PhaseState, RequestState, State, TaskState, UndoState

Shape = dict[str, Any]


def dump(value: object) -> str:
    """`value` as JSON text; bytes of file names that are not UTF-8 are lone surrogates (\\udcNN)."""
    return json.dumps(value, ensure_ascii=True, indent=2)


def moment(time: float | None) -> str | None:
    """Unix seconds as RFC 3339, UTC, milliseconds."""
    if time is None:
        return None
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def state_shape(
    state: State, *, engine: bool, tmux: str, host: str = "", hosts: Sequence[Shape] = ()
) -> Shape:
    """`status --json`; `engine` says whether that of `host` lives, `hosts` are of the shape `host`."""
    known = state.engines.get(host)
    return {
        "plan": state.plan.plan.name,
        "run": state.run,
        "engine": None if known is None or not engine else {"pid": known.pid, "host": known.host},
        "hosts": list(hosts),
        "tmux": tmux,
        "outcome": state.outcome,
        "reason": state.outcome_reason,
        "started_at": moment(state.started_at),
        "ended_at": moment(state.ended_at),
        "watch": {"holds": not state.watch_blind, "reason": state.watch_blind},
        "phases": [phase_shape(state, phase) for phase in state.phases.values()],
        "agents": [agent_shape(state, agent) for agent in state.agents.values()],
        "apis": [
            {
                "id": api.name,
                "agent": api.agent,
                "path": api.path,
                "version": api.version,
                "published_at": moment(api.time),
            }
            for api in state.apis.published.values()
        ],
        "acceptance": [
            _check_shape(state.acceptance.get(each.id), each.id, each.title) for each in state.plan.acceptance
        ],
        "requests": len(state.open_requests),
        "attempts": state.attempts,
        "last_attempts": [
            {
                "time": moment(each.time),
                "speaker": each.speaker,
                "attempt": each.attempt,
                "reason": each.reason,
                "count": each.count,
            }
            for each in state.recent_attempts
        ],
    }


def _check_shape(found: Accepted | None, check: str, title: str) -> Shape:
    """One acceptance check; what is not known while it was not run is null."""
    return {
        "id": check,
        "title": title,
        "passed": None if found is None else found.passed,
        "code": None if found is None else found.code,
        "commit": None if found is None else found.commit or None,
        "time": None if found is None else moment(found.time),
    }


def phase_shape(state: State, phase: PhaseState) -> Shape:
    """One phase."""
    from runebook_tui.core.gates import phase_unmet
    from runebook_tui.core.types import PhaseStatus

    spec = state.plan.phase(phase.id)
    waits = spec is not None and phase.status is PhaseStatus.PENDING
    return {
        "id": phase.id,
        "title": "" if spec is None else spec.title,
        "continuous": spec is not None and spec.continuous,
        "status": phase.status.value,
        "waits_for": list(phase_unmet(state, spec)) if waits and spec is not None else [],
        "started_at": moment(phase.started_at),
        "completed_at": moment(phase.completed_at),
    }


def agent_shape(state: State, agent: AgentState) -> Shape:
    """One agent with its tasks."""
    from runebook_tui.core.authority import standing
    from runebook_tui.core.gates import agent_unmet
    from runebook_tui.core.resuming import is_lost
    from runebook_tui.core.types import AgentStatus

    waits = agent.status in (AgentStatus.PENDING, AgentStatus.WAITING)
    return {
        "id": agent.id,
        "phase": agent.spec.phase,
        "host": agent.spec.host or None,
        "status": agent.status.value,
        "state": standing(state, agent).word.value,
        "snoozed_until": moment(agent.snoozed_until),
        "reason": agent.reason,
        "waits_for": list(agent_unmet(state, agent)) if waits else [],
        "alive": agent.alive,
        "ready": agent.ready,
        "pid": agent.pid,
        "pane": agent.pane,
        "lane": agent.lane or None,
        "attempt": agent.attempt,
        "exit_code": agent.code,
        "signal": agent.signal,
        "last_lines": list(agent.last_lines),
        "lost": is_lost(agent),
        "gate": {
            "mode": None if agent.gate_mode is None else agent.gate_mode.value,
            "holds": agent.gate_holds,
            "proven": agent.gate_proven,
            "reason": agent.gate,
        },
        "hook": {"seen": bool(agent.hook), "client": agent.hook},
        "activity": _activity_shape(agent.doing),
        "started_at": moment(agent.started_at),
        "ended_at": moment(agent.ended_at),
        "tasks": [task_shape(task) for task in state.tasks_of(agent.id)],
    }


def standing_shape(standing: Standing) -> Shape:
    """What an agent does or did, and how that is known."""
    return {
        "state": standing.word.value,
        "since": moment(standing.since),
        "source": standing.source.value,
        "rule": standing.rule,
        "line": standing.line,
        "request": standing.request,
    }


def _activity_shape(doing: Doing | None) -> Shape | None:
    """What the agent's client says that it does."""
    if doing is None:
        return None
    return {
        "client": doing.client,
        "state": doing.activity.value,
        "about": doing.about,
        "session": doing.session or None,
        "model": doing.model or None,
        "tokens": doing.tokens,
        "cost_usd": doing.cost,
        "since": moment(doing.since),
    }


def task_shape(task: TaskState) -> Shape:
    """One task."""
    return {"id": task.id, "title": task.title, "status": task.status.value, "reason": task.reason}


def request_shape(request: RequestState, diff: str | None = None) -> Shape:
    """One request; `diff` is the unified diff of all its paths where there is one."""
    return {
        "id": request.id,
        "kind": request.kind.value,
        "status": request.status,
        "requester": request.requester,
        "candidates": list(request.candidates),
        "owners": list(request.owners),
        "paths": list(request.paths),
        "reason": request.reason,
        "evidence": request.evidence,
        "pid": request.pid,
        "program": request.program,
        "opened_at": moment(request.opened_at),
        "updated_at": moment(request.updated_at),
        "decided_at": moment(request.decided_at),
        "decided_from": request.decided_from,
        "held_until": moment(request.held_until),
        "hold_over": request.hold_over,
        "scope": request.scope.value if request.status == "approved" else None,
        "answer": request.answer,
        "recommendations": [
            {"agent": each.agent, "advice": each.advice, "reason": each.reason, "time": moment(each.time)}
            for each in request.recommendations.values()
        ],
        "undone": [{"path": path, "undo": undo} for path, undo in request.undone.items()],
        "undo_refused": [{"path": path, "reason": why} for path, why in request.undo_refused.items()],
        "lane": request.lane or None,
        "diff": diff,
    }


def undo_shape(undo: UndoState, refused: Mapping[str, str] = MappingProxyType({})) -> Shape:
    """One undo; `refused` says which paths a restore has just refused, and why."""
    paths = [
        {
            "path": path,
            "status": "restored" if path in undo.restored else "undone",
            "reason": refused.get(path, ""),
            "patch": undo.patch or None,
        }
        for path in undo.changes
    ]
    paths += [
        {"path": path, "status": "refused", "reason": reason, "patch": undo.refused_patch or None}
        for path, reason in undo.refused.items()
    ]
    return {
        "id": undo.id,
        "request": undo.request,
        "time": moment(undo.time),
        "status": undo.status,
        "paths": paths,
    }


def record_shape(record: Record) -> Shape:
    """One record of the log; the event's own fields stand beside the record's."""
    body = record.event.model_dump(mode="json")
    if record.event.type in ("RunStarted", "PlanChanged"):
        body["plan"] = body["plan"]["plan"]["name"]
    return {
        "seq": record.seq,
        "time": moment(record.time),
        "run": record.run,
        "actor": record.actor,
        **body,
    }


def decision_shape(answer: dict[str, Any]) -> dict[str, Any]:
    """The shape `decision`, of an engine's answer."""
    return {
        "id": answer["request"],
        "status": answer["status"],
        "scope": answer["scope"],
        "reason": answer["reason"],
        "means": answer["means"],
    }
