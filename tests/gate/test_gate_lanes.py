"""The gate of an agent with a worktree of its own: what it records of which tree, and what it refuses."""

from __future__ import annotations

import os

import pytest

from runebook_tui.gate.callers import Callers
from runebook_tui.gate.calls import Change
from runebook_tui.gate.judge import ANOTHERS, OPERATORS, Forbidden, Judge, Pass
from runebook_tui.gate.process import Process
from runebook_tui.gate.record import Scribe
from runebook_tui.gate.rules import Rules
from runebook_tui.gate.sockets import Sockets
from runebook_tui.gate.stopped import Act

MAIN, LANE, OTHER = b"/w/repo", b"/w/repo.worktrees/alpha", b"/w/repo.worktrees/beta"
RULES = {
    "agent": "alpha",
    "claims": [["alpha/**", "alpha", False], ["beta/**", "beta", False]],
    "unowned": "allow",
    "away": "hold",
    "hold_seconds": 1.0,
    "grants": [],
    "git": [os.fsdecode(MAIN + b"/.git")],
    "tmux": [],
}


def records(*changes: Change) -> list[tuple[object, ...]]:
    scribe = Scribe(LANE, Callers(), "alpha", MAIN)
    found = [scribe.record(os.getpid(), change) for change in scribe.by_tree(list(changes))]
    return [(r["tree"], r["op"], r["path"], r["to"]) for r in found if r is not None]


def test_a_record_says_in_which_tree_it_is() -> None:
    assert records(
        Change("open", LANE + b"/a"),
        Change("create", MAIN + b"/a"),
        Change("unlink", OTHER + b"/a"),
        Change("open", b"/w/elsewhere"),
        Change("open", MAIN + b"/.git/index"),
    ) == [("alpha", "open", "a", None), ("", "create", "a", None), ("beta", "unlink", "a", None)]


def test_a_rename_or_link_from_tree_to_tree_is_a_change_in_each() -> None:
    assert records(
        Change("rename", LANE + b"/a", MAIN + b"/b"), Change("link", OTHER + b"/a", LANE + b"/b")
    ) == [
        ("alpha", "unlink", "a", None),
        ("", "create", "b", None),
        ("beta", "link", "a", None),
        ("alpha", "create", "b", None),
    ]


def test_with_one_tree_for_all_a_record_is_as_before() -> None:
    scribe = Scribe(MAIN, Callers())
    changes = [Change("rename", MAIN + b"/a", LANE + b"/b")]
    assert scribe.by_tree(changes) is changes
    record = scribe.record(os.getpid(), changes[0])
    assert record is not None
    assert "tree" not in record
    assert (record["path"], record["to"]) == ("a", None)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (LANE + b"/alpha/x", None),
        (LANE + b"/.git", OPERATORS),
        (LANE + b"/runebook.toml", OPERATORS),
        (MAIN + b"/runebook.toml", OPERATORS),
        (MAIN + b"/.runebook/log.sqlite", OPERATORS),
        (MAIN + b"/.runebook/agents/alpha/notes", None),
        (MAIN + b"/.runebook/agents/beta/notes", OPERATORS),
        (MAIN + b"/.git/config", OPERATORS),
        (MAIN + b"/.git/worktrees/alpha/index", None),
        (MAIN + b"/alpha/x", ANOTHERS),
        (OTHER + b"/alpha/x", ANOTHERS),
        (b"/w/elsewhere", None),
    ],
)
def test_what_is_enforced_writes_in_its_own_worktree_only(path: bytes, why: str | None) -> None:
    judge = Judge(LANE, "alpha", lambda paths: set(), Sockets((os.getpid(),)), main=MAIN)
    judge.take(Rules(RULES))
    ruling = judge.rule([Act(Change("create", path), None)], Process(os.getpid()))
    if why is None:
        assert isinstance(ruling, Pass)
    else:
        assert isinstance(ruling, Forbidden)
        assert ruling.why == why
