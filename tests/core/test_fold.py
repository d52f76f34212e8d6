"""Whatever is commanded in whatever order: the log tells the whole state, and the promises hold."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, get_args

from core_play import TURNS, Play
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.activity import Activity, CommandSource
from runebook_tui.core.boundary import may_write
from runebook_tui.core.contract import ApiDrifted, Clause
from runebook_tui.core.fold import apply, fold
from runebook_tui.core.gates import agent_unmet, settle, stalled
from runebook_tui.core.grants import Scope
from runebook_tui.core.hosts import hosts
from runebook_tui.core.learning import DismissLesson
from runebook_tui.core.observed import Reading, ReportObserved
from runebook_tui.core.planedits import AddClaim, AddMayWrite, AddPathPolicy
from runebook_tui.core.rules import DOWN, decide
from runebook_tui.core.snoozing import Snooze
from runebook_tui.core.speech import QuestionAnswered, ReportAnswered, ReportSaid, SaidToAgent
from runebook_tui.core.standing import Word
from runebook_tui.core.state import State
from runebook_tui.core.suggested import Provenance
from runebook_tui.core.suggestions import SuggestionAdded
from runebook_tui.core.types import (
    OPERATOR,
    AgentSpec,
    AgentStatus,
    Author,
    Change,
    Crossing,
    ExecutionPlan,
    GateMode,
    InterfaceStub,
    Needs,
    Phase,
    PhaseStatus,
    PlanInfo,
    Policy,
    RequestKind,
    SharedPath,
    Task,
    Version,
)
from runebook_tui.log.eventlog import decode, encode
from runebook_tui.log.sqlite import SqliteLog
from runebook_tui.orchestrator.waits import waiting_circles

AGENTS = ["alpha", "beta", "gamma"]
AGENT = st.sampled_from([*AGENTS, "nobody-knows"])
TASK = st.sampled_from(["t0", "t1", "t2", "t3", "t9"])
PHASES = ["one", "two", "three"]
PHASE = st.sampled_from([*PHASES, "nine"])
API = st.sampled_from(["api", "none"])
PATH = st.sampled_from(
    ["alpha/x", "alpha/y", "beta/x", "core/x", "free", "runebook.toml", "beta/\udcff\n[b]", "é"]
)
REQUEST = st.integers(0, 6)
HOST = st.sampled_from(["", "", "b"])
PID = st.none() | st.integers(1, 3)
TEXT = st.sampled_from(["", "because", DOWN, "\udc80"])


@st.composite
def plans(draw: st.DrawFn) -> ExecutionPlan:
    """Plans as they pass the checks: needs point backwards."""
    phases = [
        Phase(
            id=name,
            after=tuple(draw(st.lists(st.sampled_from(PHASES[:n]), unique=True, max_size=2)) if n else ()),
            continuous=draw(st.booleans()) and n > 0,
        )
        for n, name in enumerate(PHASES[: draw(st.integers(1, 3))])
    ]
    ids = ["t0", "t1", "t2", "t3"]
    agents: list[AgentSpec] = []
    for n, name in enumerate(AGENTS[: draw(st.integers(1, 3))]):
        mine = tuple(Task(id=ids.pop(0)) for _ in range(draw(st.integers(0, 2))) if ids)
        needs = Needs(
            tasks=tuple(t.id for each in agents for t in each.tasks if draw(st.booleans())),
            apis=("api",) if n and draw(st.booleans()) else (),
        )
        phase = draw(st.sampled_from(phases)).id
        agents.append(
            AgentSpec(
                id=name,
                phase=phase,
                command=("x",),
                claims=(f"{name}/**",),
                tasks=mine,
                needs=needs,
                host=draw(HOST),
            )
        )
    return ExecutionPlan(
        plan=PlanInfo(name="random"),
        policy=Policy(
            unowned=draw(st.sampled_from(["allow", "ask"])),
            review=draw(st.sampled_from(["operator", "owner"])),
        ),
        phases=tuple(phases),
        agents=tuple(agents),
        shared=(SharedPath(path="core/**", owner="alpha"),),
        interfaces=(InterfaceStub(name="api", owner="alpha", path="alpha/api"),),
    )


VERSIONS = st.builds(Version, kind=st.sampled_from(["file", "absent"]), digest=st.sampled_from("ab"))
CHANGES = st.builds(Change, path=PATH, before=VERSIONS, after=VERSIONS)
AUTHORS = st.builds(
    Author,
    name=st.none() | AGENT | st.just(OPERATOR),
    candidates=st.lists(st.sampled_from([*AGENTS, OPERATOR]), unique=True, max_size=2).map(tuple),
    pid=PID,
)
UNDO = st.sampled_from(["u1", "u2"])
SOME_CHANGES = st.lists(CHANGES, max_size=2).map(tuple)
AFTERS = CHANGES.map(lambda change: change.after)
PROPOSALS = st.lists(
    st.builds(Crossing, path=PATH, owner=st.none() | AGENT, proposed=st.none() | AFTERS),
    min_size=1,
    max_size=3,
).map(tuple)
TOUCHES = st.lists(st.builds(c.Touch, CHANGES, AUTHORS), min_size=1, max_size=4).map(tuple)
CONTRACTS = st.lists(
    st.builds(
        Clause,
        kind=st.just("text"),
        wanted=st.sampled_from("vw"),
        lines=st.sampled_from([(), ("one",), ("two",)]),
    ),
    max_size=2,
    unique_by=lambda clause: clause.wanted,
).map(tuple)
FAULTS = st.sampled_from(["", "", "", "it failed"])
CHANGED = st.lists(st.tuples(CHANGES, AUTHORS), max_size=2).map(tuple)

COMMANDS = st.one_of(
    st.just("the engine starts what is to be started"),
    st.builds(c.ReportExited, AGENT, st.sampled_from([0, 0, 0, 1, None]), st.sampled_from([None, 15])),
    st.builds(c.CompleteTask, AGENT, TASK),
    st.builds(c.StartTask, AGENT, TASK),
    st.builds(c.BlockTask, AGENT, TASK, TEXT),
    st.builds(c.Observe, TOUCHES, st.sampled_from(["", "", "git checkout topic"])),
    st.builds(c.Ask, AGENT, st.lists(PATH, min_size=1, max_size=3).map(tuple), TEXT, PID),
    st.builds(c.Decide, REQUEST, st.sampled_from(["approved", "rejected"]), st.sampled_from(Scope), TEXT),
    st.builds(
        c.Decide,
        REQUEST,
        st.sampled_from(["approved", "rejected"]),
        means=st.sampled_from(["widened", "transferred", "handed over"]),
        group=st.sampled_from(["", "g"]),
    ),
    st.just(c.TakeBack()),
    st.builds(c.Disown, REQUEST),
    st.builds(c.PublishApi, AGENT, API, st.sampled_from([None, "d1", "d2"]), CONTRACTS, FAULTS),
    st.builds(c.CheckApi, API, st.sampled_from([None, "d1", "d2"]), CONTRACTS, FAULTS, CHANGED),
    st.builds(c.StopAgent, AGENT, TEXT),
    st.builds(c.RestartAgent, AGENT),
    st.builds(c.ResumeAgents, st.lists(AGENT, max_size=2).map(tuple)),
    st.builds(c.ReportExited, AGENT, lost=st.just(True)),
    st.builds(c.MarkReady, AGENT),
    st.builds(c.ChangePlan, plans()),
    st.builds(c.StartRun, plans()),
    st.builds(c.EndRun, st.just("stopped"), TEXT),
    st.builds(c.TakeEngine, st.just(1), st.just("here"), st.lists(AGENT, max_size=1).map(tuple), HOST),
    st.builds(c.LeaveEngine, TEXT, HOST),
    st.builds(c.CheckCopy, API, HOST, st.integers(0, 3), TEXT),
    st.builds(c.ReportNet, st.sampled_from(["gate", "watch", "hook"]), AGENT, st.booleans(), TEXT),
    st.builds(c.Propose, AGENT, TEXT, TEXT, PROPOSALS, st.none() | st.floats(0, 1e10), TEXT),
    st.builds(c.SpendGrant, AGENT, REQUEST, PATH),
    st.builds(c.ReportActivity, AGENT, TEXT, st.sampled_from(Activity), TEXT, TEXT),
    st.builds(
        ReportObserved,
        AGENT,
        st.builds(Reading, st.none() | st.sampled_from(Word), TEXT, TEXT, st.booleans()),
    ),
    st.builds(Snooze, AGENT),
    st.builds(c.ReportCommand, AGENT, TEXT, TEXT, st.none() | st.integers(0, 3)),
    st.builds(c.ReportAcceptance, AGENT, TEXT, st.booleans()),
    st.builds(c.ReportShell, AGENT, st.sampled_from(["bash", "fish"]), TEXT, PATH, st.booleans()),
    st.builds(
        c.ReportCommand,
        AGENT,
        TEXT,
        TEXT,
        source=st.sampled_from(CommandSource),
        environment=st.dictionaries(TEXT, st.none() | TEXT, max_size=2),
        error=TEXT,
    ),
    st.builds(c.RecordAttempt, AGENT, TEXT, TEXT, st.integers(1, 9)),
    st.builds(c.SendMessage, AGENT, st.lists(AGENT, max_size=2).map(tuple), TEXT),
    st.builds(c.Recommend, AGENT, REQUEST, st.sampled_from(["approve", "reject"]), TEXT),
    st.builds(
        c.Suggest,
        AGENT,
        st.sampled_from(["fix", "look", "ask-model", "No kind"]),
        TEXT,
        st.sampled_from(["high", "normal", "low"]),
        snippet=TEXT,
        fingerprint=st.sampled_from(["", "f", "g"]),
    ),
    st.builds(c.DismissSuggestion, st.integers(0, 3), AGENT | st.just(OPERATOR)),
    st.builds(c.ApplySuggestion, st.integers(0, 3), AGENT | st.just(OPERATOR)),
    st.builds(c.Look, st.booleans()),
    st.builds(ReportSaid, AGENT, TEXT, st.sampled_from(["submitted", "typed", "held"]), TEXT),
    st.builds(ReportAnswered, AGENT, TEXT, st.sampled_from(["yes", "no"]), st.sampled_from(["hook", "keys"])),
    st.builds(c.ReportDelivered, AGENT, st.lists(st.integers(1, 3), max_size=2).map(tuple), TEXT),
    st.builds(
        c.RecordUndo, UNDO, REQUEST, SOME_CHANGES, TEXT, SOME_CHANGES, st.dictionaries(PATH, TEXT, max_size=2)
    ),
    st.builds(DismissLesson, TEXT),
    st.builds(c.RecordRestore, UNDO, SOME_CHANGES),
)
JUMPS = st.sampled_from([0.0, 0.5, 1.9, 3.0, -0.5, -86_400.0, 86_400.0])


def check_promises(play: Play, after: int) -> None:
    """What holds for the records from `after` on, and of the state now."""
    state = fold(play.records[:after])
    for record in play.records[after:]:
        event = record.event
        if isinstance(event, e.StatusUpdate) and event.status is AgentStatus.STARTING:
            agent = state.agents[event.agent]
            assert event.reason == "restarted" or not agent_unmet(state, agent), event
        if isinstance(event, e.CoordinationRequest):
            assert event.request == state.last_request + 1
        state = apply(state, record)
        if isinstance(event, e.RunEnded) and event.outcome == "completed":
            assert {phase.status for phase in state.phases.values()} <= {PhaseStatus.COMPLETED}
            assert not state.live_agents()
    assert state == play.state
    planned = {agent.id for agent in state.plan.agents}
    for phase in state.phases.values():
        if phase.status is PhaseStatus.COMPLETED and state.outcome is None:
            members = [agent for agent in state.agents_of(phase.id) if agent.id in planned]
            assert all(agent.status is AgentStatus.COMPLETED for agent in members), phase
    assert settle(state) == ()
    stalled(state)


@settings(max_examples=150, deadline=None)
@given(plans(), st.lists(st.tuples(COMMANDS, JUMPS), max_size=40))
def test_any_run_keeps_its_promises(first: ExecutionPlan, steps: list[tuple[c.Command | str, float]]) -> None:
    play = Play(first)
    for command, jump in steps:
        play.now += jump
        after = len(play.records)
        if isinstance(command, str):
            for agent in play.state.agents.values():
                if agent.status is AgentStatus.STARTING:
                    play.attempt(c.ReportStarted(agent.id, "%1", 7))
        else:
            play.attempt(command)
        check_promises(play, after)
    decided = Counter(
        r.event.request
        for r in play.records
        if isinstance(r.event, e.CoordinationResponse | e.RequestWithdrawn)
    )
    assert set(decided.values()) <= {1}
    check_the_log_tells_it_all(play)


def check_the_log_tells_it_all(play: Play) -> None:
    assert fold(play.records) == play.state
    through_json = [r.model_copy(update={"event": decode(encode(r.event))}) for r in play.records]
    assert fold(through_json) == play.state
    with tempfile.TemporaryDirectory() as folder, SqliteLog(Path(folder) / "log.sqlite") as log:
        for r in play.records:
            log.append([r.event], run=r.run, actor=r.actor, expected=r.seq - 1, time=r.time)
        assert fold(log.read()) == play.state


@settings(max_examples=100, deadline=None)
@given(plans())
def test_a_plan_that_nobody_disturbs_completes(first: ExecutionPlan) -> None:
    assume(not list(waiting_circles(first)) and not _waits_for_what_is_continuous(first))
    play = Play(first)
    play.do(c.PublishApi("alpha", "api", "d1"))
    for host in hosts(first):
        play.do(c.CheckCopy("api", host, 1))
    for _ in range(TURNS):
        if play.state.outcome is not None:
            break
        assert not stalled(play.state)
        for agent in play.state.agents.values():
            if agent.status is AgentStatus.STARTING:
                play.start(agent.id)
            elif agent.alive and (agent.finalizing or not _continuous(play.state, agent.spec)):
                play.exit(agent.id)
    assert play.state.outcome == "completed"


def _continuous(state: State, spec: AgentSpec) -> bool:
    phase = state.plan.phase(spec.phase)
    return phase is not None and phase.continuous


def _waits_for_what_is_continuous(plan: ExecutionPlan) -> bool:
    """Whether something waits for the end of a continuous phase: that comes when all else is over."""
    endless = {phase.id for phase in plan.phases if phase.continuous}
    tasks = {task.id for agent in plan.agents if agent.phase in endless for task in agent.tasks}
    return any(set(phase.after) & endless for phase in plan.phases) or any(
        set(agent.needs.tasks) & tasks for agent in plan.agents
    )


def _crossings(changes: st.SearchStrategy[Change | None]) -> st.SearchStrategy[tuple[Crossing, ...]]:
    return st.lists(st.builds(Crossing, path=PATH, owner=st.none() | AGENT, change=changes), max_size=3).map(
        tuple
    )


EDITS = st.one_of(
    st.builds(AddClaim, AGENT, st.just("x/**")),
    st.builds(AddMayWrite, AGENT, st.just("x/**")),
    st.builds(AddPathPolicy, st.just("x/**"), st.sampled_from(["hold", "refuse"])),
)

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "check": TEXT,
    "passed": st.booleans(),
    "adopted": st.lists(AGENT, max_size=1).map(tuple),
    "broken": TEXT,
    "consumers": st.lists(AGENT, max_size=2).map(tuple),
    "contract": CONTRACTS,
    "diff": TEXT,
    "agent": AGENT,
    "serves": HOST,
    "from_host": st.none() | HOST,
    "lacks": TEXT,
    "api": API,
    "attempt": st.integers(0, 3),
    "count": st.integers(1, 9),
    "branch": TEXT,
    "commit": TEXT,
    "fresh": st.booleans(),
    "lane": st.just("") | AGENT,
    "left": st.dictionaries(PATH, TEXT, max_size=2),
    "paths": st.lists(PATH, max_size=2).map(tuple),
    "settled": st.booleans(),
    "author": AUTHORS,
    "candidates": st.lists(AGENT, max_size=2).map(tuple),
    "cause": TEXT,
    "change": CHANGES,
    "changes": SOME_CHANGES,
    "code": st.none() | st.integers(0, 3),
    "crossings": _crossings(st.none() | CHANGES),
    "decision": st.sampled_from(["approved", "rejected"]),
    "digest": TEXT,
    "evidence": TEXT,
    "holds": st.booleans(),
    "proven": st.booleans(),
    "host": TEXT,
    "kind": st.sampled_from(RequestKind),
    "last_lines": st.lists(TEXT, max_size=2).map(tuple),
    "mode": st.none() | st.sampled_from(GateMode),
    "net": st.sampled_from(["gate", "watch", "hook"]),
    "about": TEXT,
    "activity": st.sampled_from(Activity),
    "word": st.none() | st.sampled_from(Word),
    "rule": TEXT,
    "line": TEXT,
    "unhooked": st.booleans(),
    "client": TEXT,
    "command": TEXT,
    "cost": st.none() | st.floats(0, 10),
    "failed": st.booleans(),
    "source": st.sampled_from(CommandSource),
    "arguments": st.lists(TEXT, max_size=2).map(tuple),
    "folder": PATH,
    "started": st.none() | st.floats(0, 1e10),
    "ended": st.none() | st.floats(0, 1e10),
    "environment": st.dictionaries(TEXT, st.none() | TEXT, max_size=2),
    "output": PATH,
    "error": TEXT,
    "shell": st.sampled_from(["bash", "fish"]),
    "hook": st.sampled_from(["", "Codex"]),
    "lost": st.booleans(),
    "model": TEXT,
    "seconds": st.none() | st.floats(0, 10),
    "session": TEXT,
    "tokens": st.none() | st.integers(0, 9),
    "note": TEXT,
    "outcome": st.sampled_from(["completed", "failed", "stopped"]),
    "pane": TEXT,
    "patch": TEXT,
    "path": PATH,
    "phase": PHASE,
    "pid": st.integers(1, 3),
    "plan": plans(),
    "program": TEXT,
    "reason": TEXT,
    "request": REQUEST,
    "requester": st.none() | AGENT,
    "scope": st.sampled_from(Scope),
    "signal": st.none() | st.integers(1, 15),
    "speaker": TEXT,
    "status": st.sampled_from(AgentStatus),
    "task": TASK,
    "means": st.sampled_from(["", "widened", "handed over"]),
    "group": TEXT,
    "base": st.dictionaries(PATH, TEXT, max_size=2),
    "plan_before": TEXT,
    "plan_after": TEXT,
    "was": st.sampled_from(["approved", "rejected"]),
    "title": TEXT,
    "message": st.integers(1, 9),
    "messages": st.lists(st.integers(1, 9), max_size=2).map(tuple),
    "advice": st.sampled_from(["approve", "reject"]),
    "leaves": st.booleans(),
    "sender": AGENT,
    "suggestion": st.integers(1, 9),
    "priority": st.sampled_from(["high", "normal", "low"]),
    "words": TEXT,
    "snippet": TEXT,
    "confidence": st.floats(0, 1),
    "provenance": st.builds(Provenance, file=PATH),
    "fingerprint": TEXT,
    "reader": AGENT,
    "to": st.lists(AGENT | st.sampled_from(["all", OPERATOR]), max_size=2).map(tuple),
    "text": TEXT,
    "by": st.sampled_from(["hook", "mcp"]),
    "edit": EDITS,
    "edits": st.lists(EDITS, max_size=2).map(tuple),
    "until": st.floats(0, 1e10),
    "undo": UNDO,
    "question": TEXT,
    "answer": st.sampled_from(["yes", "no"]),
    "why": TEXT,
    "version": st.integers(1, 3),
    "before": st.integers(1, 40),
    "touches": st.integers(0, 40),
    "runs": st.dictionaries(st.integers(0, 3), st.integers(1, 9), max_size=2),
}


def _events(kind: type[Any]) -> st.SearchStrategy[Any]:
    fields = {name: FIELDS[name] for name in kind.model_fields if name != "type"}
    if kind is ApiDrifted:
        fields["by"] = st.lists(AGENT, max_size=2).map(tuple)
    if kind is SuggestionAdded:
        fields["kind"] = TEXT
    if kind is SaidToAgent:
        fields["outcome"] = st.sampled_from(["submitted", "typed", "held"])
    if kind is QuestionAnswered:
        fields["by"] = st.sampled_from(["hook", "keys"])
    if kind is e.AttemptRefused:
        fields["attempt"] = TEXT
    return st.builds(kind, **fields)


EVENTS = st.one_of([_events(kind) for kind in get_args(get_args(e.Event)[0])])


@settings(max_examples=150, deadline=None)
@given(plans(), st.lists(EVENTS, max_size=30), COMMANDS)
def test_no_event_in_any_state_is_too_much(
    first: ExecutionPlan, events: list[e.Event], then: c.Command | str
) -> None:
    play = Play(first)
    for event in events:
        play.append(event)
        stalled(play.state)
        may_write(play.state, "alpha", "beta/x", play.now)
    for _ in range(TURNS):
        following = settle(play.state)
        if not following:
            break
        for event in following:
            play.append(event)
    assert settle(play.state) == ()
    if not isinstance(then, str):
        decide(play.state, then, play.now)
    assert fold(play.records) == play.state


def test_a_state_is_not_changed_by_what_follows_it() -> None:
    play = Play()
    states = [(play.state, repr(play.state))]

    for event in (
        e.RunStarted(plan=ExecutionPlan(plan=PlanInfo(name="x"), phases=(Phase(id="one"),))),
        e.PhaseStarted(phase="one"),
        e.CoordinationRequest(request=1, kind=RequestKind.ASKED, requester="a", crossings=()),
        e.CoordinationResponse(request=1, decision="approved"),
    ):
        play.append(event)
        states.append((play.state, repr(play.state)))
    assert all(repr(state) == words for state, words in states)
