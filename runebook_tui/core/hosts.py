"""Hosts: whose engine sees to which agent, request and tree, where a plan names several. Pure.

The plan's own host has no name. The tree of a host's checkout is called as its lane would be: "" for the
plan's own host, `@name` for another; no agent can be called so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from types import MappingProxyType

from runebook_tui.core.names import host_words as host_words
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import ExecutionPlan, RequestKind

_MARK = "@"


def hosts(plan: ExecutionPlan) -> tuple[str, ...]:
    """The hosts that run agents of the plan, the plan's own first where it runs any; ("",) without agents."""
    named = dict.fromkeys(agent.host for agent in plan.agents)
    return tuple(sorted(named, key=bool)) or ("",)


def leading(plan: ExecutionPlan) -> str:
    """The host whose engine begins the run, and whose copy of the plan's file counts."""
    return hosts(plan)[0]


def tree_of(host: str) -> str:
    """What the tree of the host's checkout is called."""
    return _MARK + host if host else ""


def host_of_tree(tree: str) -> str:
    """The host whose checkout is called so."""
    return tree.removeprefix(_MARK) if tree.startswith(_MARK) else ""


def is_lane(tree: str) -> bool:
    """Whether a tree of that name is an agent's lane, and no host's checkout."""
    return bool(tree) and not tree.startswith(_MARK)


def place_words(tree: str) -> str:
    """Where a file of that tree lies, to follow what it is about; "" for the plan's own checkout."""
    if is_lane(tree):
        return f" in the worktree of {tree}"
    return f" on host {host_of_tree(tree)}" if tree else ""


def host_of_agent(state: State, agent: str) -> str | None:
    """The host that runs the agent; None when the plan has no such agent."""
    known = state.agents.get(agent)
    return None if known is None else known.spec.host


def host_of_request(state: State, request: RequestState) -> str:
    """The host on which the files and panes of a request are."""
    if request.lane.startswith(_MARK):
        return host_of_tree(request.lane)
    names: Iterable[str | None] = (request.lane, request.requester, *request.candidates)
    if request.kind is RequestKind.DRIFT:
        names = (each.agent for each in state.apis.published.values() if each.path in request.crossings)
    found = (host_of_agent(state, name) for name in names if name)
    return next((host for host in found if host is not None), leading(state.plan))


def request_place(state: State, request: RequestState, away: Collection[str] = ()) -> str:
    """Where a request's files are, to follow what it is about; `away` are hosts of which no engine lives."""
    host = host_of_request(state, request)
    words = place_words(request.lane) if is_lane(request.lane) else ""
    words += place_words(tree_of(host))
    return f"{words}, where no engine runs" if host in away else words


def host_of_undo(state: State, undo: str) -> str:
    """The host on which an undo was made."""
    known = state.undos.get(undo)
    request = None if known is None else state.requests.get(known.request)
    return "" if request is None else host_of_request(state, request)


def part(state: State, host: str) -> State:
    """The state with only the agents and requests of `host`: what its engine sees to. The plan is whole."""
    mine = tree_of(host)
    if all(agent.spec.host == host for agent in state.agents.values()) and not any(
        each.lane.startswith(_MARK) and each.lane != mine for each in state.requests.values()
    ):
        return state
    agents = {agent.id: agent for agent in state.agents.values() if agent.spec.host == host}
    requests = {each.id: each for each in state.requests.values() if host_of_request(state, each) == host}
    only = replace(state, agents=MappingProxyType(agents), requests=MappingProxyType(requests))
    if "owners" in state.__dict__:
        only.__dict__["owners"] = state.owners
    return only


def without_engine(state: State) -> tuple[str, ...]:
    """The hosts of the plan that no engine sees to, as far as the log tells."""
    return tuple(host for host in hosts(state.plan) if host not in state.engines)


def why_not_moved(state: State, plan: ExecutionPlan) -> str:
    """Why agents cannot be on the hosts that a changed `plan` gives them; "" when they can."""
    for spec in plan.agents:
        known = state.agents.get(spec.id)
        if known is not None and known.alive and known.spec.host != spec.host:
            return f"{spec.id} is at work on {host_words(known.spec.host)}: stop it before it moves"
    return ""
