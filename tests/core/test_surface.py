"""The snapshot that everything outside the screens shows."""

from __future__ import annotations

import json
import re

import pytest
from core_play import Play, agent, plan

from runebook_tui.core.commands import Ask
from runebook_tui.core.suggestions import DismissSuggestion, Suggest
from runebook_tui.core.surface import MOST_PATHS, MOST_REQUESTS, MOST_SUGGESTIONS, surface_of
from runebook_tui.core.types import OPERATOR


@pytest.fixture
def play() -> Play:
    return Play(plan(agent("alpha"), agent("beta")))


def test_equal_states_give_equal_snapshots_that_json_can_hold(play: Play) -> None:
    assert surface_of(play.state) == surface_of(play.state)
    assert json.loads(json.dumps(surface_of(play.state))) == surface_of(play.state)


def test_a_request_is_counted_named_and_put_beside_its_file(play: Play) -> None:
    play.do(Ask("alpha", ("beta/api.py",), "to page"))
    now = surface_of(play.state)
    assert now["mood"] == "asking"
    assert now["prompt"].startswith("1 request, ")
    (request,) = now["requests"]
    assert (request["who"], request["owners"], request["reason"]) == ("alpha", ["beta"], "to page")
    assert now["files"]["beta/api.py"]["owner"] == "beta"
    assert now["files"]["beta/api.py"]["requests"] == [request["id"]]
    assert [each["asks"] for each in now["agents"]] == [[request["id"]], []]


def test_the_best_suggestion_comes_first_and_a_dismissed_one_not_at_all(play: Play) -> None:
    for title, priority in (("one", "low"), ("two", "high")):
        play.now += 10
        play.do(Suggest("alpha", "fix", title, priority=priority))
    assert [each["title"] for each in surface_of(play.state)["suggestions"]] == ["two", "one"]
    assert surface_of(play.state)["prompt"].endswith(", 2 suggestions")
    assert surface_of(play.state)["advice"] == "two"
    play.do(DismissSuggestion(2, OPERATOR))
    assert [each["title"] for each in surface_of(play.state)["suggestions"]] == ["one"]


def test_it_stays_small_and_printable_whatever_agents_say(play: Play) -> None:
    for at in range(MOST_REQUESTS + 5):
        play.now += 10
        paths = tuple(f"beta/{at}/{path}\x1b]0;x\x07\n{'y' * 3000}" for path in range(MOST_PATHS + 5))
        play.do(Ask("alpha", paths, "\x1b[31m" + "z" * 4000))
    for at in range(MOST_SUGGESTIONS + 5):
        play.now += 10
        play.do(Suggest("alpha", "fix", f"{at}\x1b[2J" + "t" * 100))
    now = surface_of(play.state)
    assert len(now["requests"]) <= MOST_REQUESTS
    assert len(now["suggestions"]) == MOST_SUGGESTIONS
    text = json.dumps(now, ensure_ascii=False)
    assert not re.search(r"[\x00-\x1f\x7f]|\\u00[01]|\\n", text)
    assert len(text) < 1 << 20


def test_the_prompt_is_plain_words_for_shells(play: Play) -> None:
    play.do(Ask("alpha", ("beta/api.py",), "`$(x)`"))
    assert re.fullmatch(r"[a-zA-Z0-9 ,()]+", surface_of(play.state)["prompt"])
