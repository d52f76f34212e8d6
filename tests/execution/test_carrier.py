"""A client that hears nothing by a hook reads its messages at its prompt, or in its brief."""

from __future__ import annotations

from typing import Any

PLAN = """
[plan]
name = "carried"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
client = "aider"
prompt = "begin"
"""

# aider at its prompt (0.86.2), as far as this is concerned: it reads lines.
AIDER = """#!/bin/bash
while printf '> ' && IFS= read -r line; do printf '%s\\n' "$line" >> heard; done
"""


def heard(session: Any) -> list[str]:
    file = session.root / "heard"
    return file.read_text().splitlines() if file.exists() else []


def delivered(session: Any) -> list[tuple[list[int], str]]:
    records = session.json("log")
    return [(each["messages"], each["by"]) for each in records if each["type"] == "MessageDelivered"]


def test_messages_are_typed_at_the_prompt_and_told_in_the_brief(session) -> None:
    programs = session.root.parent / "programs"
    programs.mkdir()
    (programs / "aider").write_text(AIDER)
    (programs / "aider").chmod(0o755)
    session.environment["PATH"] = f"{programs}:{session.environment['PATH']}"
    (session.root / ".gitignore").write_text("heard\n")
    session.plan(PLAN)
    session.start()
    session.until_gate("alpha")
    session.json("tell", "alpha", "the schema moved")
    session.until("the message", lambda: delivered(session) == [([1], "typed")])
    told = "Runebook: 1 message for you.  From the operator (message 1): the schema moved"
    assert heard(session)[-1] == told
    session.json("stop", "alpha")
    session.until("its end", lambda: not session.agent("alpha")["alive"])
    session.json("tell", "alpha", "begin with `b.py`")
    session.json("restart", "alpha")
    session.until("the brief", lambda: delivered(session)[1:] == [([2], "prompt")])
    brief = (session.root / ".runebook/agents/alpha/brief.md").read_text()
    assert "- The operator (message 2): begin with `b.py`" in brief
    assert session.json("inbox", "--agent", "alpha") == []
    assert [line for line in heard(session) if "message" in line] == [told]
