"""The kernel gate alone under the real clients: nothing of theirs knows of Runebook."""

from __future__ import annotations

import pytest
from drivers import DRIVERS, Driver
from live_play import Live

REASON = "not now: beta is in the middle of it (ask about edge-case no. 7)"

pytestmark = pytest.mark.parametrize(
    "live",
    [pytest.param(name, marks=pytest.mark.xdist_group(f"{name} gate")) for name in DRIVERS],
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
    assert live.read("alpha/new") == "made\n"
    assert live.requests() == []


def test_a_foreign_edit_lands_after_the_approval_and_not_before(live: Live[Driver]) -> None:
    edited = live.script.say(*live.client.edit("beta/edited", "first", "approved"))
    live.decide("approve", live.waiting("beta/edited"))
    live.answer(edited)
    assert live.read("beta/edited") == "approved\nsecond\n"
    assert [each["status"] for each in live.requests()] == ["approved"]


def test_a_foreign_write_of_the_shell_lands_after_the_approval_and_not_before(live: Live[Driver]) -> None:
    written = live.script.say(*live.client.shell("echo approved > alpha/made && mv alpha/made beta/shell"))
    live.decide("approve", live.waiting("beta/shell"))
    live.answer(written)
    assert live.read("beta/shell") == "approved\n"


def test_a_rejected_edit_does_not_land(live: Live[Driver]) -> None:
    edited = live.script.say(*live.client.edit("beta/again", "first", "rejected"))
    live.decide("reject", live.waiting("beta/again"), "--reason", REASON)
    result = live.answer(edited)
    assert live.read("beta/again") == "first\nsecond\n"
    assert (
        REASON not in result
    )  # only a process of its own has errors that the model reads: that takes the hook


def test_a_rejected_write_of_the_shell_does_not_land_and_the_model_reads_why(live: Live[Driver]) -> None:
    written = live.script.say(*live.client.shell("echo rejected > beta/kept"))
    live.decide("reject", live.waiting("beta/kept"), "--reason", REASON)
    assert REASON in live.answer(written)
    assert live.read("beta/kept") == "first\nsecond\n"


def test_nothing_foreign_lands_when_the_engine_is_killed_while_it_waits(live: Live[Driver]) -> None:
    created = live.script.say(*live.client.create("beta/new", "unasked\n"))
    live.waiting("beta/new")
    live.kill_engine()
    live.answer(created)
    assert live.read("beta/new") is None
