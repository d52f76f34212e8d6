"""What happens at the same instant: two operators decide, and the plan is edited while agents write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.fold import fold
from runebook_tui.core.types import (
    OPERATOR,
    AgentSpec,
    Author,
    Change,
    ExecutionPlan,
    Phase,
    PlanInfo,
    Version,
)
from runebook_tui.log.memory import MemoryLog
from runebook_tui.log.opening import Store
from runebook_tui.orchestrator.coordinator import Coordinator, Refused

REQUESTS = 25


def plan(*names: str, name: str = "at once") -> ExecutionPlan:
    agents = tuple(
        AgentSpec(id=each, phase="build", command=("true",), claims=(f"{each}/**",)) for each in names
    )
    return ExecutionPlan(plan=PlanInfo(name=name), phases=(Phase(id="build"),), agents=agents)


def touched(path: str, author: str, number: int) -> c.Observe:
    after = Version(kind="file", digest=f"d{number}")
    change = Change(path=path, before=Version(kind="absent"), after=after)
    return c.Observe((c.Touch(change, Author(name=author)),))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_of_two_operators_at_the_same_instant_each_request_hears_one(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    store = Store(tmp_path / "log.sqlite")
    if kind == "postgres":
        store = Store(store.path, request.getfixturevalue("database"))
        store.make()
    with store.open() as log:
        first = Coordinator(log)
        first.handle(c.StartRun(plan("alpha", "beta")))
        for number in range(REQUESTS):
            first.handle(c.Ask("alpha", (f"beta/{number}",), "please"))
    start = threading.Barrier(2)
    heard: dict[str, list[tuple[int, bool]]] = {"approved": [], "rejected": []}

    def operator(decision: str, decide: Callable[[int], c.Decide]) -> None:
        with store.open() as log:
            coordinator = Coordinator(log)
            start.wait()
            for number in range(1, REQUESTS + 1):
                try:
                    coordinator.handle(decide(number), OPERATOR)
                    heard[decision].append((number, True))
                except Refused:
                    heard[decision].append((number, False))

    both = [
        threading.Thread(target=operator, args=("approved", lambda n: c.Decide(n, "approved"))),
        threading.Thread(target=operator, args=("rejected", lambda n: c.Decide(n, "rejected"))),
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    with store.open() as log:
        records = log.read()
    decisions = [
        (r.event.request, r.event.decision) for r in records if isinstance(r.event, e.CoordinationResponse)
    ]
    assert sorted(number for number, _ in decisions) == list(range(1, REQUESTS + 1))
    told = {(number, decision) for decision, said in heard.items() for number, done in said if done}
    assert told == set(decisions)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("plan"), st.sampled_from([("alpha",), ("alpha", "beta"), ("beta", "gamma")])),
        st.tuples(st.just("write"), st.sampled_from(["alpha/x", "beta/x", "gamma/x"])),
        st.tuples(st.just("ask"), st.sampled_from(["alpha/y", "beta/y"])),
        st.tuples(st.just("decide"), st.integers(1, 4)),
    ),
    max_size=25,
)


@settings(max_examples=120, deadline=None)
@given(STEPS, st.data())
def test_an_edit_of_the_plan_while_it_runs_loses_no_event(
    steps: list[tuple[str, object]], data: st.DataObject
) -> None:
    """Two engines by turns, as at a take-over: one edits the plan, the other records what happens."""
    log = MemoryLog()
    engines = Coordinator(log), Coordinator(log)
    engines[0].handle(c.StartRun(plan("alpha", "beta")))
    writes = 0
    for number, (kind, value) in enumerate(steps):
        engine = engines[data.draw(st.integers(0, 1))]
        before = log.last_seq()
        try:
            if kind == "plan":
                engine.handle(c.ChangePlan(plan(*value, name=f"plan {number}")), OPERATOR)  # type: ignore[misc]
            elif kind == "write":
                engine.handle(touched(str(value), "alpha", number))
                writes += 1
            elif kind == "ask":
                engine.handle(c.Ask("alpha", (str(value),), "please"))
            else:
                engine.handle(c.Decide(int(str(value)), "approved"), OPERATOR)
        except Refused:
            assert log.last_seq() == before
    records = log.read()
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert sum(isinstance(record.event, e.Touched) for record in records) == writes
    for engine in engines:
        engine.catch_up()
        assert engine.state == fold(records)
    assert engines[0].state.touches == writes
    asked = [record.event.request for record in records if isinstance(record.event, e.CoordinationRequest)]
    assert set(asked) <= set(engines[0].state.requests)
