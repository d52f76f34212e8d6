"""Suggestions: which one comes first, what counts up, who may take or dismiss one, and what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from core_play import Play, agent, plan

from runebook_tui.core.events import RunStarted
from runebook_tui.core.sentences import sentence
from runebook_tui.core.suggested import Provenance, Suggestion
from runebook_tui.core.suggestions import (
    AGAIN_SECONDS,
    ASK_MODEL,
    KEPT,
    MOST_A_MINUTE,
    ApplySuggestion,
    DismissSuggestion,
    Suggest,
    SuggestionAdded,
    ranked,
)


@pytest.fixture
def play() -> Play:
    return Play(plan(agent("alpha"), agent("beta")))


def suggest(play: Play, title: str, kind: str = "fix", **more: Any) -> Any:
    play.now += 1
    return play.do(Suggest("alpha", kind, title, **more))


def only(play: Play) -> Suggestion:
    (found,) = play.state.suggestions
    return found


def test_the_pressing_come_first_then_the_certain_then_the_newest(play: Play) -> None:
    suggest(play, "old", confidence=0.5)
    suggest(play, "sure", confidence=0.9)
    suggest(play, "new", confidence=0.5)
    suggest(play, "pressing", priority="high", confidence=0.1)
    suggest(play, "by the way", priority="low", confidence=1.0)
    assert [each.title for each in ranked(play.state.suggestions)] == [
        "pressing", "sure", "new", "old", "by the way",
    ]  # fmt: skip


def test_the_same_again_counts_up_and_says_the_newest_words(play: Play) -> None:
    suggest(play, "Install it", snippet="pip install x", fingerprint="x")
    began = only(play).first
    play.now += AGAIN_SECONDS
    (again,) = suggest(play, "Install x", fingerprint="x", provenance=Provenance(rule="r", command=9))
    assert isinstance(again, SuggestionAdded)
    found = only(play)
    assert (found.id, found.count, found.title, found.first) == (1, 2, "Install x", began)
    assert (found.provenance.command, found.time) == (9, play.now)
    assert suggest(play, "Install x", fingerprint="x") == []
    play.do(Suggest("beta", "fix", "mine", fingerprint="x"))
    assert [each.agent for each in play.state.suggestions] == ["alpha", "beta"]


def test_what_was_dismissed_stays_so_and_what_did_not_help_comes_back(play: Play) -> None:
    suggest(play, "one", fingerprint="1")
    suggest(play, "two", fingerprint="2")
    play.do(DismissSuggestion(1, "operator"))
    assert play.do(DismissSuggestion(1, "operator")) == []
    play.do(ApplySuggestion(2, "beta"))
    assert ranked(play.state.suggestions) == ()
    play.now += AGAIN_SECONDS
    assert suggest(play, "one", fingerprint="1") == []
    suggest(play, "two", fingerprint="2")
    (back,) = ranked(play.state.suggestions)
    assert (back.id, back.applied, back.count, back.status) == (2, 1, 2, "open")
    assert play.refused(ApplySuggestion(1, "operator")) == "suggestion 1 was dismissed"
    assert play.refused(ApplySuggestion(7, "operator")) == "there is no suggestion 7 (any more)"


def test_agents_dismiss_their_own_and_send_nothing_to_a_model(play: Play) -> None:
    suggest(play, "ask a model", kind=ASK_MODEL, snippet="the text")
    assert "only the operator dismisses it" in play.refused(DismissSuggestion(1, "beta"))
    assert "only the operator may apply it" in play.refused(ApplySuggestion(1, "alpha"))
    play.do(ApplySuggestion(1, "operator"))
    assert (only(play).status, only(play).by) == ("applied", "operator")
    play.do(DismissSuggestion(1, "alpha"))
    assert [sentence(each) for each in play.records[-3:]] == [
        "alpha suggests (1): ask a model",
        "you applied suggestion 1",
        "alpha dismissed suggestion 1",
    ]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"kind": "Do it!"}, "a short word"),
        ({"title": " "}, "has a title"),
        ({"title": "x" * 201}, "at most 200 characters, not 201"),
        ({"confidence": 1.5}, "from 0 to 1"),
        ({"confidence": float("nan")}, "from 0 to 1"),
        ({"priority": "urgent"}, "high, normal, low"),
        ({"snippet": "x" * 8001}, "at most 8000"),
    ],
)
def test_what_is_no_suggestion_is_refused(play: Play, more: dict[str, Any], why: str) -> None:
    assert why in play.refused(Suggest(**{"agent": "alpha", "kind": "fix", "title": "t", **more}))


def test_an_agent_in_a_loop_is_stopped_and_others_are_not(play: Play) -> None:
    for n in range(MOST_A_MINUTE):
        play.do(Suggest("alpha", "fix", str(n)))
    assert "60 suggestions within a minute" in play.refused(Suggest("alpha", "fix", "more"))
    play.do(Suggest("beta", "fix", "mine"))
    play.now += 60
    suggest(play, "later")


def test_the_newest_are_kept_over_all_runs(play: Play) -> None:
    for n in range(KEPT + 50):
        suggest(play, str(n))
        if n < 40:
            play.do(DismissSuggestion(n + 1, "operator"))
    live = [each for each in play.state.suggestions if each.open]
    assert [each.title for each in live] == [str(n) for n in range(50, KEPT + 50)]
    assert len(play.state.suggestions) == KEPT + 40
    before = play.state.suggestions
    play.append(RunStarted(plan=play.state.plan))
    assert (play.state.suggestions, play.state.last_suggestion) == (before, KEPT + 50)
