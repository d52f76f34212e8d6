"""Which nets hold for each agent of the plan, proven by who has reported in this run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from runebook_tui.cli.checkup import Finding
from runebook_tui.clients.adapter import Adapter
from runebook_tui.clients.registry import ADAPTERS, missing
from runebook_tui.core.sentences import gate_words
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import AgentSpec, GateMode
from runebook_tui.execution.follow import has_log, open_log
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.loading import load
from runebook_tui.orchestrator.planner import PlanError, load_plan
from runebook_tui.place import PLAN_NAME

_GATE = {
    GateMode.ENFORCE: "the gate refused what its pane tried",
    GateMode.OBSERVE: "the gate observes",
    GateMode.OFF: "the gate is off",
}


def net_findings(root: Path, home: Path) -> Iterator[Finding]:
    """One finding for each agent of the plan in the repository at `root`; `home` is the user's."""
    try:
        plan = load_plan(root / PLAN_NAME)
    except PlanError:
        return  # the plan's own finding says so
    state = _state(root)
    for spec in plan.agents:
        yield agent_finding(spec, state.agents.get(spec.id), home)


def _state(root: Path) -> State:
    try:
        if not has_log(root):
            return State()
        log = open_log(root)
    except LogError:
        return State()  # the log's own finding says so
    try:
        return load(log)
    except LogError:
        return State()
    finally:
        log.close()


def agent_finding(spec: AgentSpec, agent: AgentState | None, home: Path) -> Finding:
    """What holds for one agent; `agent` is what the log says of it, None before its first run."""
    name = f"agent:{spec.id}"
    adapter = None if spec.client is None else ADAPTERS[spec.client]
    path = spec.env.get("PATH")
    lacking = (
        None if adapter is None else missing(adapter.id, lambda program: shutil.which(program, path=path))
    )
    if adapter is not None and lacking is not None:
        words, _, advice = lacking.partition("; ")
        return Finding(name, "missing", words, advice)
    if agent is None or not agent.alive:
        advice = _to_install(adapter, home)
        words = "it does not run: what holds is proven once it does"
        return Finding(name, "less" if advice else "ok", words, advice)
    gate, less = _gate(agent)
    hook, advice = _hook(adapter, agent, home)
    words = "; ".join(part for part in (gate, hook) if part)
    return Finding(name, "less" if less or advice else "ok", words, advice or less)


def _gate(agent: AgentState) -> tuple[str, str]:
    """What the gate does for it, and what to do when that is less than the plan asks for."""
    if agent.gate_mode is None:
        return "its gate has not reported", "`runebook-tui restart` it if that stays so"
    if agent.gate_is_less:
        return gate_words(agent), "what the gate needs is in docs/gate.md"
    if agent.gate_mode is GateMode.ENFORCE and not agent.gate_proven:
        again = f"`runebook-tui stop {agent.id}`, then `runebook-tui restart {agent.id}`"
        return "the gate enforces, but its pane has not tried it", again
    return _GATE[agent.gate_mode], ""


def _hook(adapter: Adapter | None, agent: AgentState, home: Path) -> tuple[str, str]:
    """Whether its client's hook has spoken in this run, and what to do when it has not."""
    if adapter is None or adapter.gate_only:
        return "", ""
    if agent.hook:
        return f"the hook of {adapter.title} has spoken", ""
    words = f"the hook of {adapter.title} has not spoken yet"
    return words, _to_install(adapter, home) or adapter.when_silent


def _to_install(adapter: Adapter | None, home: Path) -> str:
    """What to do for a client whose hook has to be in the user's home, and is not; "" for nothing."""
    if adapter is None or adapter.user_file is None:
        return ""
    try:
        text = (home / adapter.user_file.path).read_text("utf-8", "replace")
    except OSError:
        text = None
    if adapter.user_file.is_installed(text):
        return ""
    return f"`runebook-tui doctor --install {adapter.id}`: its hook is read from your home only"
