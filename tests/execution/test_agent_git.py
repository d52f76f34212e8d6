"""Git of several agents in one tree: what one only looks at, it does not lock for another."""

from __future__ import annotations

import os

import pytest

PLAN = """
[plan]
name = "looking"

[[phases]]
id = "build"

[[agents]]
id = "looker"
phase = "build"
command = ["git", "-C", "theirs/clone", "status"]
{env}

[[shared]]
path = "theirs/**"
owner = "looker"
"""


@pytest.mark.parametrize(("env", "written"), [("", False), ('env = { GIT_OPTIONAL_LOCKS = "1" }', True)])
def test_a_look_takes_no_lock_unless_the_plan_says_so(session, env, written):
    clone = session.root / "theirs" / "clone"
    session.plan(PLAN.format(env=env))
    session.git("init", "-q", str(clone))
    (clone / "file").write_text("x\n")
    session.git("-C", str(clone), "add", "file")
    # The same bytes at another time: to spare itself the next comparison, git would write the index anew.
    os.utime(clone / "file", (1_000_000_000, 1_000_000_000))
    before = (clone / ".git" / "index").stat().st_ino
    session.start("--new")
    assert session.engine is not None
    assert session.engine.wait(60) == 0
    assert ((clone / ".git" / "index").stat().st_ino != before) is written
