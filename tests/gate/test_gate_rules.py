"""The grants in a gate's rules: what the engine says and what was settled here are one and the same."""

from __future__ import annotations

import pytest

from runebook_tui.core.grants import JOIN_SECONDS, Grant, covering
from runebook_tui.gate.rules import Rules

PATH, OWNER, PID, REQUEST, NOW = "beta/f", "beta", 7, 3, 1000.0


def rules(*, granted: bool, used: float | None = None) -> Rules:
    """What the engine says before and after it approved the request, and heard when it was used."""
    grant = {
        "request": REQUEST,
        "agent": "alpha",
        "paths": [PATH],
        "scope": "once",
        "pid": PID,
        "owners": [OWNER],
        "used": {} if used is None else {PATH: [used, PID]},
        "used_at": NOW if used is None else used,
    }
    return Rules({"agent": "alpha", "claims": [["beta/**", "beta", False]], "grants": [grant] * granted})


def found(rules: Rules, now: float, path: str = PATH) -> Grant | None:
    return covering(rules.all_grants(), "alpha", path, OWNER, PID, now)


@pytest.mark.parametrize("first", ["rules", "answer"])
def test_once_is_once_whether_the_rules_or_the_answer_came_first(first: str) -> None:
    known = rules(granted=first == "rules")
    known.add(REQUEST, PATH, OWNER, PID, NOW)
    if first == "answer":
        fresh = rules(granted=True)
        fresh.inherit(known)
        known = fresh
    grant = found(known, NOW)
    assert grant is not None
    known.use(grant, PATH, PID, NOW)
    later = NOW + JOIN_SECONDS + 1
    assert found(known, later) is None
    again = rules(granted=True)  # the engine has not heard of the write yet
    again.inherit(known)
    assert found(again, later) is None


def test_an_engine_that_hears_of_a_write_late_does_not_prolong_the_act() -> None:
    known = rules(granted=True)
    grant = found(known, NOW)
    assert grant is not None
    known.use(grant, PATH, PID, NOW)
    assert found(known, NOW + JOIN_SECONDS, "beta/next") is not None
    late = rules(granted=True, used=NOW + JOIN_SECONDS + 1)
    late.inherit(known)
    assert found(late, NOW + JOIN_SECONDS + 1, "beta/next") is None


def test_what_one_process_used_stays_used_when_another_of_its_request_goes_on() -> None:
    known = rules(granted=True)
    grant = found(known, NOW)
    assert grant is not None
    known.use(grant, PATH, PID, NOW)
    known.add(REQUEST, PATH, OWNER, PID + 1, NOW)
    again = rules(granted=True)
    again.inherit(known)
    assert found(again, NOW + JOIN_SECONDS + 1) is None


@pytest.mark.parametrize("first", ["rules", "answer"])
def test_what_a_hook_asked_for_is_not_granted_twice_to_a_process_that_waited(first: str) -> None:
    grants = [{"request": REQUEST, "agent": "alpha", "paths": [PATH], "scope": "once"}]
    fresh = Rules({"agent": "alpha", "claims": [], "grants": grants})
    known = fresh if first == "rules" else rules(granted=False)
    known.add(REQUEST, PATH, OWNER, PID, NOW)
    if first == "answer":
        fresh.inherit(known)
        known = fresh
    grant = found(known, NOW)
    assert grant is not None
    known.use(grant, PATH, PID, NOW)
    later = NOW + JOIN_SECONDS + 1
    assert covering(known.all_grants(), "alpha", PATH, OWNER, PID + 1, later) is None
    assert covering(known.all_grants(), "alpha", PATH, OWNER, PID, later) is None
