"""Particulars: what there is to say of one phase, agent or interface of the plan, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from runebook_tui.core.contract import InterfaceStub
from runebook_tui.core.gates import agent_unmet, unmet
from runebook_tui.core.interfaces import api_unmet, consumers
from runebook_tui.core.standing import Word
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import AgentStatus, Needs, Phase, PhaseStatus, TaskStatus
from runebook_tui.tui import glyphs
from runebook_tui.tui.roadmap import Critical, critical
from runebook_tui.tui.text import age, safe
from runebook_tui.tui.view import status_word

_OPEN = (glyphs.PHASE[PhaseStatus.COMPLETED].sign, glyphs.GOOD)
_CLOSED = (glyphs.PHASE[PhaseStatus.PENDING].sign, glyphs.CAUTION)
_CONTRACT_LINES = 40
_TASK_SIGNS = {
    TaskStatus.NOT_STARTED: glyphs.STANDING[Word.PENDING],
    TaskStatus.IN_PROGRESS: glyphs.STANDING[Word.WORKING],
    TaskStatus.COMPLETED: glyphs.STANDING[Word.DONE],
    TaskStatus.BLOCKED: glyphs.STANDING[Word.BLOCKED],
}


def of_phase(state: State, phase: Phase, now: float) -> Iterator[Content]:
    """A phase: its state, its gates, its agents."""
    known = state.phases.get(phase.id)
    yield Content.assemble(safe(phase.id, glyphs.STRONG), "  ", safe(phase.title, glyphs.MUTED))
    if known is not None:
        since = known.completed_at or known.started_at
        ago = "" if since is None else f" for {age(now - since)}"
        yield safe(f"{known.status}{ago}{', runs alongside the others' if phase.continuous else ''}")
    yield from _path(critical(state.plan), phase.id in critical(state.plan).phases)
    yield from _needs(state, Needs(phases=phase.after), phase.needs)
    agents = ", ".join(agent.id for agent in state.agents_of(phase.id)) or "none"
    yield Content.assemble(("agents: ", glyphs.MUTED), safe(agents, limit=1_000))


def of_agent(state: State, agent: AgentState, now: float) -> Iterator[Content]:
    """An agent: what it does and waits for, its tasks, what it owns and may write, its interfaces."""
    spec = agent.spec
    yield Content.assemble(safe(agent.id, glyphs.STRONG), "  ", safe(f"in {spec.phase}", glyphs.MUTED))
    because = f": {agent.reason}" if agent.reason else ""
    yield safe(f"{status_word(state, agent)}{because}", limit=500)
    if agent.status in (AgentStatus.PENDING, AgentStatus.WAITING) and (missing := agent_unmet(state, agent)):
        yield safe(f"waits for {', '.join(missing)}", glyphs.CAUTION, limit=500)
    found = critical(state.plan)
    yield from _path(found, agent.id in found.agents)
    yield from _needs(state, spec.needs)
    for task in state.tasks_of(agent.id):
        sign = _TASK_SIGNS[task.status]
        why = f": {task.reason}" if task.reason else ""
        title = f"  {task.title}" if task.title else ""
        yield Content.assemble((sign.sign, sign.style), " ", safe(f"{task.id}{title}  {task.status}{why}"))
    yield from _patterns("owns", spec.claims)
    yield from _patterns("may write", spec.may_write)
    for interface in state.plan.interfaces:
        if interface.owner == agent.id:
            yield from of_interface(state, interface, contract=False)


def of_interface(state: State, interface: InterfaceStub, *, contract: bool = True) -> Iterator[Content]:
    """An interface: its version, whether its file has drifted from it, who builds on it, what it holds."""
    api = state.apis.get(interface.name)
    missing = api_unmet(state, interface.name)
    sign, style = _CLOSED if missing else _OPEN
    stands = "not published" if api is None else f"v{api.version}"
    if api is not None and missing:
        stands = missing.removeprefix(f"API {interface.name} ")
    yield Content.assemble(
        (sign, style),
        " interface ",
        safe(interface.name, glyphs.STRONG),
        safe(f"  {stands}  {interface.path}  {interface.owner}", glyphs.MUTED, limit=500),
    )
    users = ", ".join(consumers(state, interface.name))
    if users:
        yield safe(f"    builds on it: {users}", limit=500)
    if not contract:
        return
    if api is not None and api.drift is not None and api.drift.broken:
        yield safe(f"    it {api.drift.broken}", glyphs.BAD, limit=500)
    lines = 0
    for clause in (api.contract or ()) if api is not None else ():
        yield safe(f"    {clause.kind} {clause.wanted}", glyphs.MUTED)
        for line in clause.lines:
            lines += 1
            if lines <= _CONTRACT_LINES:
                yield safe(f"      {line}")
    if lines > _CONTRACT_LINES:
        yield Content.styled(f"      and {lines - _CONTRACT_LINES} lines more", glyphs.MUTED)
    if api is None:
        for kind, wanted in _wanted(interface):
            yield safe(f"    asks for {kind} {wanted}", glyphs.MUTED)


def _wanted(interface: InterfaceStub) -> Iterator[tuple[str, str]]:
    yield from (("text", each) for each in interface.must_contain)
    yield from (("pattern", each) for each in interface.must_match)
    yield from (("symbol", each) for each in interface.symbols)


def _needs(state: State, *needs: Needs) -> Iterator[Content]:
    """Each condition, and whether it holds."""
    for each in needs:
        for one in (
            *(Needs(phases=(name,)) for name in each.phases),
            *(Needs(tasks=(name,)) for name in each.tasks),
            *(Needs(apis=(name,)) for name in each.apis),
        ):
            missing = unmet(state, one)
            sign, style = _CLOSED if missing else _OPEN
            kind, name = next((kind[:-1], names[0]) for kind, names in one if names)
            words = missing[0] if missing else f"{'API' if kind == 'api' else kind} {name}"
            yield Content.assemble((sign, style), " ", safe(f"needs {words}", limit=300))


def _path(found: Critical, on_it: bool) -> Iterator[Content]:
    if on_it:
        chain = " → ".join(found.agents)
        words = f"on the critical path, {found.steps} steps: {chain}"
        sign = glyphs.CRITICAL
        yield Content.assemble((sign.sign, sign.style), " ", safe(words, glyphs.MUTED, limit=500))


def _patterns(word: str, patterns: Sequence[str]) -> Iterator[Content]:
    if patterns:
        yield Content.assemble((f"{word}: ", glyphs.MUTED), safe(", ".join(patterns), limit=2_000))
