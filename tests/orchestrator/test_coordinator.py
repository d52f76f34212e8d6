"""The coordinator: one command, one append, one state; and nothing at all when the log says no."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.fold import fold
from runebook_tui.core.state import State
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
from runebook_tui.log.eventlog import Conflict, EventLog, LogError
from runebook_tui.log.memory import MemoryLog
from runebook_tui.log.sqlite import SqliteLog
from runebook_tui.orchestrator.coordinator import Coordinator, Refused

PLAN = ExecutionPlan(
    plan=PlanInfo(name="two"),
    phases=(Phase(id="build"),),
    agents=tuple(
        AgentSpec(id=name, phase="build", command=("true",), claims=(f"{name}/**",))
        for name in ("alpha", "beta")
    ),
)


def crossing(path: str = "beta/x") -> c.Observe:
    change = Change(path=path, before=Version(kind="absent"), after=Version(kind="file", digest="d"))
    return c.Observe((c.Touch(change, Author(name="alpha")),))


@pytest.fixture(params=["sqlite", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventLog]:
    made: EventLog = MemoryLog() if request.param == "memory" else SqliteLog(tmp_path / "log.sqlite")
    yield made
    made.close()


def test_a_command_and_all_that_follows_from_it_is_one_append(log: EventLog) -> None:
    heard: list[tuple[State, Sequence[e.Record]]] = []
    coordinator = Coordinator(log, clock=lambda: 7.0, listener=lambda *news: heard.append(news))
    records = coordinator.handle(c.StartRun(PLAN), OPERATOR)
    assert [record.event.type for record in records] == [
        "RunStarted",
        "PhaseStarted",
        "StatusUpdate",
        "StatusUpdate",
    ]
    assert {(record.run, record.actor, record.time) for record in records} == {(1, OPERATOR, 7.0)}
    assert log.read() == list(records)
    assert heard == [(coordinator.state, records)]


def test_a_refused_command_leaves_no_trace(log: EventLog) -> None:
    coordinator = Coordinator(log)
    coordinator.handle(c.StartRun(PLAN))
    state, seq = coordinator.state, log.last_seq()
    with pytest.raises(Refused, match="^there is no request 9$"):
        coordinator.handle(c.Decide(9, "approved"), OPERATOR)
    assert coordinator.state is state
    assert log.last_seq() == seq


def test_what_changes_nothing_is_not_written(log: EventLog) -> None:
    coordinator = Coordinator(log)
    coordinator.handle(c.StartRun(PLAN))
    seq = log.last_seq()
    assert coordinator.handle(c.ChangePlan(PLAN)) == ()
    assert log.last_seq() == seq


def test_a_new_coordinator_goes_on_where_the_last_one_was(log: EventLog) -> None:
    first = Coordinator(log, clock=lambda: 7.0)
    first.handle(c.StartRun(PLAN))
    first.handle(c.ReportStarted("alpha", "%1", 1))
    first.handle(crossing())
    second = Coordinator(log)
    assert second.state == first.state
    second.handle(c.Decide(1, "rejected"), OPERATOR)
    assert second.state.requests[1].status == "rejected"
    assert second.state == fold(log.read())


def test_two_coordinators_on_one_log_decide_again_and_agree(log: EventLog) -> None:
    one, two = Coordinator(log), Coordinator(log)
    one.handle(c.StartRun(PLAN))
    two.handle(c.ReportStarted("alpha", "%1", 1))
    one.handle(crossing("beta/x"))
    two.handle(crossing("beta/y"))
    one.handle(c.ReportExited("alpha", 0))
    two.catch_up()
    assert one.state == two.state == fold(log.read())
    assert list(one.state.requests) == [1], "the second write joined the first one's request"
    with pytest.raises(Refused, match="a run of this plan is under way"):
        two.handle(c.StartRun(PLAN))


def test_of_two_decisions_at_once_the_first_wins_and_the_other_hears_which(log: EventLog) -> None:
    one = Coordinator(log)
    one.handle(c.StartRun(PLAN))
    one.handle(crossing())
    two = Coordinator(log)
    one.handle(c.Decide(1, "rejected", reason="no"), OPERATOR)
    with pytest.raises(Refused, match="^request 1 is rejected already$"):
        two.handle(c.Decide(1, "approved"), OPERATOR)
    assert two.state == one.state
    assert sum(isinstance(record.event, e.CoordinationResponse) for record in log.read()) == 1


def test_whoever_catches_up_is_told_of_it(log: EventLog) -> None:
    heard: list[e.Record] = []
    two = Coordinator(log, listener=lambda _, records: heard.extend(records))
    Coordinator(log).handle(c.StartRun(PLAN))
    two.catch_up()
    assert heard == log.read()
    two.catch_up()
    assert len(heard) == log.last_seq()


class FullLog(MemoryLog):
    """The shipped twin on a disk whose room the test decides."""

    full: type[LogError] | None = None

    def append(self, events: Sequence[e.Event], **more: object) -> tuple[e.Record, ...]:
        if self.full is not None:
            raise self.full("the disk is full")
        return super().append(events, **more)  # type: ignore[arg-type]


def test_a_log_that_cannot_be_written_stops_the_command_and_the_next_one_works() -> None:
    log = FullLog()
    heard: list[Sequence[e.Record]] = []
    coordinator = Coordinator(log, listener=lambda _, records: heard.append(records))
    coordinator.handle(c.StartRun(PLAN))
    state = coordinator.state
    log.full = LogError
    with pytest.raises(LogError, match="the disk is full"):
        coordinator.handle(crossing())
    assert coordinator.state is state
    assert len(heard) == 1
    log.full = None
    coordinator.handle(crossing())
    assert coordinator.state == fold(log.read())
    assert list(coordinator.state.requests) == [1]


def test_a_log_that_others_never_leave_alone_is_given_up() -> None:
    log = FullLog()
    log.full = Conflict
    with pytest.raises(Refused, match="too busy"):
        Coordinator(log).handle(c.StartRun(PLAN))


def test_a_clock_that_runs_backwards_breaks_nothing(log: EventLog) -> None:
    times = iter([100.0, 50.0, -10.0, 1e12, 3.0, 2.0, 1.0])
    coordinator = Coordinator(log, clock=lambda: next(times))
    coordinator.handle(c.StartRun(PLAN))
    coordinator.handle(c.ReportStarted("alpha", "%1", 1))
    coordinator.handle(crossing("beta/x"))
    coordinator.handle(crossing("beta/y"))
    coordinator.handle(c.Decide(1, "approved"), OPERATOR)
    coordinator.handle(c.ReportExited("alpha", 0))
    assert coordinator.state == fold(log.read()) == Coordinator(log).state
    assert [record.seq for record in log.read()] == list(range(1, log.last_seq() + 1))
