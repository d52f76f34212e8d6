"""Lanes in the rule: what of an agent's worktree may come into the repository, and when."""

from __future__ import annotations

from runebook_tui.core import boundary
from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.ownership import Verdict
from runebook_tui.core.state import AgentState, RequestState, State
from runebook_tui.core.types import AgentStatus, RequestKind

CONFLICT_EVIDENCE = "approving takes the lane's version, rejecting leaves it out"


def may_integrate(state: State, agent: str, path: str) -> str:
    """Why `path` must stay in the lane of `agent`; "" when it may be integrated.

    What crossed a boundary comes in once it is approved; what is granted, owned or nobody's comes in.
    """
    crossing = _about(state, agent, path, RequestKind.CROSSED)
    verdict = boundary.may_write(state, agent, path, state.time)
    if verdict is Verdict.OPERATOR:
        return "it is the operator's"
    since = 0 if crossing is None else crossing.id
    if _was_granted(state, agent, path, since):
        return ""
    if crossing is not None:
        return "" if crossing.status == "approved" else f"request {crossing.id} is {crossing.status}"
    if not verdict.crosses:
        return ""
    owner = state.owners.owner_of(path)
    return f"it is {owner.owner}'s" if owner is not None else "nobody owns it, and nobody approved it"


def conflict_of(state: State, agent: str, path: str) -> RequestState | None:
    """The newest request about a conflict between the repository and the lane of `agent` at `path`."""
    return _about(state, agent, path, RequestKind.CONFLICT)


def waits_for_decision(state: State, agent: str) -> bool:
    """Whether a conflict of the lane of `agent` is not decided yet."""
    return any(each.kind is RequestKind.CONFLICT and each.lane == agent for each in state.open_requests)


def awaits_integration(state: State, agent: AgentState) -> bool:
    """Whether an agent that is complete has not given yet what its lane may give."""
    complete = agent.status is AgentStatus.COMPLETED
    return state.plan.has_lanes and complete and bool(agent.lane) and not agent.integrated


def providers(state: State, agent: AgentState) -> tuple[str, ...]:
    """The other agents whose tasks and interfaces `agent` or its phase waits for by name."""
    phase = state.plan.phase(agent.spec.phase)
    needs = (agent.spec.needs,) if phase is None else (phase.needs, agent.spec.needs)
    tasks = (state.tasks[task].agent for each in needs for task in each.tasks if task in state.tasks)
    apis = (api.agent for each in needs for name in each.apis if (api := state.apis.get(name)))
    return tuple(dict.fromkeys(each for each in (*tasks, *apis) if each != agent.id))


def integrated(state: State, command: c.ReportIntegrated) -> tuple[e.Event, ...]:
    """What follows from an integration: the fact, and one request for all of its conflicts."""
    events: list[e.Event] = []
    paths = {crossing.path: crossing for crossing in command.conflicts}
    known = next(
        (r for r in state.open_requests if r.kind is RequestKind.CONFLICT and r.lane == command.agent), None
    )
    if known is not None and (command.whole or paths) and dict(known.crossings) != paths:
        events.append(e.RequestWithdrawn(request=known.id, reason="what it was about has changed"))
    if paths and (known is None or dict(known.crossings) != paths):
        conflict = e.CoordinationRequest(
            request=state.last_request + 1,
            kind=RequestKind.CONFLICT,
            requester=command.agent,
            crossings=command.conflicts,
            reason=command.reason,
            evidence=CONFLICT_EVIDENCE,
            lane=command.agent,
        )
        events.append(conflict)
    settled = command.whole and not paths
    if command.commit or command.paths or settled:
        fact = e.LaneIntegrated(
            agent=command.agent,
            commit=command.commit,
            paths=command.paths,
            left=dict(command.left),
            settled=settled,
        )
        events.append(fact)
    return tuple(events)


def _about(state: State, agent: str, path: str, kind: RequestKind) -> RequestState | None:
    for request in reversed(list(state.requests.values())):
        about = request.kind is kind and request.lane == agent and path in request.crossings
        if about and request.status != "withdrawn":
            return request
    return None


def _was_granted(state: State, agent: str, path: str, since: int) -> bool:
    """Whether a request after `since` allowed the write beforehand, even if the grant is used or over."""
    return any(
        request.status == "approved" and request.requester == agent and path in request.crossings
        for request in state.requests.values()
        if request.kind in (RequestKind.ASKED, RequestKind.HELD) and request.id > since
    )
