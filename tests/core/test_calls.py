"""The operator is told once of each change, and not of what is on the screen."""

from __future__ import annotations

import pytest
from core_play import Play, agent, plan

from runebook_tui.core import commands as c
from runebook_tui.core.activity import Activity
from runebook_tui.core.calls import MOST_CHARACTERS, SETTLE_SECONDS, Call, Herald, calls, together
from runebook_tui.core.observed import Reading, ReportObserved
from runebook_tui.core.snoozing import Snooze
from runebook_tui.core.standing import Word


@pytest.fixture
def play() -> Play:
    play = Play(plan(agent("alpha"), agent("beta")))
    for name in ("alpha", "beta"):
        play.do(c.ReportStarted(name, "%1", 7))
    return play


class Listener:
    """A herald that listens to a run, with a screen that shows what `seen` names."""

    def __init__(self, play: Play) -> None:
        self.play, self.herald, self.seen = play, Herald(calls(play.state, play.now)), False

    def hear(self, seconds: float = 0.0, quiet: float = 0.0) -> list[str]:
        self.play.now += seconds
        found = calls(self.play.state, self.play.now)
        return [call.words for call in self.herald.hear(found, self.play.now, lambda _: self.seen, quiet)]


def wait(play: Play, about: str = "may Bash run?") -> None:
    play.do(c.ReportActivity("alpha", "Claude Code", Activity.WAITING, about))


def test_a_change_is_told_once_when_it_has_lasted(play: Play) -> None:
    listener = Listener(play)
    wait(play)
    assert listener.hear() == []
    assert listener.herald.pending
    assert listener.hear(SETTLE_SECONDS) == ["alpha is waiting for you: may Bash run?"]
    assert listener.hear(60) == []
    assert not listener.herald.pending


def test_what_is_over_before_is_not_told(play: Play) -> None:
    listener = Listener(play)
    play.do(c.ReportActivity("alpha", "Claude Code", Activity.IDLE))
    assert listener.hear(1) == []
    play.do(c.ReportActivity("alpha", "Claude Code", Activity.WORKING))
    assert listener.hear(SETTLE_SECONDS) == []


def test_another_question_is_told_again(play: Play) -> None:
    listener = Listener(play)
    for about in ("may Bash run?", "may Edit run?"):
        play.now += 1
        wait(play, about)
        listener.hear()
        assert listener.hear(SETTLE_SECONDS) == [f"alpha is waiting for you: {about}"]


def test_what_is_seen_is_not_told_and_not_afterwards_either(play: Play) -> None:
    listener = Listener(play)
    listener.seen = True
    wait(play)
    listener.hear()
    assert listener.hear(SETTLE_SECONDS) == []
    listener.seen = False
    assert listener.hear(60) == []


def test_what_waited_at_the_start_is_no_news(play: Play) -> None:
    wait(play)
    assert Listener(play).hear(SETTLE_SECONDS) == []


def test_after_a_call_it_is_quiet_and_then_the_rest_comes_in_one(play: Play) -> None:
    listener = Listener(play)
    wait(play)
    listener.hear()
    assert len(listener.hear(SETTLE_SECONDS, quiet=30)) == 1
    play.do(c.Ask("alpha", ("beta/x",), "please"))
    play.do(c.ReportExited("beta", 3))
    assert listener.hear(SETTLE_SECONDS, quiet=30) == []
    assert listener.herald.pending
    assert listener.hear(30, quiet=30) == ["request 1: alpha asks to write beta/x", "beta has failed: exit 3"]


def test_a_call_that_is_put_off_is_not_told(play: Play) -> None:
    listener = Listener(play)
    wait(play)
    play.do(Snooze("alpha"))
    listener.hear()
    assert listener.hear(SETTLE_SECONDS) == []


def test_the_end_of_the_run_is_told_and_nothing_else_then(play: Play) -> None:
    listener = Listener(play)
    wait(play)
    play.do(c.EndRun("failed", "no way on"))
    listener.hear()
    assert listener.hear(SETTLE_SECONDS) == ["the run failed"]


def test_the_words_are_one_bounded_line_whatever_a_pane_says(play: Play) -> None:
    play.do(ReportObserved("alpha", Reading(Word.WAITING, "r", "\x1b]0;x\x07\n" + "y" * 9000)))
    (call,) = calls(play.state, play.now)
    assert call.words.isprintable()
    assert len(call.words) <= MOST_CHARACTERS + 1


def test_many_calls_are_one_line() -> None:
    found = [Call(("agent", name, 0.0), f"{name} is idle") for name in "abcde"]
    assert together(found) == "a is idle; b is idle; c is idle; and 2 more"
