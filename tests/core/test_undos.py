"""What may be undone, and what the state knows of it afterwards."""

from __future__ import annotations

import pytest
from core_play import Play, agent, plan, version

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.sentences import sentence
from runebook_tui.core.types import OPERATOR, Change
from runebook_tui.core.undos import left_to_undo, why_not_restored, why_not_undone


def back(path: str) -> Change:
    return Change(path=path, before=version("x"), after=version("before"))


@pytest.fixture
def play() -> Play:
    """Alpha has written two of beta's files in one process; the request is rejected."""
    made = Play(plan(agent("alpha"), agent("beta")))
    made.start("alpha", "beta")
    made.write("beta/x", "alpha", pid=7)
    made.write("beta/y", "alpha", pid=7)
    made.do(c.Decide(1, "rejected"))
    return made


def test_an_undo_is_the_operators_touch_and_raises_no_request(play: Play) -> None:
    happened = play.do(c.RecordUndo("u1", 1, (back("beta/x"),), "p"))
    assert [type(event) for event in happened] == [e.Touched, e.ChangeUndone]
    touched = happened[0]
    assert isinstance(touched, e.Touched)
    assert (touched.author.name, touched.author.evidence) == (OPERATOR, "undo of request 1")
    assert len(play.state.requests) == 1
    assert dict(play.state.requests[1].undone) == {"beta/x": "u1"}
    assert left_to_undo(play.state.requests[1]) == ("beta/y",)


def test_some_paths_undone_and_some_refused(play: Play) -> None:
    refused = {"beta/y": "others went on"}
    play.do(c.RecordUndo("u1", 1, (back("beta/x"),), "p", refused=refused, refused_patch="q"))
    undo = play.state.undos["u1"]
    assert (undo.status, dict(undo.refused), undo.patch, undo.refused_patch) == (
        "undone in part",
        refused,
        "p",
        "q",
    )
    assert dict(play.state.requests[1].undo_refused) == refused
    assert why_not_undone(play.state, 1) == "", "what was refused may be tried again"
    play.do(c.RecordUndo("u2", 1, (back("beta/y"),), "p"))
    assert not play.state.requests[1].undo_refused
    assert why_not_undone(play.state, 1) == "request 1 is undone already (u1, u2)"


def test_nothing_undone_is_a_refusal_alone(play: Play) -> None:
    happened = play.do(c.RecordUndo("u1", 1, (), "", refused={"beta/x": "no"}))
    assert [type(event) for event in happened] == [e.UndoRefused]
    assert play.state.undos["u1"].status == "refused"
    assert why_not_restored(play.state, "u1") == "undo u1 removed nothing"


def test_restored_is_as_before_and_may_be_undone_again(play: Play) -> None:
    gone = Change(path="beta/y", before=version("b"), after=version("b"))
    play.do(c.RecordUndo("u1", 1, (back("beta/x"),), "p", gone=(gone,)))
    assert tuple(play.state.undos["u1"].left) == ("beta/x",), "nothing was removed from the other"
    again = Change(path="beta/x", before=version("before"), after=version("x"))
    play.do(c.RecordRestore("u1", (again,)))
    assert play.state.undos["u1"].status == "restored"
    assert why_not_restored(play.state, "u1") == "undo u1 is restored already"
    assert dict(play.state.requests[1].undone) == {"beta/y": "u1"}
    assert why_not_undone(play.state, 1) == ""
    assert play.do(c.RecordRestore("u1", ())) == []


def test_an_undo_outlives_its_run(play: Play) -> None:
    play.do(c.RecordUndo("u1", 1, (back("beta/x"),), "p"))
    play.do(c.EndRun("stopped", "over"))
    play.do(c.StartRun(play.state.plan))
    assert why_not_restored(play.state, "u1") == ""


def test_what_may_not_be_undone_is_said_in_words(play: Play) -> None:
    assert why_not_undone(play.state, 9) == "there is no request 9"
    assert why_not_restored(play.state, "u9") == "there is no undo u9"
    play.do(c.Ask("alpha", ("beta/z",), "please"))
    assert "request 2 was asked: nothing was written" in why_not_undone(play.state, 2, rejecting=True)
    play.now += 10
    play.maybe("beta/z", "alpha", OPERATOR)
    assert "is open" in why_not_undone(play.state, 3)
    assert why_not_undone(play.state, 3, rejecting=True) == ""
    play.do(c.Disown(3))
    assert "that was me" in why_not_undone(play.state, 3)


def test_the_log_tells_it_in_sentences(play: Play) -> None:
    play.do(c.RecordUndo("u1", 1, (back("beta/x"),), "p", refused={"beta/y": "others went on"}))
    play.do(c.RecordRestore("u1", (back("beta/x"),)))
    told = [sentence(record) for record in play.records]
    assert "request 1 was undone as u1: beta/x" in told
    assert "request 1 was not undone: beta/y: others went on" in told
    assert told[-1] == "undo u1 was restored: beta/x"
