"""Which nets hold for each agent of a run, by what was seen in it: a configuration proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runebook_tui.cli.checkup import Finding
from runebook_tui.clients.adapter import Adapter
from runebook_tui.clients.registry import ADAPTERS
from runebook_tui.core.sentences import gate_words
from runebook_tui.core.state import AgentState
from runebook_tui.core.types import GateMode
from runebook_tui.execution.follow import run_under_way
from runebook_tui.log.eventlog import LogError


def net_findings(root: Path) -> Iterator[Finding]:
    """One finding an agent that is at work; none while nothing runs."""
    try:
        state = run_under_way(root)
    except LogError:
        return  # which the finding about the log says
    for agent in [] if state is None else state.live_agents():
        yield agent_finding(agent)


def agent_finding(agent: AgentState) -> Finding:
    """What holds for one agent, and what to do about the rest."""
    gate, gate_advice = _gate(agent)
    hook, hook_advice = _hook(agent)
    advice = "; ".join(each for each in (gate_advice, hook_advice) if each)
    words = "; ".join(each for each in (gate, hook) if each)
    return Finding("agent", "less" if advice else "ok", f"{agent.id}: {words}", advice)


def _gate(agent: AgentState) -> tuple[str, str]:
    """What the kernel gate was seen to do for it, and what to do."""
    if agent.gate_mode is None:
        return "its gate has not reported", _again(agent)
    if agent.gate_is_less:
        return gate_words(agent), "what the gate needs is in docs/gate.md"
    if agent.gate_mode is not GateMode.ENFORCE:
        does = "only observes" if agent.gate_mode is GateMode.OBSERVE else "is off"
        return f"the kernel gate {does}, as the plan says", ""
    if not agent.gate_proven:
        return "the kernel gate enforces, but no write was tried on it", _again(agent)
    return "the kernel gate refused what its pane tried", ""


def _again(agent: AgentState) -> str:
    return f"`runebook-tui stop {agent.id}`, then `runebook-tui restart {agent.id}`"


def _hook(agent: AgentState) -> tuple[str, str]:
    """Whether its client's hook was heard, and what to do."""
    if agent.spec.client is None:
        return "", ""
    adapter = ADAPTERS[agent.spec.client]
    if "hook" not in adapter.nets:
        return f"{adapter.title} has no hook: the gate holds alone", ""
    if agent.hook:
        return f"the hook of {agent.hook} has spoken", ""
    return f"the hook of {adapter.title} has not spoken", _to_hear(adapter)


def _to_hear(adapter: Adapter) -> str:
    if adapter.user_file is not None:
        return f"if you have not yet: `runebook-tui doctor --install {adapter.id}`"
    return adapter.when_silent
