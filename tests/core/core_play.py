"""Plays a run by commands alone: decide, settle, apply, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.fold import apply
from runebook_tui.core.gates import settle
from runebook_tui.core.notices import following
from runebook_tui.core.refusal import Refusal
from runebook_tui.core.rules import decide
from runebook_tui.core.state import State
from runebook_tui.core.types import (
    OPERATOR,
    AgentSpec,
    Author,
    Change,
    ExecutionPlan,
    Phase,
    PlanInfo,
    Task,
    Version,
)

ABSENT = Version(kind="absent")
TURNS = 100
"""More rounds of settling than any of these plans can need."""


def agent(
    name: str, phase: str = "build", *, claims: Sequence[str] = (), tasks: Sequence[str] = (), **more: Any
) -> AgentSpec:
    """An agent that owns the folder of its name."""
    return AgentSpec(
        id=name,
        phase=phase,
        command=("true",),
        claims=tuple(claims) or (f"{name}/**",),
        tasks=tuple(Task(id=task) for task in tasks),
        **more,
    )


def plan(*agents: AgentSpec, phases: Sequence[Phase] = (), **more: Any) -> ExecutionPlan:
    """A plan of these agents; without `phases` there is the one called "build"."""
    return ExecutionPlan(
        plan=PlanInfo(name="play"),
        phases=tuple(phases) or (Phase(id="build"),),
        agents=agents,
        **more,
    )


def version(content: str) -> Version:
    """A file with some content."""
    return Version(kind="file", digest=content, size=len(content))


def touch(path: str, author: Author | str | None, *, pid: int | None = None, **more: Any) -> c.Touch:
    """A change of `path` by one who is certain, or by an Author."""
    if not isinstance(author, Author):
        author = Author(name=author, evidence="seen", pid=pid)
    before, after = more.get("before", ABSENT), more.get("after", version("x"))
    return c.Touch(Change(path=path, before=before, after=after), author)


class Play:
    """A run under way. `now` is its clock, unix seconds."""

    def __init__(self, first: ExecutionPlan | None = None) -> None:
        self.state = State()
        self.records: list[e.Record] = []
        self.now = 1_000_000.0
        if first is not None:
            self.do(c.StartRun(first))

    def do(self, command: c.Command) -> list[e.Event]:
        """Carry out a command that is not refused; the events it brings about."""
        outcome = self.attempt(command)
        assert not isinstance(outcome, Refusal), outcome.reason
        return outcome

    def refused(self, command: c.Command) -> str:
        """The words with which a command is refused; nothing happens then."""
        before = self.state
        outcome = self.attempt(command)
        assert isinstance(outcome, Refusal), outcome
        assert self.state is before
        assert outcome.reason
        assert "\n" not in outcome.reason
        return outcome.reason

    def attempt(self, command: c.Command) -> list[e.Event] | Refusal:
        """Carry out a command or find out why not."""
        outcome = decide(self.state, command, self.now)
        if isinstance(outcome, Refusal):
            return outcome
        happened: list[e.Event] = []
        for turn in range(TURNS):
            if turn and not outcome:
                return happened
            before = self.state
            for event in outcome:
                self.append(event)
                happened.append(event)
            outcome = (*following(before, self.state, outcome), *settle(self.state)) if happened else ()
        raise AssertionError(f"it never settles: {outcome}")

    def append(self, event: e.Event) -> None:
        """Let an event happen, whatever the rules say."""
        run = self.state.run + isinstance(event, e.RunStarted)
        record = e.Record(seq=self.state.seq + 1, time=self.now, run=run, actor="engine", event=event)
        self.records.append(record)
        self.state = apply(self.state, record)

    def start(self, *agents: str, pid: int = 100) -> None:
        """The agents' programs run."""
        for n, name in enumerate(agents):
            self.do(c.ReportStarted(name, f"%{pid + n}", pid + n))

    def exit(self, name: str, code: int | None = 0, signal: int | None = None) -> list[e.Event]:
        """The agent's program ended."""
        return self.do(c.ReportExited(name, code, signal))

    def write(self, path: str, author: Author | str | None, pid: int | None = None) -> list[e.Event]:
        """One change was seen."""
        return self.do(c.Observe((touch(path, author, pid=pid),)))

    def maybe(self, path: str, *candidates: str) -> list[e.Event]:
        """One change was seen that one of these may have made."""
        return self.write(path, Author(candidates=candidates or (OPERATOR,), evidence="not sure"))

    def status(self, name: str) -> str:
        """Where an agent stands."""
        return self.state.agents[name].status.value

    def phase(self, name: str) -> str:
        """Where a phase stands."""
        return self.state.phases[name].status.value
