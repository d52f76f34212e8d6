"""What the timeline shows: lanes from records, columns of them, and the window in time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.core import events as e
from runebook_tui.core.chronicle import Chronicle, Doing, Kind, Moment, columns, moment, phase_lane
from runebook_tui.core.types import AgentStatus, Author, Change, Crossing, ExecutionPlan, RequestKind, Version
from runebook_tui.core.window import SHORTEST, Window

PLAN = ExecutionPlan.model_validate(
    {
        "plan": {"name": "x"},
        "phases": [{"id": "build"}],
        "agents": [{"id": "alpha", "phase": "build", "command": ["true"], "tasks": [{"id": "alpha-1"}]}],
    }
)
VERSION = Version(kind="file", digest="x")


def chronicle(*happened: tuple[float, e.Event]) -> Chronicle:
    records = [
        e.Record(seq=seq, time=at, run=1, actor="engine", event=event)
        for seq, (at, event) in enumerate(happened, 1)
    ]
    return Chronicle(PLAN, [found for record in records if (found := moment(record)) is not None])


def wrote(name: str | None) -> e.Touched:
    return e.Touched(change=Change(path="f", before=VERSION, after=VERSION), author=Author(name=name))


def asked(kind: RequestKind = RequestKind.ASKED) -> e.CoordinationRequest:
    crossings = (Crossing(path="f", owner="beta"),)
    return e.CoordinationRequest(request=1, kind=kind, requester="alpha", crossings=crossings)


def started(attempt: int = 1) -> e.AgentStarted:
    return e.AgentStarted(agent="alpha", pane="%1", pid=1, attempt=attempt)


def test_a_lane_says_what_an_agent_did_in_each_column() -> None:
    told = chronicle(
        (0.0, e.StatusUpdate(agent="alpha", status=AgentStatus.WAITING)),
        (20.0, started()),
        (60.0, e.StatusUpdate(agent="alpha", status=AgentStatus.FAILED)),
        (80.0, started(2)),
        (90.0, e.StatusUpdate(agent="alpha", status=AgentStatus.COMPLETED)),
    )
    cells = told.lanes["alpha"].cells(0.0, 100.0, 10)
    waits, works, fails, done = Doing.WAITING, Doing.WORKING, Doing.FAILED, Doing.DONE
    assert [cell.doing for cell in cells] == [waits] * 2 + [works] * 4 + [fails] * 2 + [works, done]
    assert [at for at, cell in enumerate(cells) if cell.mark] == [0, 2, 6, 8, 9]


def test_a_request_is_a_wait_until_its_decision() -> None:
    told = chronicle(
        (0.0, started()),
        (30.0, asked()),
        (60.0, e.CoordinationResponse(request=1, decision="rejected")),
        (90.0, wrote("alpha")),
    )
    cells = told.lanes["alpha"].cells(0.0, 100.0, 10)
    assert [cell.doing is Doing.ASKING for cell in cells] == [False] * 3 + [True] * 3 + [False] * 4
    assert cells[3].mark is not None
    assert cells[3].mark.kind is Kind.REQUEST
    assert cells[6].mark is not None
    assert (cells[6].mark.kind, cells[6].mark.good, cells[6].mark.request) == (Kind.DECISION, False, 1)
    assert [cell.writes for cell in cells] == [0] * 9 + [1]


def test_a_write_that_was_seen_makes_nobody_wait() -> None:
    told = chronicle((0.0, started()), (30.0, asked(RequestKind.CROSSED)))
    assert not told.lanes["alpha"].waits


def test_the_most_telling_of_a_column_is_its_mark() -> None:
    told = chronicle(
        (10.0, e.TaskCompleted(agent="alpha", task="alpha-1")),
        (10.5, e.StatusUpdate(agent="alpha", status=AgentStatus.FAILED)),
        (11.0, e.TaskStarted(agent="alpha", task="alpha-1")),
    )
    (cell,) = told.lanes["alpha"].cells(10.0, 12.0, 1)
    assert cell.mark is not None
    assert cell.mark.kind is Kind.FAILURE
    (only,) = told.lanes["alpha"].cells(10.0, 12.0, 1, [Kind.TASK])
    assert only.mark is not None
    assert only.mark.seq == 3


def test_phases_come_first_and_others_who_write_have_a_lane() -> None:
    told = chronicle((1.0, e.PhaseStarted(phase="build")), (2.0, wrote("operator")), (3.0, wrote(None)))
    assert list(told.lanes) == [phase_lane("build"), "alpha", "operator"]
    assert len(told.moments) == 2, "what nobody did for certain is in no lane"


def test_a_clock_that_goes_back_breaks_no_order() -> None:
    told = chronicle((10.0, wrote("alpha")), (4.0, wrote("alpha")), (11.0, wrote("alpha")))
    assert [each.time for each in told.moments] == [10.0, 10.0, 11.0]


@given(
    st.lists(st.floats(0, 100), max_size=60).map(sorted),
    st.integers(1, 50),
    st.floats(0, 60),
    st.floats(1, 100),
)
def test_columns_hold_every_moment_of_the_window_once(
    times: list[float], width: int, start: float, length: float
) -> None:
    end = start + length
    found = list(columns(times, start, end, width))
    inside = [at for at, each in enumerate(times) if start <= each < end]
    assert [at for _, first, after in found for at in range(first, after)] == inside
    assert [column for column, _, _ in found] == sorted({column for column, _, _ in found})
    assert all(0 <= column < width for column, _, _ in found)


def test_a_hundred_thousand_events_cost_what_a_few_do() -> None:
    few = Chronicle(PLAN, [Moment(n, n / 10, "alpha", Kind.WRITE) for n in range(1, 1_000)])
    many = Chronicle(PLAN, [Moment(n, n / 1_000, "alpha", Kind.WRITE) for n in range(1, 100_000)])
    seconds = []
    for told in (few, many):
        runs = []
        for _ in range(20):
            began = time.process_time()
            cells = told.lanes["alpha"].cells(0.0, 100.0, 150)
            runs.append(time.process_time() - began)
        assert sum(cell.writes for cell in cells) == len(told.moments)
        seconds.append(min(runs))
    assert seconds[1] < 5 * seconds[0]


def test_zooming_keeps_the_cursor_where_it_is() -> None:
    window = Window(0.0, 1_000.0).zoomed(0.5, 250.0)
    assert (window.start, window.end) == (125.0, 625.0)
    assert not window.live
    back = window.zoomed(2.0, 250.0)
    assert (back.span, back.live) == (1_000.0, True)


def test_without_a_cursor_the_latest_stays_in_sight_and_goes_on() -> None:
    window = Window(0.0, 1_000.0).zoomed(0.5)
    assert (window.start, window.end, window.live) == (500.0, 1_000.0, True)
    later = Window(0.0, 1_200.0, window.length, window.until)
    assert (later.start, later.end) == (700.0, 1_200.0)


def test_moving_stops_at_both_ends() -> None:
    window = Window(0.0, 1_000.0).zoomed(0.25)
    assert window.moved(-100).start == 0.0
    assert not window.moved(-1).live
    assert window.moved(-1).moved(+100).live
    assert window.showing(10.0).holds(10.0)


def test_the_closest_look_has_an_end() -> None:
    window = Window(0.0, 1_000.0)
    for _ in range(30):
        window = window.zoomed(0.5, 500.0)
    assert window.span == SHORTEST
    assert window.holds(500.0)


@pytest.mark.parametrize("span", [0.0, 5.0, 400.0, 4_000.0, 4e6, 4e8])
def test_ticks_are_round_and_few(span: float) -> None:
    ticks = list(Window(1_000.0, 1_000.0 + span).ticks(8))
    assert 1 <= len(ticks) <= 9
    assert all(tick == int(tick) for tick in ticks)
