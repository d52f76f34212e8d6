"""What the operator is asked about a stopped call."""

from __future__ import annotations

import os
from typing import Any

import pytest

from runebook_tui.gate.calls import Change
from runebook_tui.gate.enforcer import question
from runebook_tui.gate.judge import Foreign
from runebook_tui.gate.process import Process
from runebook_tui.gate.stopped import Act

MOVED = {"op": "replace", "to": None, "via": "alpha/new", "from": "alpha/new"}


@pytest.mark.parametrize(
    ("op", "path", "to", "about", "via", "asked"),
    [
        ("rename", "alpha/new", "beta/x", "beta/x", "alpha/new", MOVED),
        ("link", "alpha/new", "beta/x", "beta/x", "alpha/new", MOVED),
        ("rename", "beta/x", "alpha/x", "beta/x", None, {"op": "rename", "to": "alpha/x"}),
        ("rename", "beta", "alpha/b", "beta/x", None, {"op": "rename", "to": "alpha/b/x"}),
        (
            "open",
            "beta/x.tmp",
            None,
            "beta/x",
            "beta/x.tmp",
            {"op": "replace", "to": None, "via": "beta/x.tmp"},
        ),
        ("open", "beta/x", None, "beta/x", None, {"op": "open", "to": None}),
    ],
)
def test_the_question_names_what_would_take_the_place(
    op: str, path: str, to: str | None, about: str, via: str | None, asked: dict[str, Any]
) -> None:
    record: dict[str, Any] = {"op": op, "path": path, "to": to}
    act = Act(Change(op, os.fsencode(path), None if to is None else os.fsencode(to)), record)
    found = question(Process(os.getpid()), Foreign(act, about, "beta", via))
    assert found == {"path": about, **asked}
    assert record == {"op": op, "path": path, "to": to}, "the record itself stays as it is"
