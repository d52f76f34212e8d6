"""The engine's socket: nobody else gets in, and who is slow or loud keeps nobody waiting."""

from __future__ import annotations

import json
import os
import socket
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_play import Inside, attempts, engine_socket, inside

from runebook_tui.execution.client import EngineClient
from runebook_tui.execution.lines import MOST_TOGETHER
from runebook_tui.execution.server import MOST_OF_ONE

NOBODY = 65534
PATIENT_SECONDS = 1.0
"""The operator's question is answered within this, whatever agents do; alone it takes a few milliseconds."""


@pytest.fixture(scope="module")
def agent() -> Iterator[Inside]:
    with inside("observe") as found:
        yield found


def waits(agent: Inside) -> float:
    """The median of what the operator waits for an answer, in seconds."""
    spent = []
    for _ in range(15):
        began = time.perf_counter()
        with EngineClient(agent.session.root) as client:
            assert client.ask("hello")["you"] == "operator"
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def memory_of(pid: int) -> int:
    """Bytes of a process in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def as_another(path: str) -> str:
    """What another user gets who asks the engine to approve: its answer, or the name of an error."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        said = "nothing"
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(path)
                peer.sendall(b'{"do":"approve","request":1}\n')
                said = peer.makefile().readline()
        except OSError as error:
            said = type(error).__name__
        finally:
            os.write(write, said.encode())
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_does_not_reach_the_socket_and_is_refused_where_modes_let_them(agent: Inside) -> None:
    path = Path(engine_socket(agent.session))
    assert as_another(os.fspath(path)) == "PermissionError"
    folders = [path.parent, path.parent.parent, path.parent.parent.parent]
    modes = [(each, each.stat().st_mode & 0o777) for each in (*folders, path)]
    try:
        for each, _ in modes:
            each.chmod(0o777)
        answer = json.loads(as_another(os.fspath(path)))
    finally:
        for each, mode in modes:
            each.chmod(mode)
    assert answer == {"ok": False, "error": "refused: another user's process"}
    assert [each for who, each in attempts(agent.session) if who.startswith("pid ")] == ["approve 1"]


def test_half_messages_on_all_connections_of_an_agent_leave_the_operator_where_it_was(agent: Inside) -> None:
    quiet = waits(agent)
    tried = MOST_OF_ONE + 40
    said = agent.does(
        "open_ones = []\n"
        "refused = 0\n"
        "for _ in range(tried):\n"
        "    peer = socket.socket(socket.AF_UNIX)\n"
        "    peer.connect(ENGINE)\n"
        "    open_ones.append(peer)\n"
        "    try:\n"
        '        peer.sendall(b\'{"do":"hello","x":"\')\n'
        "    except BrokenPipeError:\n"
        "        pass\n"
        "for peer in open_ones:\n"
        "    peer.settimeout(0.02)\n"
        "    try:\n"
        "        refused += b'too many connections' in peer.recv(200)\n"
        "    except OSError:\n"
        "        pass\n"
        "globals()['kept'] = open_ones\n"
        "import builtins; builtins.kept = open_ones\n"
        "said = refused\n",
        tried=tried,
    )
    assert 40 <= said < tried
    busy = waits(agent)
    agent.does("import builtins\nfor each in builtins.kept: each.close()\n")
    assert busy < PATIENT_SECONDS, (quiet, busy)
    agent.session.until("room again", lambda: agent.does("said = talk({'do': 'hello'})").get("ok"))


def test_many_long_messages_at_once_do_not_fill_the_memory(agent: Inside) -> None:
    with EngineClient(agent.session.root) as client:
        pid = client.ask("hello")["pid"]
    before = memory_of(pid)
    said = agent.does(
        "peers, refused = [], 0\n"
        "piece = b'x' * 1_000_000\n"
        "for _ in range(60):\n"
        "    peer = socket.socket(socket.AF_UNIX)\n"
        "    peer.settimeout(10)\n"
        "    peer.connect(ENGINE)\n"
        "    peers.append(peer)\n"
        "    try:\n"
        "        for _ in range(4): peer.sendall(piece)\n"
        "    except OSError:\n"
        "        refused += 1\n"
        "said = refused\n"
        "import builtins; builtins.kept = peers\n"
    )
    grown = memory_of(pid) - before
    assert said > 0
    assert grown < 2 * MOST_TOGETHER, grown
    assert waits(agent) < PATIENT_SECONDS
    agent.does("import builtins\nfor each in builtins.kept: each.close()\n")
    answer = agent.does(
        "with socket.socket(socket.AF_UNIX) as peer:\n"
        "    peer.connect(ENGINE)\n"
        "    try: peer.sendall(b'x' * 5_000_000)\n"
        "    except OSError: pass\n"
        "    said = peer.makefile().readline()\n"
    )
    assert "the message is too long" in answer


FLOOD = """
import os, time
began = time.monotonic()
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(ENGINE)
            peer.setblocking(False)
            lines = b'{"do":"hello"}\\n' * 2000
            while time.monotonic() - began < seconds:
                for act in (lambda: peer.send(lines), lambda: peer.recv(1 << 20)):
                    try: act()
                    except BlockingIOError: pass
                time.sleep(0)
        os._exit(0)
    children.append(child)
import builtins; builtins.children = children
"""


def test_an_agent_that_never_stops_talking_does_not_keep_the_operator_waiting(agent: Inside) -> None:
    agent.does(FLOOD, seconds=6)
    busy = waits(agent)
    agent.does("import builtins\nfor each in builtins.children: os.kill(each, 9); os.waitpid(each, 0)\n")
    assert busy < PATIENT_SECONDS, busy


def test_descriptors_that_are_handed_over_are_dropped(agent: Inside) -> None:
    with EngineClient(agent.session.root) as client:
        pid = client.ask("hello")["pid"]
    before = len(os.listdir(f"/proc/{pid}/fd"))
    said = agent.does(
        "with socket.socket(socket.AF_UNIX) as peer:\n"
        "    peer.connect(ENGINE)\n"
        "    for _ in range(20):\n"
        '        socket.send_fds(peer, [b\'{"do":"hello"}\\n\'], [0] * 200)\n'
        "    said = [json.loads(line)['ok'] for _, line in zip(range(20), peer.makefile())]\n"
    )
    assert said == 20 * [True]
    assert len(os.listdir(f"/proc/{pid}/fd")) < before + 20
