"""Loading a log gives the very state that folding all of it gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.core import events as e
from runebook_tui.core.fold import RECENT_TOUCHES, fold
from runebook_tui.core.state import State
from runebook_tui.core.types import AgentSpec, Author, Change, ExecutionPlan, Phase, PlanInfo, Version
from runebook_tui.log.loading import load
from runebook_tui.log.memory import MemoryLog
from runebook_tui.log.sqlite import SqliteLog

PLAN = ExecutionPlan(
    plan=PlanInfo(name="p"),
    phases=(Phase(id="a"),),
    agents=(AgentSpec(id="one", phase="a", command=("x",)),),
)
HERE = Version(kind="file")


def touched(number: int) -> e.Touched:
    return e.Touched(change=Change(path=f"{number}", before=HERE, after=HERE), author=Author(name="one"))


EVENTS = st.lists(
    st.one_of(
        st.integers(0, 9).map(touched),
        st.just(e.RunStarted(plan=PLAN)),
        st.just(e.AgentReady(agent="one")),
        st.just(e.EngineStarted(pid=1, host="h")),
    ),
    max_size=30,
)


@given(EVENTS)
def test_loading_is_folding(events: list[e.Event]) -> None:
    log = MemoryLog()
    run = 0
    for seq, event in enumerate(events):
        run += isinstance(event, e.RunStarted)
        log.append([event], run=run, actor="engine", expected=seq, time=float(seq))
    assert load(log) == fold(log.read())


def test_more_touches_than_are_remembered(tmp_path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite")
    events = [e.RunStarted(plan=PLAN), *(touched(number) for number in range(RECENT_TOUCHES * 3))]
    log.append(events, run=1, actor="engine", expected=0, time=1.0)
    log.append([e.AgentReady(agent="one")], run=1, actor="one", expected=len(events), time=2.0)
    state = load(log)
    assert state == fold(log.read())
    assert (state.touches, len(state.recent_touches)) == (RECENT_TOUCHES * 3, RECENT_TOUCHES)
    log.close()


@pytest.mark.parametrize(
    "make", [lambda folder: MemoryLog(), lambda folder: SqliteLog(folder / "log.sqlite")]
)
def test_the_newest_touch_of_each_path(tmp_path, make) -> None:
    log = make(tmp_path)
    events = [touched(1), touched(2), e.AgentReady(agent="one"), touched(1), touched(3)]
    log.append(events, run=1, actor="engine", expected=0, time=1.0)
    assert [(r.seq, r.event.change.path) for r in log.latest_touches()] == [(2, "2"), (4, "1"), (5, "3")]
    log.close()


def test_an_empty_log() -> None:
    assert load(MemoryLog()) == State()
