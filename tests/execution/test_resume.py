"""After tmux's death or a reboot: who was at work is lost, comes back once, and in its own session."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from session_play import WAITING, Session
from test_interactive import Terminal

from runebook_tui.place import tmux_socket_name

PLAN = """
[plan]
name = "resuming"

[policy]
hold_seconds = 600

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["bash", "alpha.sh"]
claims = ["alpha/**"]

[[agents]]
id = "beta"
phase = "build"
command = ["bash", "beta.sh"]
claims = ["beta/**"]
"""


def begin(session: Session, alpha: str = "", beta: str = "", plan: str = PLAN) -> None:
    """Both at work until the file `end` is there; each start leaves a line in its folder."""
    for agent, script in (("alpha", alpha), ("beta", beta)):
        (session.root / agent).mkdir()
        (session.root / agent / "kept").touch()
        text = f"echo started >>{agent}/starts\n{script}\n" + WAITING.format("end")
        (session.root / f"{agent}.sh").write_text(text)
    (session.root / ".gitignore").write_text("end\ngo\n")
    session.plan(plan)
    session.start()
    for agent in ("alpha", "beta"):
        session.until_gate(agent)
    session.until("both starts", lambda: starts(session, "alpha") == starts(session, "beta") == 1)


def starts(session: Session, agent: str) -> int:
    path = session.root / agent / "starts"
    return len(path.read_text().splitlines()) if path.exists() else 0


def tmux(session: Session, *words: str) -> str:
    command = ["tmux", "-L", tmux_socket_name(session.root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def kill_tmux(session: Session) -> None:
    os.kill(int(tmux(session, "display-message", "-p", "#{pid}")), signal.SIGKILL)


def members(session: Session) -> list[int]:
    """Every process that was started in a pane of this repository."""
    ours = f"RUNEBOOK_ROOT={session.root}".encode()
    found = []
    for each in Path("/proc").iterdir():
        try:
            inside = each.name.isdigit() and ours in (each / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        found += [int(each.name)] if inside else []
    return found


def reboot(session: Session) -> None:
    """Nothing that ran runs any more, and nobody had the time to say so."""
    server = int(tmux(session, "display-message", "-p", "#{pid}"))
    session.kill_engine()
    for pid in (server, *members(session)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    session.until("nothing runs", lambda: not members(session))


def lost(session: Session) -> set[str]:
    return {agent["id"] for agent in session.status()["agents"] if agent["lost"]}


def test_a_killed_tmux_server_loses_its_agents_and_they_come_back_once(session):
    begin(session, alpha=WAITING.format("go") + "echo x >beta/kept")
    (session.root / "go").touch()
    request = session.until("the held write", lambda: [r for r in session.requests() if r["held_until"]])[0]
    kill_tmux(session)
    session.until("the loss", lambda: lost(session) == {"alpha", "beta"})
    for agent in ("alpha", "beta"):
        assert session.agent(agent)["status"] == "failed"
        assert "its pane is gone" in session.agent(agent)["reason"]
    assert [(r["id"], r["status"]) for r in session.requests()] == [(request["id"], "withdrawn")]
    assert (session.root / "beta/kept").read_text() == ""
    assert "lost with tmux or the machine: alpha starts anew; beta" in session.command("status").stdout
    assert starts(session, "alpha") == 1
    back = session.json("resume")
    assert back == [{"id": "alpha", "session": None}, {"id": "beta", "session": None}]
    assert session.command("resume").stderr == "runebook-tui: no agent is lost\n"
    session.until("both again", lambda: starts(session, "alpha") == starts(session, "beta") == 2)
    session.until("the write is asked anew", lambda: [r for r in session.requests() if r["held_until"]])
    assert session.agent("beta")["attempt"] == 2
    assert lost(session) == set()


def test_after_a_reboot_each_agent_is_brought_back_or_started_anew_as_the_operator_likes(session):
    begin(session)
    records = session.state().seq
    reboot(session)
    session.start()
    session.until("the loss", lambda: lost(session) == {"alpha", "beta"})
    assert session.state().seq > records
    assert session.command("resume", "nobody").returncode == 1
    assert session.command("resume", "alpha").stdout == "alpha is brought back\n"
    assert session.command("restart", "beta").returncode == 0
    session.until("both again", lambda: starts(session, "alpha") == starts(session, "beta") == 2)
    (session.root / "end").touch()
    session.until("the end", lambda: session.status()["outcome"] == "completed")
    assert starts(session, "alpha") == starts(session, "beta") == 2


def test_without_a_screen_the_run_is_left_as_it_is_until_it_is_resumed(session):
    begin(session)
    reboot(session)
    left = session.command("run")
    assert left.returncode == 1
    assert "lost with tmux or the machine: alpha, beta; `runebook-tui run --resume`" in left.stdout
    assert session.status()["outcome"] is None
    session.start("--resume")
    session.until("both again", lambda: starts(session, "alpha") == starts(session, "beta") == 2)
    (session.root / "end").touch()
    assert session.engine.wait(60) == 0
    assert session.status()["outcome"] == "completed"


def test_who_outlives_its_pane_is_ended_before_it_is_lost(session):
    begin(session, alpha="trap '' HUP TERM; echo $$ >alpha/pid")
    survivor = int(session.until("its pid", lambda: (session.root / "alpha/pid").read_text()))
    session.until("its trap", lambda: int(_blocked(survivor, "SigIgn"), 16) & 1)
    kill_tmux(session)
    session.until("the loss", lambda: lost(session) == {"alpha", "beta"})
    assert not _lives(survivor)
    assert session.command("resume").returncode == 0
    session.until("both again", lambda: starts(session, "alpha") == starts(session, "beta") == 2)


def test_who_outlives_its_killed_front_is_ended_before_it_is_told(session):
    begin(session, alpha="trap '' HUP; echo $$ >alpha/pid")
    survivor = int(session.until("its pid", lambda: (session.root / "alpha/pid").read_text()))
    session.until("its trap", lambda: int(_blocked(survivor, "SigIgn"), 16) & 1)
    os.kill(session.agent("alpha")["pid"], signal.SIGKILL)
    session.until("its end", lambda: session.agent("alpha")["status"] == "failed")
    assert not _lives(survivor)
    assert session.command("restart", "alpha").returncode == 0
    session.until("its second start", lambda: starts(session, "alpha") == 2)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _blocked(pid: int, which: str) -> str:
    text = Path(f"/proc/{pid}/status").read_text()
    return next(line.split()[1] for line in text.splitlines() if line.startswith(f"{which}:"))


def test_a_tmux_server_whose_socket_was_removed_is_found_again(session):
    begin(session)
    path = Path(tmux(session, "display-message", "-p", "#{socket_path}"))
    path.unlink()
    session.until("the socket", path.exists)
    session.until("an answer", lambda: tmux(session, "list-panes", "-a") != "")
    assert lost(session) == set()
    assert session.agent("alpha")["attempt"] == 1
    (session.root / "end").touch()
    session.until("the end", lambda: session.status()["outcome"] == "completed")


CLIENT = """#!/bin/sh
echo "$@" >>alpha/arguments
echo '{"hook_event_name": "SessionStart", "session_id": "s-4711", "cwd": "."}' |
    "$PYTHON" -I -S "$HOOK" claude >/dev/null
while [ ! -e end ]; do sleep 0.05; done
"""

CLIENT_PLAN = PLAN.replace('command = ["bash", "alpha.sh"]', 'client = "claude"\nprompt = "do the work"')


@pytest.fixture
def with_client(session: Session) -> Session:
    """alpha runs a program called claude, which says its session by Runebook's own hook."""
    from runebook_tui.hooks import entry

    programs = session.root.parent / "bin"
    programs.mkdir()
    (programs / "claude").write_text(CLIENT)
    (programs / "claude").chmod(0o755)
    session.environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "HOOK": str(entry.__file__)}
    (session.root / "alpha").mkdir()
    (session.root / "beta").mkdir()
    (session.root / "beta.sh").write_text("echo started >>beta/starts\n" + WAITING.format("end"))
    (session.root / ".gitignore").write_text("end\n")
    session.plan(CLIENT_PLAN)
    session.start()
    session.until("its session", lambda: said_session(session) == "s-4711")
    return session


def said_session(session: Session) -> str:
    alpha = session.state().agents.get("alpha")
    return "" if alpha is None or alpha.doing is None else alpha.doing.session


def arguments(session: Session) -> list[str]:
    return (session.root / "alpha/arguments").read_text().splitlines()


def test_a_client_goes_on_in_its_own_session_and_restart_begins_a_new_one(with_client):
    session = with_client
    first = len(arguments(session))
    assert not any("--resume" in line for line in arguments(session))
    kill_tmux(session)
    session.until("the loss", lambda: lost(session) == {"alpha", "beta"})
    assert session.json("resume", "alpha") == [{"id": "alpha", "session": "s-4711"}]
    session.until("alpha again", lambda: len(arguments(session)) > first)
    assert any("--resume s-4711" in line for line in arguments(session)[first:])
    session.until("alpha at work", lambda: session.agent("alpha")["alive"])
    again = len(arguments(session))
    assert session.command("stop", "alpha").returncode == 0
    session.until("its end", lambda: not session.agent("alpha")["alive"])
    assert session.command("restart", "alpha").returncode == 0
    session.until("alpha anew", lambda: len(arguments(session)) > again)
    session.until("alpha at work", lambda: session.agent("alpha")["alive"])
    assert not any("--resume" in line for line in arguments(session)[again:])


def test_after_down_a_client_goes_on_in_its_own_session(with_client):
    session = with_client
    first = len(arguments(session))
    assert session.command("down").returncode == 0
    assert session.engine.wait(60) == 0
    session.start()
    session.until("alpha again", lambda: len(arguments(session)) > first)
    session.until("alpha at work", lambda: session.agent("alpha")["alive"])
    assert any("--resume s-4711" in line for line in arguments(session)[first:])


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=["80x24", "140x40"])
def test_the_screen_asks_once_and_one_key_brings_them_back(session, size):
    begin(session)
    reboot(session)
    person = Terminal(session, *size)
    try:
        person.shows("Bring 2 agents back?", "bring them back")
        person.keys("n")
        person.shows("B bring back 2")
        assert lost(session) == {"alpha", "beta"}
        person.keys("B")
        session.until("both again", lambda: starts(session, "alpha") == starts(session, "beta") == 2)
        session.until("both at work", lambda: all(a["alive"] for a in session.status()["agents"]))
        kill_tmux(session)
        person.shows("Bring 2 agents back?")
        person.keys("y")
        session.until("both a third time", lambda: starts(session, "alpha") == starts(session, "beta") == 3)
    finally:
        person.close()
