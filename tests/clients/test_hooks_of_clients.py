"""The real clients as their adapters start them: the hook asks, and tells the model what was decided."""

from __future__ import annotations

import pytest
from drivers import DRIVERS, Driver
from live_play import Live

BY_NAME = True
REASON = "not now: beta is in the middle of it (ask about edge-case no. 7)"
HIDDEN = "python3 -c \"open('beta/' + 'hidden', 'w').write('hidden')\""
"""A line of shell of which no hook can tell what it writes."""

pytestmark = pytest.mark.parametrize(
    "live",
    [pytest.param(name, marks=pytest.mark.xdist_group(f"{name} hook")) for name in DRIVERS],
    indirect=True,
)


@pytest.fixture(autouse=True)
def rested(live: Live[Driver]) -> None:
    """What a test does is an act of its own, no part of what was decided before."""
    live.rest()


def test_an_owned_edit_lands_without_a_question(live: Live[Driver]) -> None:
    live.does(live.client.edit("alpha/edited", "first", "owned"))
    assert live.read("alpha/edited") == "owned\nsecond\n"
    live.does(live.client.create("alpha/new", "made\n"))
    live.does(live.client.shell("echo shell > alpha/shell"))
    assert (live.read("alpha/new"), live.read("alpha/shell")) == ("made\n", "shell\n")
    assert live.requests() == []
    assert live.status()["last_attempts"] == []


def test_a_foreign_edit_is_one_request_that_shows_it_and_lands_when_approved(live: Live[Driver]) -> None:
    before = len(live.requests())
    edited = live.script.say(*live.client.edit("beta/edited", "first", "approved"))
    request = live.waiting("beta/edited")
    assert request["evidence"].endswith(" tool asked"), request["evidence"]
    (shown,) = live.json("requests")
    assert "-first\n" in shown["diff"]
    assert "+approved\n" in shown["diff"]
    live.decide("approve", request)
    live.answer(edited)
    assert live.read("beta/edited") == "approved\nsecond\n"
    assert [each["status"] for each in live.requests()[before:]] == ["approved"]


def test_a_foreign_write_of_the_shell_is_one_request_and_lands_when_approved(live: Live[Driver]) -> None:
    before = len(live.requests())
    written = live.script.say(*live.client.shell("echo approved > beta/shell"))
    live.decide("approve", live.waiting("beta/shell"))
    live.answer(written)
    assert live.read("beta/shell") == "approved\n"
    assert [each["status"] for each in live.requests()[before:]] == ["approved"]


def test_a_rejected_edit_does_not_land_and_the_model_reads_why(live: Live[Driver]) -> None:
    edited = live.script.say(*live.client.edit("beta/again", "first", "rejected"))
    live.decide("reject", live.waiting("beta/again"), "--reason", REASON)
    assert REASON in live.answer(edited)
    assert live.read("beta/again") == "first\nsecond\n"


def test_a_rejected_write_of_the_shell_does_not_land_and_the_model_reads_why(live: Live[Driver]) -> None:
    written = live.script.say(*live.client.shell("echo rejected > beta/kept"))
    live.decide("reject", live.waiting("beta/kept"), "--reason", REASON)
    assert REASON in live.answer(written)
    assert live.read("beta/kept") == "first\nsecond\n"


def test_what_the_hook_cannot_see_the_gate_stops(live: Live[Driver]) -> None:
    written = live.script.say(*live.client.shell(HIDDEN))
    request = live.waiting("beta/hidden")
    assert "kernel gate" in request["evidence"]
    live.decide("reject", request, "--reason", REASON)
    assert REASON in live.answer(written)
    assert live.read("beta/hidden") is None


def test_it_is_known_that_the_hook_was_seen(live: Live[Driver]) -> None:
    assert "the hook of alpha was seen" in live.command("log").stdout


def test_without_an_engine_owned_edits_land_and_foreign_ones_are_refused(live: Live[Driver]) -> None:
    created = live.script.say(*live.client.create("beta/new", "unasked\n"))
    live.waiting("beta/new")
    live.kill_engine()
    live.answer(created)
    assert live.read("beta/new") is None
    live.does(live.client.create("alpha/later", "owned\n"))
    assert live.read("alpha/later") == "owned\n"
    live.does(live.client.shell("echo unasked > beta/later"))
    assert live.read("beta/later") is None
