"""What the engine tells agents by itself: decisions, and requests that the plan lets owners review."""

from __future__ import annotations

from core_play import Play, agent, plan, touch, version

from runebook_tui.core import commands as c
from runebook_tui.core.grants import Scope
from runebook_tui.core.messages import unread
from runebook_tui.core.reviews import AGAIN_SECONDS, Recommend, words
from runebook_tui.core.types import ENGINE, OPERATOR, Author, Change, Crossing, PathPolicy, Policy


def begun(**policy: object) -> Play:
    agents = (agent("alpha", tasks=["a-1"]), agent("beta"), agent("gamma"))
    play = Play(plan(*agents, policy=Policy.model_validate(policy)))
    play.start("alpha", "beta", "gamma")
    return play


def told(play: Play, reader: str) -> list[str]:
    """What a reader has not read, all of it from the engine."""
    found = unread(play.state, reader)
    assert all(each.sender == ENGINE and each.to == (reader,) for each in found)
    return [each.text for each in found]


def test_a_decision_is_told_to_the_requester_and_the_owner() -> None:
    play = begun()
    play.do(c.Ask("alpha", ("beta/x", "beta/y"), "need it", None))
    assert told(play, "beta") == []
    play.do(c.Decide(1, "approved", Scope.PLAN, "fine\x1b"))
    assert told(play, "alpha") == ["request 1 (beta/x and 1 more) was approved until the plan ends: fine␛"]
    assert told(play, "beta") == [
        "request 1 of alpha (beta/x and 1 more, yours) was approved until the plan ends: fine␛"
    ]
    assert told(play, "gamma") == []
    assert [each.request for each in play.state.messages] == [1, 1]


def test_a_rejection_of_what_was_written_is_told_to_both() -> None:
    play = begun()
    play.write("beta/x", "alpha", pid=7)
    play.do(c.Decide(1, "rejected", reason="not now"))
    assert told(play, "alpha") == ["request 1 (beta/x) was rejected: not now"]
    assert told(play, "beta") == ["request 1 of alpha (beta/x, yours) was rejected: not now"]


def test_who_waits_for_the_answer_is_not_told_it_twice() -> None:
    play = begun()
    play.do(c.Hold("alpha", "beta/x", 7, "sed", "sed", until=play.now + 60))
    play.do(c.Decide(1, "approved"))
    assert told(play, "alpha") == []
    assert told(play, "beta") == ["request 1 of alpha (beta/x, yours) was approved once"]


def test_who_has_ceased_to_wait_is_told() -> None:
    play = begun()
    play.do(c.Hold("alpha", "beta/x", 7, "sed", "sed", until=play.now + 60))
    play.do(c.EndHold(1, "refused, because nobody answered within 60 s"))
    play.do(c.Decide(1, "approved"))
    assert told(play, "alpha") == ["request 1 (beta/x) was approved once"]


def test_candidates_and_agents_that_are_done_are_told_nothing() -> None:
    play = begun()
    play.maybe("beta/x", "alpha", OPERATOR)
    play.exit("beta")
    play.do(c.Decide(1, "rejected"))
    assert play.state.messages == ()


def test_a_withdrawal_is_told_to_who_asked_and_to_who_was_asked() -> None:
    play = begun(review="owner")
    play.do(c.Ask("alpha", ("beta/x",), "", None))
    play.do(c.EndHold(1, "the agent has ended", gone=True))
    assert told(play, "alpha") == ["request 1 (beta/x) was withdrawn: the agent has ended"]
    assert told(play, "beta")[1:] == ["request 1 of alpha (beta/x, yours) was withdrawn: the agent has ended"]


def test_the_owner_is_told_of_a_request_first_where_the_plan_says_so() -> None:
    play = begun(paths=(PathPolicy(path="beta/core/**", review="owner"),))
    play.do(c.Ask("alpha", ("beta/x", "beta/core/y"), "a limit", None))
    (text,) = told(play, "beta")
    assert text.startswith("request 1: alpha asks to write beta/core/y, which is yours: a limit. Say what ")
    assert "`runebook-tui recommend 1 approve --reason TEXT`" in text
    assert text.endswith("The operator decides.")
    play.do(c.Ask("alpha", ("gamma/x",), "", None))
    assert told(play, "gamma") == []


def test_the_owner_is_told_once_of_a_request_that_grows_and_a_further_owner_too() -> None:
    play = begun(review="owner")
    change = Change(path="beta/x", before=version("1"), after=version("2"), added=3, removed=1)
    play.do(c.Observe((c.Touch(change, Author(name="alpha", pid=7)),)))
    (text,) = told(play, "beta")
    assert text.startswith("request 1: alpha wrote beta/x, which is yours (+3 −1). Say")
    play.do(c.Observe((touch("beta/y", "alpha", pid=7), touch("gamma/x", "alpha", pid=7))))
    assert len(play.state.requests) == 1
    assert (len(told(play, "beta")), len(told(play, "gamma"))) == (1, 1)


def test_owners_recommend_and_the_operator_decides() -> None:
    play = begun()
    play.do(c.Propose("alpha", "Claude Code", "Edit", (Crossing(path="beta/x", owner="beta"),), None))
    play.do(Recommend("beta", 1, "reject", "it breaks the schema"))
    request = play.state.requests[1]
    assert words(request) == ("beta recommends to reject it: it breaks the schema",)
    assert request.open
    assert play.do(Recommend("beta", 1, "reject", "it breaks the schema")) == []
    assert "a moment ago" in play.refused(Recommend("beta", 1, "approve"))
    play.now += AGAIN_SECONDS
    play.do(Recommend("beta", 1, "approve"))
    assert words(play.state.requests[1]) == ("beta recommends to approve it",)
    play.do(c.Decide(1, "rejected"))
    assert play.refused(Recommend("beta", 1, "reject")) == "request 1 is rejected already"


def test_only_owners_of_its_paths_recommend() -> None:
    play = begun()
    play.do(c.Ask("alpha", ("beta/x",), "", None))
    assert play.refused(Recommend("gamma", 1, "reject")) == "request 1 is about paths of beta, not of gamma"
    assert play.refused(Recommend("alpha", 1, "approve")) == "request 1 is about paths of beta, not of alpha"
    assert play.refused(Recommend("beta", 9, "reject")) == "there is no request 9"
