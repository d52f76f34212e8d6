"""The engine calls while no screen is open: by a program of the operator's, and in their own tmux."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from session_play import Session

from runebook_tui.core.calls import Call
from runebook_tui.execution.calling import MOST_A_MINUTE, Means
from runebook_tui.execution.screens import OpenScreen, screen_is_open
from runebook_tui.place import state_folder
from runebook_tui.settings import Notify
from runebook_tui.tmux.message import show_message

HOSTILE = "alpha is waiting for you: $(touch pwned) `touch pwned` #(touch pwned) %H -x"


def call(words: str = HOSTILE) -> Call:
    return Call(("agent", "alpha", 1.0), words, agent="alpha", state="waiting for you")


def recorder(folder: Path) -> tuple[str, ...]:
    """A program that writes down what it is told, a line for each run."""
    program = (
        "import json, os, sys; told = {k: v for k, v in os.environ.items() if k[:13] == 'RUNEBOOK_CALL'}; "
        f"open({str(folder / 'told')!r}, 'a').write(json.dumps([sys.argv[1:], told]) + '\\n')"
    )
    return (sys.executable, "-c", program, "word")


def told(folder: Path) -> list[tuple[list[str], dict[str, str]]]:
    file = folder / "told"
    return [tuple(json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []


async def test_the_program_is_told_by_variables_and_by_no_shell(tmp_path: Path) -> None:
    means = Means(tmp_path, lambda: 0.0)
    await means.tell([call()], Notify(tmux=False, command=recorder(tmp_path)))
    ((words, variables),) = told(tmp_path)
    assert words == ["word"]
    assert variables["RUNEBOOK_CALL"] == HOSTILE
    assert variables["RUNEBOOK_CALL_AGENT"] == "alpha"
    assert variables["RUNEBOOK_CALL_STATE"] == "waiting for you"
    assert variables["RUNEBOOK_CALL_COUNT"] == "1"
    assert not (tmp_path / "pwned").exists()


async def test_it_runs_so_often_a_minute_and_no_more(tmp_path: Path) -> None:
    now = [0.0]
    means = Means(tmp_path, lambda: now[0])
    notify = Notify(tmux=False, command=recorder(tmp_path))
    for _ in range(MOST_A_MINUTE + 3):
        await means.tell([call()], notify)
    assert len(told(tmp_path)) == MOST_A_MINUTE
    now[0] = 61.0
    await means.tell([call()], notify)
    assert len(told(tmp_path)) == MOST_A_MINUTE + 1


async def test_a_program_that_cannot_be_run_stops_nothing(tmp_path: Path) -> None:
    await Means(tmp_path, lambda: 0.0).tell([call()], Notify(tmux=False, command=("/no/such/program",)))


async def test_nothing_to_tell_runs_nothing(tmp_path: Path) -> None:
    await Means(tmp_path, lambda: 0.0).tell([], Notify(tmux=False, command=recorder(tmp_path)))
    assert told(tmp_path) == []


def test_a_screen_is_open_until_it_is_closed_or_its_process_ends(tmp_path: Path) -> None:
    state_folder(tmp_path).mkdir()
    assert not screen_is_open(tmp_path)
    first, second = OpenScreen(tmp_path), OpenScreen(tmp_path)
    assert screen_is_open(tmp_path)
    first.close()
    assert screen_is_open(tmp_path)
    second.close()
    assert not screen_is_open(tmp_path)
    holds = "from runebook_tui.execution.screens import *; import sys; s = OpenScreen(Path(sys.argv[1]))"

    program = subprocess.Popen(
        [sys.executable, "-c", f"{holds}; print(flush=True); sys.stdin.read()", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert program.stdout is not None
    program.stdout.readline()
    assert screen_is_open(tmp_path)
    program.kill()
    program.communicate()
    assert not screen_is_open(tmp_path)


@pytest.mark.timeout(100)
def test_the_message_stands_in_the_users_tmux_and_expands_nothing(tmp_path: Path) -> None:
    """Read as the bytes that tmux sends to a terminal that is attached to it."""
    socket = tmp_path / "tmux"
    server = ["tmux", "-S", str(socket), "-f", os.devnull]
    environment = {**{k: v for k, v in os.environ.items() if k != "TMUX"}, "TERM": "xterm-256color"}
    ours, theirs = pty.openpty()
    try:
        subprocess.run([*server, "new-session", "-d", "-x", "150", "sleep 600"], check=True, env=environment)
        client = subprocess.Popen(
            [*server, "attach"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
        )
        try:
            assert show_message(socket, "nobody has invited us") == 0
            subprocess.run([*server, "set", "-g", "@runebook_surface", "on"], check=True, env=environment)
            end = time.monotonic() + 60
            while show_message(socket, f"Runebook: {HOSTILE}"[:70]) == 0:
                assert time.monotonic() < end
            seen = b""
            while b"$(touch pwned) `touch pwned`" not in seen:
                seen += os.read(ours, 65_536)
        finally:
            client.kill()
            client.wait()
    finally:
        subprocess.run([*server, "kill-server"], check=False, capture_output=True)
        os.close(ours)
        os.close(theirs)


def test_without_a_server_nobody_is_told(tmp_path: Path) -> None:
    assert show_message(tmp_path / "none", "words") == 0


PLAN = """
[plan]
name = "calls"

[[phases]]
id = "work"

[[agents]]
id = "alpha"
phase = "work"
command = ["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; exit 3"]
claims = ["alpha/**"]
"""


def test_an_engine_without_a_screen_calls_once(session: Session) -> None:
    folder = session.root.parent / "config"
    folder.mkdir()
    words = ", ".join(json.dumps(word) for word in recorder(folder))
    (folder / "runebook").mkdir()
    (folder / "runebook" / "settings.toml").write_text(f"[notify]\ntmux = false\ncommand = [{words}]\n")
    session.environment["XDG_CONFIG_HOME"] = str(folder)
    session.plan(PLAN)
    session.start()
    session.until("alpha at work", lambda: session.agent("alpha").get("alive"))
    (session.root / "go").touch()
    session.until("the call", lambda: told(folder))
    ((_, variables),) = told(folder)
    assert variables["RUNEBOOK_CALL"] == "alpha has failed: exit 3"
    assert variables["RUNEBOOK_CALL_ROOT"] == str(session.root)


async def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runebook_tui.execution.calling._COMMAND_SECONDS", 0.2)
    file = tmp_path / "pid"
    command = ("sh", "-c", f"echo $$ > {file}; exec sleep 600")
    async with asyncio.timeout(60):
        await Means(tmp_path, lambda: 0.0).tell([call()], Notify(tmux=False, command=command))
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)
