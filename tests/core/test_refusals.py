"""Every refusal says in one line what is wrong and, where it helps, what would be right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from core_play import Play, agent, plan

from runebook_tui.core import commands as c
from runebook_tui.core.contract import Clause
from runebook_tui.core.grants import Scope
from runebook_tui.core.rules import exit_words
from runebook_tui.core.types import OPERATOR, InterfaceStub


def _clause(text: str, *lines: str) -> Clause:
    return Clause(kind="text", wanted=text, lines=lines)


def begun() -> Play:
    """alpha (a1, a2; publishes "store") and beta (b1) run."""
    store = InterfaceStub(name="store", owner="alpha", path="alpha/api.py", must_contain=("def open",))
    play = Play(plan(agent("alpha", tasks=["a1", "a2"]), agent("beta", tasks=["b1"]), interfaces=(store,)))
    play.start("alpha", "beta")
    return play


def nothing(play: Play) -> None:
    """No preparation."""


def decided(play: Play) -> None:
    play.write("beta/x", "alpha")
    play.do(c.Decide(1, "rejected"))


def asked(play: Play) -> None:
    play.do(c.Ask("alpha", ("beta/x",), "please"))


def crossed(play: Play) -> None:
    play.write("beta/x", "alpha")


def unsure(play: Play) -> None:
    play.maybe("beta/x", "alpha", OPERATOR)


def over(play: Play) -> None:
    play.do(c.EndRun("stopped", "enough"))


def completed(play: Play) -> None:
    play.do(c.CompleteTask("alpha", "a1"))


def ended(play: Play) -> None:
    play.exit("beta")


REFUSALS: list[tuple[Callable[[Play], None], c.Command, str]] = [
    (nothing, c.StartRun(plan(agent("alpha"))), "a run of this plan is under way"),
    (nothing, c.MarkReady("alfa"), "the plan has no agent 'alfa'; did you mean 'alpha'?"),
    (nothing, c.MarkReady("zzz"), "the plan has no agent 'zzz'; it has: alpha, beta"),
    (nothing, c.ReportNet("gate", "zzz", True), "the plan has no agent 'zzz'"),
    (nothing, c.StartTask("alpha", "b1"), "task 'b1' is a task of beta; the tasks of alpha: a1, a2"),
    (nothing, c.CompleteTask("alpha", "b1"), "task 'b1' is a task of beta; the tasks of alpha: a1, a2"),
    (nothing, c.CompleteTask("beta", "a9"), "task 'a9' is not in the plan; the tasks of beta: b1"),
    (completed, c.StartTask("alpha", "a1"), "task a1 is completed already"),
    (completed, c.BlockTask("alpha", "a1", "why"), "task a1 is completed already"),
    (
        nothing,
        c.PublishApi("alpha", "stor", "d"),
        "the plan has no interface 'stor'; did you mean 'store'?",
    ),
    (nothing, c.PublishApi("beta", "store", "d"), "interface store is alpha's to publish, not beta's"),
    (nothing, c.PublishApi("alpha", "store", None), "interface store: there is no file alpha/api.py"),
    (
        nothing,
        c.PublishApi("alpha", "store", "d", (_clause("def open"), _clause("def shut"))),
        "interface store: alpha/api.py does not contain 'def open', 'def shut'",
    ),
    (
        nothing,
        c.Ask("alpha", ("beta/x", "runebook.toml"), "please"),
        "runebook.toml belongs to the operator and is never an agent's to write",
    ),
    (nothing, c.Decide(4, "approved"), "there is no request 4"),
    (decided, c.Decide(1, "approved"), "request 1 is rejected already"),
    (decided, c.Disown(1), "request 1 is rejected already"),
    (asked, c.Disown(1), "request 1 was asked: an agent made it, not you"),
    (crossed, c.Disown(1), "request 1: the write was alpha's for certain"),
    (
        unsure,
        c.Decide(1, "approved", Scope.PLAN),
        "request 1 has no certain author: it can be approved once only",
    ),
    (
        crossed,
        c.Decide(1, "approved", Scope.TASK),
        "alpha has no task in progress: approve once or until the plan ends",
    ),
    (over, c.RestartAgent("alpha"), "the run is over (stopped); start a new one"),
    (
        ended,
        c.RestartAgent("beta"),
        "beta is completed: only a failed or stopped agent restarts",
    ),
    (ended, c.StopAgent("beta", "enough"), "beta is not running"),
]


@pytest.mark.parametrize(("prepare", "command", "words"), REFUSALS, ids=lambda each: None)
def test_a_refusal_says_why(prepare: Callable[[Play], None], command: c.Command, words: str) -> None:
    play = begun()
    prepare(play)
    assert play.refused(command) == words


def test_what_is_so_already_is_no_refusal_and_no_event() -> None:
    play = begun()
    for command in (
        c.MarkReady("alpha"),
        c.StartTask("alpha", "a1"),
        c.CompleteTask("alpha", "a1"),
        c.PublishApi("alpha", "store", "digest"),
        c.ReportNet("gate", "alpha", True, "self-test passed"),
        c.ReportNet("gate", "alpha", False, "no kernel"),
        c.ReportNet("watch", None, False, "the root was replaced"),
        c.ReportNet("watch", None, True),
        c.ReportExited("beta", 0),
        c.EndRun("stopped", "enough"),
    ):
        assert play.do(command), command
        assert play.do(command) == [], command
    assert play.do(c.ChangePlan(play.state.plan)) == []
    assert Play().do(c.EndRun("stopped", "there is no run")) == []


def test_the_watch_is_blind_since_it_began_to_be() -> None:
    play = begun()
    play.do(c.ReportNet("watch", None, False, "inotify is full"))
    since = play.now
    play.now += 60
    play.do(c.ReportNet("watch", None, False))
    assert play.state.watch_blind == "for an unknown reason"
    assert play.state.watch_blind_since == since
    play.do(c.ReportNet("watch", None, True))
    assert (play.state.watch_blind, str(play.state.watch_blind_since)) == ("", "None")


@pytest.mark.parametrize(
    ("code", "signal", "words"),
    [
        (3, None, "exit 3"),
        (None, 9, "ended by signal 9 (SIGKILL)"),
        (None, 63, "ended by signal 63"),
        (None, 4000, "ended by signal 4000"),
        (None, None, "ended in an unknown way"),
    ],
)
def test_how_a_program_ended_is_told_in_words(code: int | None, signal: int | None, words: str) -> None:
    assert exit_words(code, signal) == words


def test_a_published_interface_that_changes_is_a_new_version() -> None:
    play = begun()
    play.do(c.PublishApi("alpha", "store", "one"))
    play.do(c.PublishApi("alpha", "store", "two"))
    published = play.state.apis.get("store")
    assert published is not None
    assert (published.version, published.digest, published.path) == (2, "two", "alpha/api.py")
