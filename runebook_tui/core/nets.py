"""Nets: which of them hold, and for which agent, as far as they were reported."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from runebook_tui.core.commands import ReportNet
from runebook_tui.core.events import NetReported
from runebook_tui.core.state import UNKNOWN_REASON, AgentState, State


def is_news(state: State, command: ReportNet, agent: AgentState | None) -> bool:
    """Whether the state does not know yet what is reported; of the live watch there is no `agent`."""
    if agent is None:
        blind = "" if command.holds else command.reason or UNKNOWN_REASON
        return blind != state.blind_hosts.get(command.host, "")
    if command.net == "hook":
        return agent.hook != (command.reason if command.holds else "")
    known = agent.gate_holds, agent.gate_mode, agent.gate, agent.gate_proven
    return known != (command.holds, command.mode, command.reason, command.proven)


def applied(state: State, event: NetReported, time: float) -> State:
    """The state after a net began or ceased to hold."""
    if event.net == "watch":
        blind = {host: why for host, why in state.blind_hosts.items() if host != event.host}
        if not event.holds:
            blind[event.host] = event.reason or UNKNOWN_REASON
        words = "; ".join(f"host {host}: {why}" if host else why for host, why in blind.items())
        since = (state.watch_blind_since if state.watch_blind else time) if blind else None
        blind_hosts = MappingProxyType(blind)
        return replace(state, blind_hosts=blind_hosts, watch_blind=words, watch_blind_since=since)
    agent = state.agents.get(event.agent or "")
    if agent is None:
        return state
    changes: dict[str, Any] = {"hook": event.reason if event.holds else ""}
    if event.net == "gate":
        changes = {
            "gate_holds": event.holds,
            "gate": event.reason,
            "gate_mode": event.mode,
            "gate_proven": event.proven,
        }
    return replace(state, agents=MappingProxyType({**state.agents, agent.id: replace(agent, **changes)}))
