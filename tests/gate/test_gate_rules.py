"""The grants in a gate's rules: what the engine says and what was settled here are one and the same."""

from __future__ import annotations

import pytest

from runebook_tui.core.grants import JOIN_SECONDS, Grant, covering
from runebook_tui.gate.rules import Rules

PATH, OWNER, PID, REQUEST, NOW = "beta/f", "beta", 7, 3, 1000.0


def rules(*, granted: bool) -> Rules:
    """What the engine says before and after it approved the request."""
    grant = {
        "request": REQUEST,
        "agent": "alpha",
        "paths": [PATH],
        "scope": "once",
        "pid": PID,
        "owners": [OWNER],
        "used_at": NOW,
    }
    return Rules({"agent": "alpha", "claims": [["beta/**", "beta", False]], "grants": [grant] * granted})


def found(rules: Rules, now: float) -> Grant | None:
    return covering(rules.all_grants(), "alpha", PATH, OWNER, PID, now)


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
