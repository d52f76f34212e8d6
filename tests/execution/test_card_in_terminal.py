"""The decision card in a real terminal, with a real engine and a write that waits at the gate."""

from __future__ import annotations

import time

import pytest
from session_play import WAITING, Session
from terminal_play import Terminal

PLAN = """# who works on what
[plan]
name = "card"

[policy]
hold_seconds = 600

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]   # its own

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = ["src/beta/**"]
"""


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=["80x24", "140x40"])
def test_a_held_write_lands_after_the_plan_was_widened_on_the_card(
    session: Session, size: tuple[int, int]
) -> None:
    for owner in ("alpha", "beta"):
        (session.root / "src" / owner).mkdir(parents=True)
    target = session.root / "src/beta/x.txt"
    target.write_text("one\n")
    (session.root / "alpha.sh").write_text("echo two > src/beta/x.txt\n" + WAITING.format("stop"))
    session.plan(PLAN)
    terminal = Terminal(session, *size)
    try:
        terminal.shows("src/beta/x.txt", "a approve 1", "waits")
        terminal.keys("o")
        terminal.shows("Request 1", "alpha wants to write", "owned by beta", "refused at", "let it go on")
        terminal.keys("w")
        terminal.shows("Widen the plan, and approve request 1", "+may_write", "y change the plan")
        assert target.read_text() == "one\n"
        assert (session.root / "runebook.toml").read_text() == PLAN
        terminal.keys("y")
        session.until("the write", lambda: target.read_text() == "two\n")
        changed = (session.root / "runebook.toml").read_text()
        assert 'may_write = ["/src/beta/x.txt"]' in changed
        assert "# who works on what" in changed
        assert "# its own" in changed
        terminal.shows("z take back 1 (")
        terminal.keys("z")
        terminal.shows("taken back")
        session.until("the plan", lambda: (session.root / "runebook.toml").read_text() == PLAN)
        session.until("the request", lambda: [each["status"] for each in session.requests()][0] == "open")
    finally:
        terminal.close()
        session.command("down")


def test_requests_are_decided_together_taken_back_and_become_a_lesson(session: Session) -> None:
    (session.root / "src/beta").mkdir(parents=True)
    (session.root / "alpha.sh").write_text(WAITING.format("stop"))
    session.plan(PLAN)
    terminal = Terminal(session, 140, 40)
    try:
        terminal.shows("engine", "nobody needs you")
        session.until_gate("alpha")
        for name in ("a", "b", "c"):
            session.json("ask", f"src/beta/{name}", "--agent", "alpha", "--reason", "please", "--no-wait")
        terminal.shows("Requests · 3")

        pressed = float("-inf")

        def marked() -> bool:
            # A key that comes too early starts the wait anew, so it is not held down.
            nonlocal pressed
            if "a approve 3 marked" in terminal.screen():
                return True
            if time.monotonic() - pressed > 1.0:
                pressed = time.monotonic()
                terminal.keys("*")
            return False

        session.until("the marks", marked)
        terminal.keys("a")
        terminal.shows("Approve 3 requests?", "alpha → beta (3)")
        terminal.keys("y")
        session.until("the approvals", lambda: {r["status"] for r in session.requests()} == {"approved"})
        terminal.shows("z take back 3 decisions (")
        terminal.keys("z")
        session.until("the requests", lambda: {r["status"] for r in session.requests()} == {"open"})
        terminal.shows("Requests · 3")
        session.until("the marks", marked)
        terminal.keys("a")
        terminal.shows("Approve 3 requests?")
        terminal.keys("y")
        terminal.shows("plan: alpha was approved 3 times", "L lesson")
        assert (session.root / "runebook.toml").read_text() == PLAN
        terminal.keys("L")
        terminal.shows("A change of the plan that your decisions suggest", '+may_write = ["src/beta/**"]')
        terminal.keys("y")
        session.until(
            "the plan", lambda: 'may_write = ["src/beta/**"]' in (session.root / "runebook.toml").read_text()
        )
    finally:
        terminal.close()
        session.command("down")
