"""A log that forgot old changes of files tells the same state, and each file's end."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.core import events as e
from runebook_tui.core.fold import RECENT_TOUCHES, apply, fold
from runebook_tui.core.forgetting import FEWEST, Old
from runebook_tui.core.state import State
from runebook_tui.core.types import AgentSpec, Author, Change, ExecutionPlan, Phase, PlanInfo, Version
from runebook_tui.log.loading import forgotten_before, load
from runebook_tui.log.memory import MemoryLog

PLAN = ExecutionPlan(
    plan=PlanInfo(name="p"),
    phases=(Phase(id="a"),),
    agents=(AgentSpec(id="one", phase="a", command=("x",)),),
)
NOTHING = Version(kind="absent")
RECENT = 4
"""Changes that a trimming leaves at the end in these tests, so that few events suffice."""

STEP = st.one_of(
    st.tuples(st.just("write"), st.sampled_from("abc"), st.sampled_from(["", "one"])),
    st.tuples(st.just("remove"), st.sampled_from("abc"), st.sampled_from(["", "one"])),
    st.tuples(st.just("rename"), st.sampled_from("abc"), st.sampled_from(["", "one"])),
    st.tuples(st.just("run")),
    st.tuples(st.just("ready")),
    st.tuples(st.just("forget"), st.integers(1, 12), st.booleans()),
)


class Writing:
    """A log that is written, forgotten and folded as it is in an engine; and all that ever was in it."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.ever: list[e.Record] = []
        self.state = State()
        self.reached = 0
        self._now: dict[tuple[str, str], Version] = {}

    def change(self, lane: str, path: str, after: Version) -> None:
        before = self._now.get((lane, path), NOTHING)
        self._now[lane, path] = after
        change = Change(path=path, before=before, after=after)
        self.append(e.Touched(change=change, author=Author(name="one"), lane=lane))

    def append(self, event: e.Event) -> None:
        run = self.state.run + isinstance(event, e.RunStarted)
        seq = self.state.seq
        self.fold(self.log.append([event], run=run, actor="engine", expected=seq, time=float(seq)))

    def fold(self, records: Iterable[e.Record]) -> None:
        for record in records:
            self.ever.append(record)
            self.state = apply(self.state, record)

    def forget(self, window: int, gone: bool) -> None:
        """Forget as the engine does: the next changes that were not gone through, but never the newest."""
        left = self.log.read(after=self.reached, types=["Touched"])
        going = left[: min(window, max(0, len(left) - RECENT))]
        if not going:
            return
        before = going[-1].seq + 1
        absent = {r.seq for r in going if isinstance(r.event, e.Touched) and r.event.change.after == NOTHING}
        newest = {r.event.change.path + "/" + r.event.lane: r.seq for r in going if touch(r)}
        ends = frozenset(absent & set(newest.values())) if gone else frozenset()
        state = self.state
        old = Old(before, self.reached, ends)
        self.fold(
            self.log.forget(
                old, touches=state.touches, run=state.run, actor="engine", expected=state.seq, time=1.0
            )
        )
        self.reached = before - 1


def touch(record: e.Record) -> e.Touched | None:
    return record.event if isinstance(record.event, e.Touched) else None


def written(steps: Iterable[tuple[object, ...]]) -> Writing:
    writing = Writing()
    writing.append(e.RunStarted(plan=PLAN))
    for number, (kind, *what) in enumerate(steps):
        version = Version(kind="file", digest=str(number))
        match kind, what:
            case "write", [str(path), str(lane)]:
                writing.change(lane, path, version)
            case "remove", [str(path), str(lane)]:
                writing.change(lane, path, NOTHING)
            case "rename", [str(path), str(lane)]:
                writing.change(lane, path, NOTHING)
                writing.change(lane, path + "'", version)
            case "run", _:
                writing.append(e.RunStarted(plan=PLAN))
            case "forget", [int(window), bool(gone)]:
                writing.forget(window, gone)
            case _:
                writing.append(e.AgentReady(agent="one"))
    return writing


def stories(records: Iterable[e.Record]) -> dict[tuple[str, str], list[e.Record]]:
    found: dict[tuple[str, str], list[e.Record]] = {}
    for record in records:
        if (event := touch(record)) is not None:
            found.setdefault((event.lane, event.change.path), []).append(record)
    return found


def without_recent(state: State) -> State:
    """These tests leave fewer changes than the state remembers, which a real trimming never does."""
    return State(**{**state.__dict__, "recent_touches": ()})


@given(st.lists(STEP, max_size=60))
def test_the_state_is_the_same_with_and_without_what_was_forgotten(steps) -> None:
    writing = written(steps)
    kept = writing.log.read()
    assert without_recent(fold(kept)) == without_recent(writing.state) == without_recent(load(writing.log))
    assert fold(kept) == load(writing.log)
    assert fold(kept).recent_touches[-RECENT:] == writing.state.recent_touches[-RECENT:]


@given(st.lists(STEP, max_size=60))
def test_what_is_left_of_a_file_is_the_end_of_its_story(steps) -> None:
    writing = written(steps)
    bound = forgotten_before(writing.log)
    kept = writing.log.read()
    assert [r for r in kept if touch(r) is None] == [r for r in writing.ever if touch(r) is None]
    left = stories(kept)
    for name, whole in stories(writing.ever).items():
        ends = left.get(name, [])
        assert ends == whole[len(whole) - len(ends) :]
        assert [r for r in ends if r.seq >= bound] == [r for r in whole if r.seq >= bound]
        assert sum(r.seq < bound for r in ends) <= 1
        if len(ends) < len(whole) and all(r.seq >= bound for r in ends):
            # The one that went although it was the last was a removal: what begins here was born here.
            event = touch(whole[len(whole) - len(ends) - 1])
            assert event is not None
            assert event.change.after == NOTHING


@given(st.lists(STEP, max_size=60))
def test_the_newest_change_of_each_file_is_left_or_was_a_removal(steps) -> None:
    writing = written(steps)
    newest = {(r.event.lane, r.event.change.path): r for r in writing.ever if touch(r)}
    told = {(r.event.lane, r.event.change.path): r for r in writing.log.latest_touches()}
    assert all(newest[name] == record for name, record in told.items())
    for name in newest.keys() - told.keys():
        event = touch(newest[name])
        assert event is not None
        assert event.change.after == NOTHING


@given(st.lists(STEP, max_size=60))
def test_every_change_is_left_or_counted_as_forgotten(steps) -> None:
    writing = written(steps)
    ever: dict[int, int] = {}
    for record in writing.ever:
        if touch(record) is not None:
            ever[record.run] = ever.get(record.run, 0) + 1
    for record in writing.log.read(types=["TouchesForgotten", "Touched"]):
        forgotten = record.event.runs if isinstance(record.event, e.TouchesForgotten) else {record.run: 1}
        for run, count in forgotten.items():
            ever[run] -= count
    assert not any(ever.values())


def test_what_the_state_remembers_is_never_forgotten() -> None:
    assert FEWEST >= RECENT_TOUCHES
