"""Resuming: the agents that were lost with tmux or the machine, and with which session each goes on."""

from __future__ import annotations

from collections.abc import Iterator

from runebook_tui.core import events as e
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import AgentStatus, RequestKind


def is_lost(agent: AgentState) -> bool:
    """Whether its pane vanished while it was at work, and nobody has started it again since."""
    return agent.lost and agent.status is AgentStatus.FAILED


def lost_agents(state: State) -> tuple[AgentState, ...]:
    """The agents that can be brought back, as in the plan; none once the run is over."""
    if state.outcome is not None:
        return ()
    return tuple(agent for agent in state.agents.values() if is_lost(agent))


def session_of(agent: AgentState) -> str:
    """The session of its client that it would go on in; "" where there is none, and it starts anew."""
    if agent.spec.client is None:
        return ""
    return (agent.doing.session if agent.doing is not None else "") or agent.resumes


def session_after(agent: AgentState | None, event: e.StatusUpdate) -> str:
    """The session that the agent starts in, after `event`: what was given to it while it waited stays."""
    if agent is None:
        return event.session
    waited = agent.status in (AgentStatus.PENDING, AgentStatus.WAITING)
    if event.status is AgentStatus.PENDING or (event.status is AgentStatus.STARTING and not waited):
        return event.session
    return event.session or agent.resumes


def withdrawn(state: State, agent: str) -> Iterator[e.Event]:
    """The stopped writes of an agent that was lost: their processes are gone, and it will ask anew."""
    for request in state.open_requests:
        if request.kind is RequestKind.HELD and request.requester == agent:
            reason = "the process that wanted it has ended"
            yield e.RequestWithdrawn(request=request.id, reason=reason)


def words(agents: tuple[AgentState, ...]) -> str:
    """What was lost, and how each agent would go on, for people; a sentence for each."""
    said = []
    for agent in agents:
        client = agent.doing.client if agent.doing is not None else agent.spec.client or ""
        how = f"goes on in its session of {client}" if session_of(agent) else "starts anew"
        said.append(f"{agent.id} {how}")
    return "; ".join(said)
