"""A person goes to an agent's pane and back, and reads, searches and copies it; real tmux throughout."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from session_play import WAITING, Session
from terminal_play import Terminal

from runebook_tui.place import tmux_socket_name

PLAN = """
[plan]
name = "going"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]
gate = "off"

[[agents]]
id = "beta"
phase = "build"
command = ["sh", "-c", "seq -f 'line %g of beta' 400; echo needle; seq -f 'tail %g' 200; exec sleep 600"]
claims = ["src/beta/**"]
gate = "off"
"""


@pytest.fixture(params=[(80, 24), (140, 40)], ids=["80x24", "140x40"])
def terminal(session: Session, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    (session.root / "alpha.sh").write_text(
        'echo "what is your name?"\nread name\necho "hello $name"\n' + WAITING.format("stop")
    )
    session.plan(PLAN)
    here = Terminal(session, *request.param)
    try:
        yield here
    finally:
        here.close()
        session.command("down")


def private(session: Session, *words: str) -> str:
    name = tmux_socket_name(session.root)
    return subprocess.run(["tmux", "-L", name, *words], capture_output=True, text=True, check=True).stdout


def test_enter_goes_to_the_pane_and_one_key_comes_back(session: Session, terminal: Terminal) -> None:
    terminal.shows("going", "alpha", "beta", "2 working")
    terminal.keys("g")
    terminal.shows("what is your name?", "F12 goes back")
    terminal.keys("-l", "Ada")
    terminal.keys("Enter")
    terminal.shows("hello Ada")
    terminal.keys("F12")
    terminal.shows("going", "2 working", "Plan")
    # It still draws and takes keys.
    terminal.keys("j")
    terminal.keys("Enter")
    terminal.shows("tail 200", "F12 goes back")
    terminal.keys("F12")
    terminal.shows("going", "2 working")
    terminal.keys("q")
    terminal.shows("status 0")
    assert session.agent("alpha")["alive"]


def test_the_past_of_a_pane_is_read_searched_and_copied(session: Session, terminal: Terminal) -> None:
    terminal.shows("going", "2 working")
    terminal.keys("7")
    terminal.shows("what is your name?", "go to alpha")
    wide = "beta ·" in terminal.screen()
    terminal.keys("Right" if wide else "]")
    terminal.shows("tail 200", "go to beta")
    terminal.keys("PageUp", "PageUp")
    terminal.shows("above the end")
    terminal.keys("Home")
    terminal.shows("line 1 of beta")
    terminal.keys("/")
    terminal.shows("search …")
    terminal.keys("-l", "NEEDLE")
    terminal.shows("needle", "line 400 of beta")
    terminal.keys("Enter")
    terminal.shows("NEEDLE: 1 of 1")
    terminal.keys("Escape")
    session.until("the end of the search", lambda: "NEEDLE" not in terminal.screen())
    terminal.keys("v")
    terminal.shows("y copies the row")
    terminal.keys("y")
    terminal.shows("copied 1 row")
    assert private(session, "show-buffer").rstrip() in {*terminal.screen().split("\n"), *_beta()}


def _beta() -> list[str]:
    lines = [f"line {number} of beta" for number in range(1, 401)]
    return [*lines, "needle", *(f"tail {number}" for number in range(1, 201))]
