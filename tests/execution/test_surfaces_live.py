"""What happens is seen outside the screens: in the snapshot, the private tmux server, and the user's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from session_play import WAITING, Session, rb

from runebook_tui.place import tmux_socket_name
from runebook_tui.surfaces import snapshot

PLAN = """
[plan]
name = "surfaces #(touch pwned)"

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


@pytest.fixture
def asking(session: Session) -> Session:
    """Alpha asks for a file of beta's whose name tmux could take for a command, once `go` is there."""
    path = "'src/beta/#(touch pwned)#[fg=red].py'"
    session.plan(PLAN)
    (session.root / "alpha.sh").write_text(
        WAITING.format("go") + rb("ask", path, "--no-wait") + "sleep 600\n"
    )
    session.start()
    session.until("alpha at work", lambda: session.agent("alpha").get("alive"))
    return session


def shown(session: Session) -> dict[str, Any]:
    return snapshot.read(session.root) or {}


def private(session: Session, *words: str) -> str:
    return tmux(["-L", tmux_socket_name(session.root)], *words)


def tmux(server: list[str], *words: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(["tmux", *server, *words], capture_output=True, text=True, timeout=60, env=env)
    return done.stdout.rstrip("\n")


def test_a_request_is_in_the_snapshot_and_gone_after_the_decision(asking: Session) -> None:
    asking.until("a snapshot", lambda: shown(asking).get("prompt") == "2 working")
    (asking.root / "go").touch()
    found = asking.until("the request", lambda: shown(asking).get("requests"))
    assert (found[0]["who"], found[0]["owners"]) == ("alpha", ["beta"])
    now = shown(asking)
    assert now["prompt"] == "1 request, 1 working"
    assert now["mood"] == "asking"
    assert now["files"][found[0]["paths"][0]]["owner"] == "beta"
    assert [each["asks"] for each in now["agents"]] == [[1], []]
    assert [each["asked"] for each in now["agents"]] == [[], [1]]
    assert asking.command("reject", "1").returncode == 0
    asking.until("nothing that waits", lambda: shown(asking).get("mood") == "calm")
    asking.down()
    assert not snapshot.path_of(asking.root).exists()


def test_the_private_server_shows_it_on_status_line_and_borders(asking: Session) -> None:
    (asking.root / "go").touch()
    asking.until(
        "the status line", lambda: "◆ 1: 1 alpha → beta" in private(asking, "show", "-gv", "@runebook_status")
    )
    panes = {
        line.split()[0]: line.partition(" ")[2]
        for line in private(
            asking, "list-panes", "-a", "-F", "#{window_name} #{@runebook_colour} #{@runebook_pane}"
        ).splitlines()
    }
    assert panes["alpha"] == (
        "cyan #[bold]◒ alpha#[nobold] · blocked on a request · #[fg=yellow]◆ asks 1#[default]"
    )
    assert panes["beta"] == "magenta #[bold]● beta#[nobold] · working · #[fg=yellow]◇ asked for 1#[default]"


@pytest.fixture
def own_server(session: Session, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a person whose own tmux server runs with one session in the repository."""
    folder = tmp_path / "t"
    folder.mkdir()
    session.environment["TMUX_TMPDIR"] = str(folder)
    session.environment.pop("TMUX", None)
    env = dict(session.environment)
    tmux(
        ["-f", "/dev/null"], "new-session", "-d", "-s", "mine", "-c", str(session.root), "sleep 600", env=env
    )
    tmux([], "new-session", "-d", "-s", "else", "-c", str(tmp_path), "sleep 600", env=env)
    tmux([], "set", "-g", "status-right", "mine %H:%M", env=env)
    tmux([], "set", "-t", "mine", "status-right-length", "33", env=env)
    yield env
    tmux([], "kill-server", env=env)


def options(env: dict[str, str]) -> list[str]:
    """Everything that is set anywhere in the user's server."""
    scopes = (["-g"], ["-t", "mine"], ["-t", "else"], ["-gw"], ["-w", "-t", "mine"], ["-p", "-t", "mine"])
    return [tmux([], "show-options", *scope, env=env) for scope in scopes]


def test_nothing_is_changed_in_the_users_server_without_an_invitation(
    own_server: dict[str, str], asking: Session
) -> None:
    before = options(own_server)
    (asking.root / "go").touch()
    asking.until("the request", lambda: shown(asking).get("requests"))
    assert asking.command("down").returncode == 0
    assert options(own_server) == before


def test_the_users_server_shows_it_where_invited_and_is_as_before_afterwards(
    own_server: dict[str, str], asking: Session
) -> None:
    # Before the invitation: the engine, which runs already, follows it at once.
    before = options(own_server)
    invitation = ("@runebook_surface", "@runebook_borders")
    for name in invitation:
        tmux([], "set", "-g", name, "on", env=own_server)
    (asking.root / "go").touch()

    def status(session: str) -> str:
        return tmux([], "show", "-v", "-t", session, "@runebook_status", env=own_server)

    asking.until("the segment", lambda: "◆ 1: 1 alpha → beta" in status("mine"))
    asking.until(
        "its place",
        lambda: (
            tmux([], "show", "-v", "-t", "mine", "status-right", env=own_server)
            == "#{@runebook_status} mine %H:%M"
        ),
    )
    assert status("else") == ""
    asking.until(
        "borders",
        lambda: tmux([], "show", "-w", "-v", "-t", "mine", "pane-border-status", env=own_server) == "top",
    )
    border = tmux([], "display", "-p", "-t", "mine", "#{E:pane-border-format}", env=own_server)
    assert "you · ◆ 1 request, 1 working" in border
    asking.kill_engine()
    asking.start()
    asking.until("the next engine", lambda: "◆ 1" in status("mine"))
    assert asking.command("down").returncode == 0
    for name in invitation:
        assert tmux([], "show", "-gv", name, env=own_server) == "on"
        tmux([], "set", "-gu", name, env=own_server)
    assert options(own_server) == before
    assert not (asking.root / "pwned").exists()
    assert not os.path.exists("pwned")
