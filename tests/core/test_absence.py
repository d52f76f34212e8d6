"""What happened while the operator was away, and since when that is."""

from __future__ import annotations

from core_play import Play, agent, plan

from runebook_tui.core import commands as c
from runebook_tui.core.absence import TYPES, Absence, lines, summary
from runebook_tui.core.fold import fold
from runebook_tui.core.messages import SendMessage
from runebook_tui.core.presence import SECONDS, Look
from runebook_tui.core.suggestions import DismissSuggestion, Suggest
from runebook_tui.core.types import OPERATOR, InterfaceStub


def begun() -> Play:
    interface = InterfaceStub(name="storage", owner="beta", path="beta/api")
    play = Play(plan(agent("alpha", tasks=["a-1"]), agent("beta"), interfaces=(interface,)))
    play.start("alpha", "beta")
    return play


def absence(play: Play, since: float) -> Absence:
    """As the command line tells it: only the records of some types are read."""
    records = [record for record in play.records if record.event.type in TYPES]
    return summary(records, since, play.state)


def test_what_happened_is_said_in_words() -> None:
    play = begun()
    play.write("beta/old", "alpha", pid=7)
    play.do(Look(leaves=True))
    since = play.now
    play.now += 600
    for path in ("alpha/x", "alpha/x", "alpha/y"):
        play.write(path, "alpha")
    play.write("beta/x", OPERATOR)
    play.maybe("alpha/z", "alpha", OPERATOR)
    play.now += 600
    play.do(c.Ask("alpha", ("beta/x",), "", None))
    play.do(c.Decide(2, "approved"))
    play.do(c.Hold("alpha", "beta/y", 8, "sed", "sed", until=play.now + 60))
    play.do(c.EndHold(3, "refused, because nobody answered within 60 s"))
    play.do(c.PublishApi("beta", "storage", "d1"))
    play.do(SendMessage("beta", (OPERATOR,), "look"))
    play.do(SendMessage("alpha", ("beta",), "not for you"))
    play.do(c.RecordAttempt("alpha", "approve 3", "only the operator may"))
    play.exit("beta", code=3)
    assert lines(absence(play, since)) == (
        "2 requests wait for you: 1, 3",
        "1 of them was refused meanwhile: 3",
        "beta has failed: exit 3",
        "published: storage v1",
        "2 requests were raised: 2, 3",
        "requests: 1 approved",
        "5 edits: alpha 3 in 2 files, you 1 in 1 file, nobody for certain 1 in 1 file",
        "1 message for you",
        "1 attempt was refused that only you may make",
    )


def test_gates_that_opened_and_how_the_run_ended() -> None:
    play = begun()
    play.exit("alpha")
    play.exit("beta")
    said = lines(absence(play, 0.0))
    assert said[0] == "the run completed"
    assert {"gates opened: build", "phases complete: build", "alpha is done", "beta is done"} <= set(said)


def test_what_is_decided_does_not_lapse_and_what_is_before_does_not_count() -> None:
    play = begun()
    play.do(c.Hold("alpha", "beta/y", 8, "sed", "sed", until=play.now + 60))
    play.do(c.EndHold(1, "refused, because nobody answered within 60 s"))
    assert absence(play, 0.0).lapsed == (1,)
    play.do(c.Decide(1, "rejected"))
    assert absence(play, 0.0).lapsed == ()
    assert absence(play, play.now) == Absence(since=play.now)
    assert absence(play, play.now).quiet


def test_what_was_suggested_is_counted_once_each_and_the_best_open_one_is_named() -> None:
    play = begun()
    play.do(Suggest("alpha", "fix", "known before", priority="high"))
    since = play.now
    for title, priority in (("first", "low"), ("second", "high"), ("first", "low"), ("third", "normal")):
        play.now += 60
        play.do(Suggest("alpha", "fix", title, priority=priority))
    found = absence(play, since)
    assert found.suggested == (2, 3, 4)
    assert lines(found) == ("3 suggestions, the best is 3: second",)
    play.do(DismissSuggestion(3, OPERATOR))
    assert lines(absence(play, since)) == ("3 suggestions, the best is 4: third",)
    for number in (2, 4):
        play.do(DismissSuggestion(number, OPERATOR))
    assert lines(absence(play, since)) == ("3 suggestions, none is open any more",)


def test_an_absence_begins_when_the_operator_leaves() -> None:
    play = begun()
    assert play.state.away_since is None
    play.do(Look())
    came = play.now
    assert (play.state.looked_at, play.state.away_since) == (came, None)
    play.now += 2 * SECONDS
    play.do(Look(leaves=True))
    left = play.now
    assert play.state.away_since == left
    play.now += 3600
    play.do(Look())
    # The screen that has just opened tells what happened since the operator left.
    assert (play.state.looked_at, play.state.away_since) == (play.now, left)
    assert fold(play.records) == play.state


def test_a_look_is_recorded_once_a_minute_at_most() -> None:
    play = begun()
    assert len(play.do(Look())) == 1
    play.now += SECONDS - 1
    assert play.do(Look(leaves=True)) == []
    play.now += 1
    assert len(play.do(Look(leaves=True))) == 1
    play.now -= 86_400  # the clock was put back
    assert len(play.do(Look())) == 1
