"""The key in tmux: a menu of requests, one of them with its difference, and a decision by one letter."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from session_play import PROGRAM, WAITING, Session, rb

from runebook_tui.place import tmux_socket_name
from runebook_tui.surfaces.catalogue import SURFACES, text_of

PLAN = """
[plan]
name = "key"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["src/alpha/**"]

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = ["src/beta/**"]
"""

ASKED = "'src/beta/#(touch pwned)#{l:x}.py'"


class Terminal:
    """A person's terminal: a tmux server of the test's own, whose pane is looked at and typed into."""

    def __init__(self, session: Session, folder: Path) -> None:
        self._env = session.environment
        self._socket = folder / "terminal"
        self._cwd = session.root

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), "-f", "/dev/null", *words],
            env=self._env,
            cwd=self._cwd,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout

    def open(self, command: str) -> None:
        self.tmux("new-session", "-d", "-x", "150", "-y", "40", f"env -u TMUX {command}")
        self.tmux("set", "-g", "prefix", "None")

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")


@pytest.fixture
def terminal(session: Session, tmp_path: Path) -> Iterator[Terminal]:
    folder = tmp_path / "t"
    folder.mkdir()
    session.environment["TMUX_TMPDIR"] = str(folder)
    session.environment.pop("TMUX", None)
    here = Terminal(session, folder)
    yield here
    here.tmux("kill-server")
    subprocess.run(["tmux", "kill-server"], env=session.environment, capture_output=True, check=False)


@pytest.fixture
def asked(terminal: Terminal, session: Session) -> Session:
    session.plan(PLAN)
    ask = rb("ask", ASKED, "--no-wait", "--reason", "'to page'") + rb("ask src/beta/two.py --no-wait")
    (session.root / "alpha.sh").write_text(WAITING.format("go") + ask + "sleep 600\n")
    session.start()
    session.until("alpha at work", lambda: session.agent("alpha").get("alive"))
    (session.root / "go").touch()
    session.until("two requests", lambda: len(session.requests()) == 2)
    return session


def until_seen(session: Session, terminal: Terminal, text: str) -> None:
    def seen() -> bool:
        return text in terminal.screen()

    try:
        session.until(text, seen)
    except AssertionError as error:
        raise AssertionError(f"{error}\non the screen:\n{terminal.screen()}") from None


def open_menu(session: Session, terminal: Terminal, press: Callable[[], None]) -> None:
    press()
    until_seen(session, terminal, "alpha → beta  src/beta/two.py")


def test_a_person_decides_from_the_private_server(asked: Session, terminal: Terminal) -> None:
    terminal.open(f"tmux -L {tmux_socket_name(asked.root)} attach")
    until_seen(asked, terminal, "◆ 2: 1 alpha → beta")
    until_seen(asked, terminal, "◒ alpha · blocked on a request")
    open_menu(asked, terminal, lambda: terminal.press("C-b", "R"))
    assert "src/beta/#(touch pwned)#{l:x}.py" in terminal.screen()
    terminal.press("1")
    until_seen(asked, terminal, "a approve once   r reject")
    terminal.press("a")
    until_seen(asked, terminal, "src/beta/two.py, owned by beta")
    terminal.press("r")
    asked.until(
        "both decided", lambda: [each["status"] for each in asked.requests()] == ["approved", "rejected"]
    )
    until_seen(asked, terminal, "● alpha · working")
    assert not (asked.root / "pwned").exists()


def test_a_person_decides_in_a_popup_of_the_own_server(
    asked: Session, terminal: Terminal, tmp_path: Path
) -> None:
    conf = tmp_path / "tmux.conf"
    conf.write_text(text_of(SURFACES["tmux"], PROGRAM))
    terminal.open(f"tmux -f {conf} new-session -s mine")
    until_seen(asked, terminal, "◆ 2: 1 alpha → beta")
    open_menu(asked, terminal, lambda: terminal.press("C-b", "R"))
    terminal.press("2")
    until_seen(asked, terminal, "src/beta/two.py, owned by beta")
    terminal.press("u")
    until_seen(asked, terminal, "nothing was written that could be undone")
    terminal.press("Space")
    terminal.press("r")
    until_seen(asked, terminal, "to page")
    terminal.press("q")
    asked.until("one decided", lambda: [each["status"] for each in asked.requests()] == ["open", "rejected"])
    assert not (asked.root / "pwned").exists()


def test_what_runs_in_the_private_server_decides_nothing(asked: Session, terminal: Terminal) -> None:
    """An agent without a gate can open a popup or a window there; it is no operator for that."""
    words = [*PROGRAM, "approve", "1"]
    line = f"cd {asked.root} && {' '.join(words)} >{asked.root}/said 2>&1; echo $? >{asked.root}/status"
    name = tmux_socket_name(asked.root)
    subprocess.run(
        ["tmux", "-L", name, "run-shell", "-b", line], env=asked.environment, check=True, timeout=60
    )
    status = asked.root / "status"
    asked.until("an answer", lambda: status.exists() and status.read_text())
    assert status.read_text() == "1\n"
    assert asked.requests()[0]["status"] == "open"
