"""`runebook-tui` as a person uses it: a real terminal (tmux), real keys, a real engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from session_play import WAITING, Session
from terminal_play import Terminal

PLAN = """
[plan]
name = "interactive"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]
gate = "observe"

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = ["src/beta/**"]
gate = "observe"
"""


@pytest.fixture(params=[(80, 24), (140, 40)], ids=["80x24", "140x40"])
def terminal(session: Session, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    for owner in ("alpha", "beta"):
        (session.root / "src" / owner).mkdir(parents=True)
    (session.root / "src/beta/x.txt").write_text("one\n")
    (session.root / "alpha.sh").write_text(
        "printf '\\033[31mred hello\\033[0m\\n'\n"
        + WAITING.format("go.1") + "echo two >> src/beta/x.txt\n"
        + WAITING.format("go.2") + "echo z > 'src/beta/[slug].txt'\n" + WAITING.format("stop")
    )  # fmt: skip
    session.plan(PLAN)
    here = Terminal(session, *request.param)
    try:
        yield here
    finally:
        here.close()
        session.command("down")


def test_a_person_watches_decides_leaves_and_comes_back(session: Session, terminal: Terminal) -> None:
    terminal.shows("interactive", "engine")
    session.until_gate("alpha")
    (session.root / "go.1").touch()
    terminal.shows("src/beta/x.txt", "a approve 1")
    terminal.keys("o")
    terminal.shows("+two", "kernel gate")
    terminal.keys("a")
    session.until("the approval", lambda: [r["status"] for r in session.requests()] == ["approved"])
    (session.root / "go.2").touch()
    terminal.shows("[slug].txt", "r reject 2")
    session.until("the second", lambda: len(session.requests()) == 2)
    before = session.agent("alpha")["pid"]
    terminal.keys("q")
    terminal.shows("status 0")
    assert session.agent("alpha")["alive"]
    assert session.command("status").returncode == 0
    terminal.close()

    again = Terminal(session, 100, 30)
    try:
        again.shows("[slug].txt", "interactive")
        assert session.agent("alpha")["pid"] == before
        again.shows("r reject 2")
        again.keys("Enter")
        again.shows("Request 2")
        again.keys("r")
        again.shows("Reject request 2")
        again.keys("n", "o", "t", "Space", "y", "o", "u", "r", "s", "Enter")
        session.until("the rejection", lambda: session.requests()[1]["status"] == "rejected")
        assert session.requests()[1]["answer"] == "not yours"
        again.keys("?")
        again.shows("select the next agent", "esc close")  # the help; the log speaks of decisions, too
        again.keys("Escape")  # and nothing at once, or both would be read as Alt+L
        session.until("the end of the help", lambda: "esc close" not in again.screen())
        again.keys("l")
        again.shows("you rejected request 2")
    finally:
        again.close()
