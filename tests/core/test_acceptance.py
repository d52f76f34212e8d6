"""Acceptance checks: what the plan takes, and what is known of them while it runs."""

from __future__ import annotations

import pytest
from core_play import Play, agent, plan
from pydantic import ValidationError

from runebook_tui.core.acceptance import AcceptanceCheck, AcceptanceRan, ReportAcceptance, summary
from runebook_tui.core.refusal import Refusal
from runebook_tui.core.sentences import sentence

TESTS = AcceptanceCheck(id="tests", command=("make", "test", "TOKEN=abcdef123456"))
LINT = AcceptanceCheck(id="lint", command=("make", "lint"))


def begun() -> Play:
    return Play(plan(agent("alpha"), acceptance=(TESTS, LINT)))


def stand(play: Play) -> str:
    return summary(play.state.plan.acceptance, play.state.acceptance)


def test_how_the_checks_stand_is_said() -> None:
    play = begun()
    assert stand(play) == "0 of 2 pass; not run yet: tests, lint"
    play.do(ReportAcceptance("alpha", "tests", True, 0))
    play.do(ReportAcceptance("alpha", "lint", True, 0))
    assert stand(play) == "2 of 2 pass"
    play.do(ReportAcceptance("alpha", "tests", False, 2, 1.5, "1a2b3c4+"))
    assert stand(play) == "1 of 2 pass; not: tests"
    assert play.state.acceptance["tests"].commit == "1a2b3c4+"
    assert summary((), {}) == ""


def test_what_is_recorded_holds_no_secret_and_says_what_happened() -> None:
    play = begun()
    play.do(ReportAcceptance("alpha", "tests", False, None, 600.0, "", "took longer than 600 s"))
    event = play.records[-1].event
    assert isinstance(event, AcceptanceRan)
    assert event.command == "make test TOKEN=[hidden]"
    assert sentence(play.records[-1]) == "the acceptance check tests failed: took longer than 600 s"


def test_a_check_that_the_plan_does_not_have_is_refused() -> None:
    refused = begun().attempt(ReportAcceptance("alpha", "speed", True, 0))
    assert refused == Refusal("the plan has no acceptance check 'speed'")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("command", ()),
        ("command", ("",)),
        ("command", ("a\0",)),
        ("id", "A b"),
        ("paths", ("../x",)),
        ("seconds", 0),
    ],
)
def test_a_check_of_the_wrong_shape_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        AcceptanceCheck(**{"id": "x", "command": ("true",), field: value})
