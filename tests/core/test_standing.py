"""What an agent does is said by one authority, and the most certain one that knows it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_play import Play, agent, plan

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.activity import Activity
from runebook_tui.core.authority import standing
from runebook_tui.core.fold import fold
from runebook_tui.core.needs import counts, needs
from runebook_tui.core.observed import MOST_LINE, Reading, ReportObserved
from runebook_tui.core.refusal import Refusal
from runebook_tui.core.snoozing import SECONDS, Snooze, is_snoozed
from runebook_tui.core.standing import CALLS, Source, Standing, Word, explained
from runebook_tui.core.types import AgentSpec, AgentStatus, Phase

DIALOG = Reading(Word.WAITING, "aider: confirm", "Allow edits? (Y)es/(N)o [Yes]:")


def client(name: str, **more: object) -> AgentSpec:
    """An agent that a client for people plays."""
    spec = agent(name, tasks=(f"{name}-1",))
    return spec.model_copy(update={"command": None, "client": "aider", **more})


@pytest.fixture
def play() -> Play:
    """alpha is a client, beta a plain program; both run."""
    play = Play(plan(client("alpha"), agent("beta", tasks=("beta-1",))))
    started(play, "alpha", "beta")
    return play


def started(play: Play, *names: str) -> None:
    for at, name in enumerate(names):
        play.now += 1
        play.do(c.ReportStarted(name, f"%{at}", 100 + at))


def stands(play: Play, name: str = "alpha") -> Standing:
    return standing(play.state, play.state.agents[name])


def say(play: Play, activity: Activity, about: str = "") -> None:
    play.now += 1
    play.do(c.ReportActivity("alpha", "Aider", activity, about))


def see(play: Play, reading: Reading) -> None:
    play.now += 1
    play.do(ReportObserved("alpha", reading))


def test_a_client_of_which_nobody_says_anything_is_unknown(play: Play) -> None:
    assert stands(play).word is Word.UNKNOWN


def test_a_plain_program_works_as_long_as_it_runs(play: Play) -> None:
    assert (stands(play, "beta").word, stands(play, "beta").source) == (Word.WORKING, Source.PROCESS)


@pytest.mark.parametrize(
    ("activity", "word"),
    [
        (Activity.WORKING, Word.WORKING),
        (Activity.WAITING, Word.WAITING),
        (Activity.IDLE, Word.IDLE),
        (Activity.LIMITED, Word.LIMITED),
    ],
)
def test_the_hook_of_its_client_is_believed(play: Play, activity: Activity, word: Word) -> None:
    say(play, activity, "may Bash run?")
    assert (stands(play).word, stands(play).source, stands(play).line) == (word, Source.HOOK, "may Bash run?")
    assert stands(play).since == play.now


def test_a_client_whose_session_has_ended_is_unknown(play: Play) -> None:
    say(play, Activity.DONE, "logout")
    assert (stands(play).word, stands(play).source) == (Word.UNKNOWN, Source.HOOK)


def test_the_hook_is_believed_over_the_pane(play: Play) -> None:
    say(play, Activity.WORKING)
    see(play, DIALOG)
    assert (stands(play).word, stands(play).source) == (Word.WORKING, Source.HOOK)


def test_of_what_the_hook_never_tells_a_newer_look_at_the_pane_counts(play: Play) -> None:
    limit = Reading(Word.LIMITED, "codex: limit", "You've hit your usage limit.", unhooked=True)
    say(play, Activity.WORKING)
    see(play, limit)
    assert (stands(play).word, stands(play).rule) == (Word.LIMITED, "codex: limit")
    say(play, Activity.IDLE)
    assert (stands(play).word, stands(play).source) == (Word.IDLE, Source.HOOK)


@pytest.mark.parametrize("word", [Word.IDLE, Word.WORKING])
def test_a_question_is_over_when_the_pane_says_so_after_it(play: Play, word: Word) -> None:
    """Gemini CLI and Qwen Code run no hook after a no that was typed into their dialog."""
    see(play, Reading(word, "gemini: prompt", ">   Type your message"))
    say(play, Activity.WAITING)
    assert stands(play).word is Word.WAITING, "the pane has said nothing since"
    see(play, DIALOG)
    assert stands(play).word is Word.WAITING
    see(play, Reading(word, "gemini: prompt", ">   Type your message"))
    assert (stands(play).word, stands(play).source) == (word, Source.PANE)
    say(play, Activity.WAITING, "another one?")
    assert (stands(play).word, stands(play).source) == (Word.WAITING, Source.HOOK)


def test_what_the_hook_said_before_the_agent_was_started_again_is_not_believed(play: Play) -> None:
    say(play, Activity.IDLE)
    see(play, DIALOG)
    play.do(c.ReportExited("alpha", 1))
    play.do(c.RestartAgent("alpha"))
    started(play, "alpha")
    assert stands(play).word is Word.UNKNOWN


def test_without_a_hook_the_pane_is_believed_where_a_rule_knows_it(play: Play) -> None:
    see(play, DIALOG)
    assert stands(play) == Standing(Word.WAITING, Source.PANE, DIALOG.rule, DIALOG.line, play.now)
    see(play, Reading())
    assert stands(play).word is Word.UNKNOWN


def test_a_request_is_certain(play: Play) -> None:
    say(play, Activity.WORKING)
    play.now += 1
    play.do(c.Ask("alpha", ("beta/x",), "please"))
    found = stands(play)
    assert (found.word, found.source, found.request) == (Word.BLOCKED, Source.REQUEST, 1)
    play.do(c.Decide(1, "approved"))
    assert stands(play).word is Word.WORKING


def test_a_write_that_waits_is_the_gates_word(play: Play) -> None:
    play.do(c.Hold("beta", "alpha/x", 7, "sed", "sed would open it for writing", play.now + 60))
    assert (stands(play, "beta").word, stands(play, "beta").source) == (Word.BLOCKED, Source.GATE)


def test_how_its_process_ended_is_certain(play: Play) -> None:
    say(play, Activity.WORKING)
    play.do(c.ReportExited("alpha", 3))
    assert (stands(play).word, stands(play).source) == (Word.FAILED, Source.PROCESS)
    assert "3" in stands(play).line
    play.do(c.ReportExited("beta", 0))
    assert (stands(play, "beta").word, stands(play, "beta").line) == (Word.DONE, "exit 0")


def test_an_agent_that_lost_its_pane_is_lost(play: Play) -> None:
    play.do(c.ReportExited("alpha", reason="its pane is gone", lost=True))
    assert stands(play).word is Word.LOST


def test_before_it_starts_the_plan_says_what_it_waits_for() -> None:
    later = agent("late", phase="late")
    play = Play(plan(agent("alpha"), later, phases=(Phase(id="build"), Phase(id="late", after=("build",)))))
    found = stands(play, "late")
    assert (found.word, found.source) == (Word.PENDING, Source.PLAN)
    assert found.line == "phase late"
    assert stands(play).word is Word.STARTING


def test_the_last_three_changes_are_remembered_with_their_times(play: Play) -> None:
    for activity in (Activity.IDLE, Activity.WORKING, Activity.WAITING, Activity.WORKING, Activity.IDLE):
        say(play, activity)
    words = [each.word for each in play.state.agents["alpha"].standings]
    assert words == [Word.WORKING, Word.WAITING, Word.WORKING, Word.IDLE]
    times = [each.since for each in play.state.agents["alpha"].standings]
    assert times == [play.now - 3, play.now - 2, play.now - 1, play.now]


def test_another_question_is_another_call_and_the_same_is_none(play: Play) -> None:
    see(play, DIALOG)
    before = len(play.records)
    see(play, DIALOG)
    assert len(play.records) == before
    see(play, Reading(Word.WAITING, DIALOG.rule, "Run shell command? (Y)es/(N)o [Yes]:"))
    assert [each.line[:5] for each in play.state.agents["alpha"].standings[-2:]] == ["Allow", "Run s"]


def test_a_number_that_counts_on_is_no_news(play: Play) -> None:
    see(play, Reading(Word.LIMITED, "general: limit", "Retrying in 12 s"))
    before = len(play.records)
    see(play, Reading(Word.LIMITED, "general: limit", "Retrying in 9 s"))
    assert len(play.records) == before


def test_a_line_is_bounded_however_long_the_pane_is(play: Play) -> None:
    see(play, Reading(Word.WAITING, "r", "x" * 10_000))
    assert len(stands(play).line) == MOST_LINE


def test_requests_come_first_then_who_waits_then_who_failed_then_who_is_idle() -> None:
    names = ("alpha", "beta", "gamma", "delta")
    play = Play(plan(*(client(name) for name in names)))
    started(play, *names)
    play.do(c.ReportActivity("alpha", "Aider", Activity.IDLE))
    play.do(c.ReportExited("beta", 1))
    play.do(c.ReportActivity("gamma", "Aider", Activity.WAITING, "may it?"))
    play.do(c.Ask("delta", ("alpha/x",), "please"))
    found = [need.request or need.agent for need in needs(play.state, play.now)]
    assert found == [1, "gamma", "beta", "alpha"]
    assert counts(play.state, play.now) == {"waiting for you": 1, "blocked": 1, "idle": 1, "failed": 1}


def test_a_call_that_is_put_off_is_not_counted_until_its_time_is_over(play: Play) -> None:
    say(play, Activity.IDLE)
    play.do(Snooze("alpha"))
    assert needs(play.state, play.now) == ()
    assert counts(play.state, play.now)["snoozed"] == 1
    late = play.now + SECONDS
    assert [need.agent for need in needs(play.state, late)] == ["alpha"]


def test_a_call_is_heard_again_by_the_same_key_and_by_a_change(play: Play) -> None:
    say(play, Activity.IDLE)
    play.do(Snooze("alpha"))
    play.do(Snooze("alpha"))
    assert not is_snoozed(play.state.agents["alpha"], play.now)
    play.do(Snooze("alpha"))
    say(play, Activity.WAITING, "may Bash run?")
    assert [need.agent for need in needs(play.state, play.now)] == ["alpha"]


def test_who_does_not_call_cannot_be_put_off(play: Play) -> None:
    say(play, Activity.WORKING)
    refused = play.attempt(Snooze("alpha"))
    assert isinstance(refused, Refusal)
    assert "alpha does not call for you" in str(refused)


def test_a_log_from_before_opens_and_tells_the_same(play: Play) -> None:
    say(play, Activity.WAITING, "may it?")
    assert fold(play.records) == play.state
    old = [each for each in play.records if not isinstance(each.event, e.AgentObserved | e.Snoozed)]
    assert fold(old).agents["alpha"].status is AgentStatus.RUNNING


def test_every_word_is_explained_and_counted() -> None:
    for word in Word:
        said = explained(Standing(word, Source.PANE, "a rule", "a line"))
        assert "a rule" in said
    assert set(CALLS) < set(Word)


def test_what_moves_while_it_works_is_no_change(play: Play) -> None:
    see(play, Reading(Word.WORKING, "opencode: at work", "⬝⬝⬝■ esc interrupt"))
    told = len(play.records)
    see(play, Reading(Word.WORKING, "opencode: at work", "■⬝⬝⬝ esc interrupt"))
    assert len(play.records) == told
    see(play, DIALOG)
    see(play, replace(DIALOG, line="Run shell command? (Y)es/(N)o [Yes]:"))
    assert len(play.records) == told + 2
