"""What an agent may know of a run: the answers of the verbs `view` and `owner`, from the state alone."""

from __future__ import annotations

from typing import Any

from runebook_tui.core import boundary
from runebook_tui.core.away import policy_for
from runebook_tui.core.gates import agent_unmet
from runebook_tui.core.messages import unread
from runebook_tui.core.ownership import Verdict, operators_own
from runebook_tui.core.state import AgentState, RequestState, State
from runebook_tui.core.suggestions import ranked
from runebook_tui.core.types import AgentStatus
from runebook_tui.execution import suggesting

MOST = 200
"""Claims of others, and requests, that one answer names; how many there are beyond is said."""

_SUGGESTED = 40_000
"""Characters of suggestions; the verb `suggestions` has all."""

_OPERATORS = ("runebook.toml", ".runebook/**", ".git/hooks/**", ".git/config")

_WORDS = {
    Verdict.IGNORED: "build waste that no plan cares for",
    Verdict.OWNED: "yours",
    Verdict.GRANTED: "granted to you by an approval",
    Verdict.UNOWNED: "nobody's: you may write it",
    Verdict.SHARED: "shared: everybody reads it, and only its owner and approved requests change it",
    Verdict.FOREIGN: "not yours: ask first",
    Verdict.OPERATOR: "the operator's: never an agent's to write",
}


def view(state: State, agent: str | None) -> dict[str, Any]:
    """All that `agent` may know; for None (the operator) what there is of all agents."""
    known = None if agent is None else state.agents.get(agent)
    policy = state.plan.policy
    requests = [each for each in state.requests.values() if agent is None or each.requester == agent]
    return {
        "plan": state.plan.plan.name,
        "run": state.run,
        "outcome": state.outcome,
        "agent": None if known is None else _agent(state, known),
        "boundaries": {
            **_claims(state, agent),
            "operators": list(_OPERATORS),
            "grants": _grants(state, agent),
            "unowned": policy.unowned,
            "away": policy.away,
            "hold_seconds": policy.hold_seconds,
            "paths": [each.model_dump(mode="json") for each in policy.paths[:MOST]],
        },
        "tasks": [
            {
                "id": task.id,
                "agent": task.agent,
                "title": task.title,
                "status": task.status.value,
                "reason": task.reason,
            }
            for task in state.tasks.values()
        ],
        "apis": _apis(state),
        "requests": [_request(each) for each in requests[-MOST:]],
        "more_requests": max(0, len(requests) - MOST),
        "suggestions": suggesting.bounded(ranked(state.suggestions), _SUGGESTED),
    }


def owner(state: State, agent: str | None, path: str) -> dict[str, Any]:
    """Whose the normal repository path `path` is, and whether `agent` may write it."""
    claim = None if operators_own(path, agent) else state.owners.owner_of(path)
    answer: dict[str, Any] = {
        "path": path,
        "owner": "operator" if operators_own(path, agent) else None if claim is None else claim.owner,
        "claim": None if claim is None else claim.pattern,
        "shared": claim is not None and claim.shared,
        "requests": [each.id for each in state.open_requests if path in each.crossings],
        "you_may_write": None,
        "words": "",
        "away": None,
        "hold_seconds": None,
    }
    if agent is not None:
        verdict = boundary.may_write(state, agent, path, state.time)
        answer["you_may_write"] = not verdict.crosses
        answer["words"] = _WORDS[verdict]
        if verdict in (Verdict.SHARED, Verdict.FOREIGN):
            treatment = policy_for(state.plan.policy, path)
            answer |= {"away": treatment.away, "hold_seconds": treatment.hold_seconds}
    return answer


def _agent(state: State, agent: AgentState) -> dict[str, Any]:
    waits = agent.status in (AgentStatus.PENDING, AgentStatus.WAITING)
    return {
        "id": agent.id,
        "title": agent.spec.title,
        "phase": agent.spec.phase,
        "status": agent.status.value,
        "waits_for": list(agent_unmet(state, agent)) if waits else [],
        "finalizing": agent.finalizing,
        "task": agent.task,
        "cwd": agent.spec.cwd,
        "branch": agent.lane,
        "gate": {
            "asked_for": agent.spec.gate.value,
            "does": None if agent.gate_mode is None else agent.gate_mode.value,
            "reason": agent.gate,
        },
        "hook": agent.hook,
        "unread": len(unread(state, agent.id)),
    }


def _claims(state: State, agent: str | None) -> dict[str, Any]:
    own = [each.pattern for each in state.owners.claims if each.owner == agent and not each.shared]
    shared = [{"pattern": each.pattern, "owner": each.owner} for each in state.owners.claims if each.shared]
    others = [
        {"pattern": each.pattern, "owner": each.owner}
        for each in state.owners.claims
        if not each.shared and each.owner != agent
    ]
    return {
        "claims": own,
        "shared": shared[:MOST],
        "others": others[:MOST],
        "more": max(0, len(shared) - MOST) + max(0, len(others) - MOST),
    }


def _grants(state: State, agent: str | None) -> list[dict[str, Any]]:
    """The grants that still let something be written."""
    return [
        {
            "request": grant.request,
            "scope": grant.scope.value,
            "task": grant.task,
            "paths": sorted(path for path in grant.paths if grant.unused(path)),
        }
        for grant in state.grants.values()
        if agent in (None, grant.agent) and any(grant.unused(path) for path in grant.paths)
    ]


def _apis(state: State) -> list[dict[str, Any]]:
    found = []
    for interface in state.plan.interfaces:
        published = state.apis.get(interface.name)
        found.append(
            {
                "name": interface.name,
                "owner": interface.owner,
                "path": interface.path,
                "must_contain": list(interface.must_contain),
                "must_match": list(interface.must_match),
                "symbols": list(interface.symbols),
                "published": published is not None,
                "version": None if published is None else published.version,
                "drift": None if published is None or published.drift is None else published.drift.request,
            }
        )
    return found


def _request(request: RequestState) -> dict[str, Any]:
    return {
        "ticket": request.id,
        "kind": request.kind.value,
        "status": request.status,
        "scope": request.scope.value if request.status == "approved" else None,
        "paths": list(request.paths)[:MOST],
        "owners": list(request.owners),
        "asked_because": request.reason,
        "reason": request.answer,
    }
