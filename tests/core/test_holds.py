"""Writes that the gate stopped: the requests they make, who may go on, and what becomes of the wait."""

from __future__ import annotations

import pytest
from core_play import Play, agent, plan, touch

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.boundary import may_write
from runebook_tui.core.grants import JOIN_SECONDS, Scope, covering
from runebook_tui.core.ownership import Verdict
from runebook_tui.core.types import Author, RequestKind
from runebook_tui.core.undos import may_undo


@pytest.fixture
def play() -> Play:
    run = Play(plan(agent("alpha", tasks=["a1"]), agent("beta"), agent("gamma")))
    run.start("alpha", "beta", "gamma")
    return run


def hold(path: str, *, pid: int = 7, seconds: float | None = 120.0, name: str = "alpha") -> c.Hold:
    until = None if seconds is None else 1_000_000.0 + seconds
    return c.Hold(name, path, pid, "sed", f"sed (pid {pid}), which would open {path} for writing", until)


def may(play: Play, path: str, pid: int) -> bool:
    """Whether the gate would let a further call of alpha's process pass."""
    owner = path.split("/")[0]
    return covering(play.state.grants.values(), "alpha", path, owner, pid, play.now) is not None


def test_a_stopped_write_is_a_request_that_says_until_when_it_waits(play: Play) -> None:
    happened = play.do(hold("beta/x"))
    assert [event.type for event in happened] == ["CoordinationRequest", "HoldStarted"]
    (request,) = play.state.open_requests
    assert (request.kind, request.requester, request.paths) == (RequestKind.HELD, "alpha", ("beta/x",))
    assert (request.held_until, request.pid, request.owners) == (1_000_120.0, 7, ("beta",))
    assert request.evidence == "the kernel gate stopped sed (pid 7), which would open beta/x for writing"


def test_a_write_that_is_refused_at_once_leaves_its_request_open(play: Play) -> None:
    happened = play.do(hold("beta/x", seconds=None))
    assert [event.type for event in happened] == ["CoordinationRequest", "HoldEnded"]
    (request,) = play.state.open_requests
    assert (request.held_until, request.hold_over) == (None, "it was refused at once")


@pytest.mark.parametrize(
    ("then", "joins"),
    [
        (hold("beta/x", pid=9), True),
        (hold("gamma/y", pid=7), True),
        (hold("beta/y", pid=9), True),
        (hold("gamma/y", pid=9), False),
        (hold("beta/y", pid=9, name="gamma"), False),
    ],
)
def test_what_belongs_together_is_one_request(play: Play, then: c.Hold, joins: bool) -> None:
    play.do(hold("beta/x", pid=7))
    play.now += 60
    play.do(then)
    assert (len(play.state.open_requests) == 1) is joins


def test_a_later_try_joins_the_open_request_by_its_path_alone(play: Play) -> None:
    play.do(hold("beta/x"))
    play.do(c.EndHold(1, "refused after 120 s"))
    play.now += 600
    play.do(hold("beta/x", pid=9))
    play.do(hold("beta/y", pid=11, name="alpha"))
    assert [request.paths for request in play.state.open_requests] == [("beta/x", "beta/y")]
    play.do(c.EndHold(1, "refused after 120 s"))
    play.now += JOIN_SECONDS + 600
    play.do(hold("beta/z", pid=9))
    assert len(play.state.open_requests) == 2


def test_approved_once_while_it_waits_is_for_that_process_alone(play: Play) -> None:
    play.do(hold("beta/x", pid=7))
    play.do(c.Decide(1, "approved"))
    assert play.state.requests[1].held_until is None
    assert may(play, "beta/x", 7)
    assert not may(play, "beta/x", 8)
    assert may(play, "beta/y", 7), "one key for what one process does to one owner's files"
    assert not may(play, "gamma/y", 7)
    play.now += JOIN_SECONDS + 0.1
    assert not may(play, "beta/y", 7), "but not an hour later"


def test_approved_after_the_write_was_refused_is_for_the_next_try(play: Play) -> None:
    play.do(hold("beta/x", pid=7))
    play.do(c.EndHold(1, "refused after 120 s"))
    play.do(c.Decide(1, "approved"))
    play.now += 600
    assert may(play, "beta/x", 8)
    assert not may(play, "beta/y", 8)


def test_what_passed_under_an_approval_is_no_crossing_and_uses_it(play: Play) -> None:
    play.do(hold("beta/x", pid=7))
    play.do(c.Decide(1, "approved"))
    play.now += 30
    author = Author(name="alpha", evidence="seen", pid=7, under=1)
    happened = play.do(c.Observe((touch("beta/x", author), touch("beta/deep/y", author))))
    kinds = [event.type for event in happened]
    assert kinds == ["Touched", "GrantUsed", "Touched", "GrantUsed", "RequestGrew"]
    assert play.state.open_requests == ()
    assert may_undo(play.state.requests[1]), "approving is one key because undoing it is one"
    later = play.do(c.Observe((touch("beta/x", author),)))
    assert [event.type for event in later] == ["Touched", "RequestGrew"]


def test_a_write_that_was_approved_once_does_not_pass_again_later(play: Play) -> None:
    play.do(hold("beta/x", pid=7))
    play.do(c.Decide(1, "approved"))
    author = Author(name="alpha", evidence="seen", pid=7)
    play.do(c.Observe((touch("beta/x", author),)))
    assert may(play, "beta/x", 7)  # the same act goes on
    play.now += 3
    assert not may(play, "beta/x", 7)
    play.do(c.Observe((touch("beta/x", author),)))  # seen late, begun in time
    assert play.state.open_requests == ()


def test_until_the_plan_ends_is_for_the_path_and_any_process(play: Play) -> None:
    play.do(hold("beta/x", pid=7))
    play.do(c.Decide(1, "approved", Scope.PLAN))
    play.now += 9999
    assert may(play, "beta/x", 99)
    assert not may(play, "beta/y", 7)
    assert may_write(play.state, "alpha", "beta/x", play.now, pid=5) is Verdict.GRANTED


def test_what_nobody_wants_any_more_is_withdrawn(play: Play) -> None:
    play.do(hold("beta/x"))
    play.do(c.EndHold(1, "its process has ended", gone=True))
    assert (play.state.requests[1].status, play.state.requests[1].held_until) == ("withdrawn", None)
    assert play.do(c.EndHold(1, "again")) == []


def test_a_decided_request_is_not_held_any_more(play: Play) -> None:
    play.do(hold("beta/x"))
    play.do(c.Decide(1, "rejected", reason="not now"))
    assert play.do(c.EndHold(1, "late")) == []
    assert [type(event) for event in play.do(hold("beta/x"))][0] is e.CoordinationRequest


def test_the_wait_is_counted_from_the_first_of_the_writes_that_wait(play: Play) -> None:
    play.do(hold("beta/x", pid=7))
    play.now += 30
    play.do(hold("beta/x", pid=9))
    assert (play.state.requests[1].held_since, play.state.requests[1].pid) == (1_000_000.0, 9)
    play.do(c.EndHold(1, "refused"))
    play.now += 30
    play.do(hold("beta/x", pid=11))
    assert play.state.requests[1].held_since == 1_000_060.0


def test_what_would_take_the_place_of_a_path_is_kept(play: Play) -> None:
    play.do(c.Hold("alpha", "beta/x", 7, "mv", "mv", 1_000_120.0, source="alpha/x"))
    assert play.state.requests[1].crossings["beta/x"].source == "alpha/x"
