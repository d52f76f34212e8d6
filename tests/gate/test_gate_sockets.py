"""tmux's sockets: the operator's are out of reach from a gated pane, the agent's own server is not."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from conftest import Gate

TRY = """
import ctypes, os, socket, subprocess, sys
def reach(path):
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
        except OSError as error:
            return type(error).__name__
    return "reached"
"""


@pytest.fixture
def operators(gate: Gate) -> Iterator[Gate]:
    """A gate with a folder of tmux sockets, in which somebody outside listens."""
    folder = gate.home / "tmux"
    folder.mkdir()
    gate.enforce(tmux=[str(folder)])
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "default"))
        listening.listen()
        for each in (folder, folder / "default"):
            os.chmod(each, 0o777)
            os.chown(each, gate.uid, gate.uid)
        yield gate


def outcome(gate: Gate, script: str) -> list[str]:
    done = gate.run(gate.interpreter(), "-I", "-c", TRY + script)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().split()


def test_the_operators_socket_is_not_reached_by_any_name(operators: Gate) -> None:
    (operators.home / "outside/link").symlink_to(operators.home / "tmux")
    script = (
        "os.chdir('../tmux'); names = ['default', '/proc/self/root' + os.path.abspath('default'), "
        "'../outside/link/default', '/proc/self/fd/%d' % os.open('default', os.O_PATH)]\n"
        "print(*map(reach, names))"
    )
    assert outcome(operators, script) == 4 * ["PermissionError"]
    refused = operators.engine.said("refused")
    assert [line["reason"] for line in refused] == ["tmux's socket"]
    assert refused[0]["record"]["path"] == str(operators.home / "tmux/default")  # type: ignore[index]


def test_nor_is_it_renamed_linked_or_mounted_into_reach(operators: Gate) -> None:
    script = (
        "tmux, outside = os.path.abspath('../tmux'), os.path.abspath('../outside')\n"
        "for act in (os.rename, os.link):\n"
        "    try: act(tmux + '/default', outside + '/s')\n"
        "    except PermissionError as error: print(error.errno)\n"
        "try: os.unlink(tmux + '/default')\n"
        "except PermissionError as error: print(error.errno)\n"
        "inside = TRY + f\"print(reach('{outside}/default'))\"\n"
        "command = f'mount --bind {tmux} {outside}; exec {sys.executable} -I -c \"$0\"'\n"
        "print(subprocess.run(['unshare', '-rm', 'sh', '-c', command, inside], text=True, "
        "capture_output=True).stdout)"
    )
    assert outcome(operators, f"TRY = {TRY!r}\n{script}") == ["13", "13", "13", "PermissionError"]


def test_everything_else_is_reached(operators: Gate) -> None:
    script = (
        "own = socket.socket(socket.AF_UNIX); own.bind('../tmux/own'); own.listen()\n"
        "near = socket.socket(socket.AF_UNIX); near.bind('mine/s'); near.listen()\n"
        "name = '\\0' + os.path.abspath('.'); bare = socket.socket(socket.AF_UNIX); bare.bind(name)\n"
        "bare.listen(); net = socket.socket(); net.bind(('127.0.0.1', 0)); net.listen()\n"
        "socket.create_connection(net.getsockname()).close()\n"
        f"print(*map(reach, ['../tmux/own', 'mine/s', name, {operators.engine.path!r}, 'mine/none']))"
    )
    assert outcome(operators, script) == [*4 * ["reached"], "FileNotFoundError"]


def test_a_tmux_server_of_the_agents_own_is_usable(operators: Gate) -> None:
    tmux = "tmux -S ../tmux/agent -f /dev/null"
    script = f"{tmux} new-session -d sleep 100; {tmux} list-sessions; {tmux} kill-server"
    done = operators.run("bash", "-ec", script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"0: 1 windows")
    theirs = operators.run("tmux", "-S", "../tmux/default", "list-sessions")
    assert theirs.returncode == 1
    assert b"is tmux's socket: no program of an agent may command that server" in theirs.stderr
