"""Attempts of a hostile agent from inside its gated pane: each is refused, and the operator is told."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hostile_play import Inside, attempts, engine_socket, inside

from runebook_tui.core.fold import fold
from runebook_tui.execution.client import EngineClient
from runebook_tui.execution.follow import open_log
from runebook_tui.place import tmux_socket_name


@pytest.fixture(scope="module")
def agent() -> Iterator[Inside]:
    with inside("enforce") as found:
        found.does("talk({'do': 'ask', 'paths': ['beta/kept'], 'reason': 'attack'})")
        yield found


@dataclass(frozen=True)
class Attempt:
    """What is tried, what comes of it inside, and how what the operator is told begins ("" for nothing)."""

    code: str
    comes: str
    told: str = ""


SHELL = "Permission denied"
NOT_PERMITTED = "EPERM"
LOG = "write .runebook/log.sqlite"

TO_DECIDE = {
    "approve on the socket": Attempt(
        "said = talk({'do': 'approve', 'request': 1})", "only the operator may", "approve 1"
    ),
    "approve after hello": Attempt(
        "said = talk({'do': 'hello', 'you': 'operator'}, {'do': 'reject', 'request': 1})",
        "only the operator may",
        "reject 1",
    ),
    "through the operator's tmux": Attempt(
        "said = shell(f'tmux -L {tmux} send-keys -t beta a')", "no program of an agent", "write /tmp/tmux-"
    ),
    "through a socket that is mounted elsewhere": Attempt(
        "os.makedirs('alpha/here', exist_ok=True)\n"
        "said = shell(f'unshare -m sh -c \"mount --bind /tmp/tmux-{os.getuid()} alpha/here && '\n"
        "             f'exec tmux -S alpha/here/{tmux} kill-server\"')",
        "no program of an agent",
        "write /tmp/tmux-",
    ),
    "a stranger's credentials are not believed": Attempt(
        "with socket.socket(socket.AF_UNIX) as peer:\n"
        "    peer.connect(ENGINE)\n"
        "    pid = engine if os.getuid() == 0 else os.getpid()\n"
        "    credentials = struct.pack('3i', pid, os.getuid(), os.getgid())\n"
        '    peer.sendmsg([b\'{"do":"undo","request":1}\\n\'], [(socket.SOL_SOCKET, 2, credentials)])\n'
        "    said = peer.makefile().readline()",
        "only the operator may",
        "undo 1",
    ),
}

TO_WRITE_THE_LOG = {
    "sqlite": Attempt(
        "db = sqlite3.connect('.runebook/log.sqlite', timeout=1)\ndb.execute('delete from event')",
        "readonly database",
        LOG,
    ),
    "a journal that a reader would roll back": Attempt(
        "open('.runebook/log.sqlite-journal', 'wb').write(b'x')", SHELL, f"{LOG}-journal"
    ),
    "its name through a descriptor": Attempt(
        "fd = os.open('.runebook/log.sqlite', os.O_RDONLY)\nopen(f'/proc/self/fd/{fd}', 'r+b')", SHELL, LOG
    ),
    "a shared mapping of a file opened for reading": Attempt(
        "fd = os.open('.runebook/log.sqlite', os.O_RDONLY)\nmmap.mmap(fd, 4096, mmap.MAP_SHARED)", SHELL
    ),
    "a hard link": Attempt("os.link('.runebook/log.sqlite', 'alpha/log')", SHELL, LOG),
    "a rename onto it": Attempt(
        "open('alpha/log', 'w').write('x')\nos.rename('alpha/log', '.runebook/log.sqlite')", SHELL, LOG
    ),
    "a rename of its folder": Attempt("os.rename('.runebook', '.away')", SHELL, "write .runebook"),
    "a link to it": Attempt(
        "os.symlink('../.runebook/log.sqlite', 'alpha/to')\nopen('alpha/to', 'r+b')",
        SHELL,
        LOG,
    ),
    "a mount of its folder": Attempt(
        "os.makedirs('alpha/state', exist_ok=True)\n"
        "said = shell('unshare -m sh -c \"mount --bind .runebook alpha/state && '\n"
        "             ': >>alpha/state/log.sqlite\"')",
        SHELL,
        LOG,
    ),
    "by its full name from another root": Attempt(
        "said = shell('unshare -m sh -c \"cd / && mount --bind / /mnt && '\n"
        '             f\'chroot /mnt sh -c \\\\": >>{ROOT}/.runebook/log.sqlite\\\\""\')',
        SHELL,
        LOG,
    ),
    "truncate": Attempt("os.truncate('.runebook/log.sqlite', 0)", SHELL, LOG),
    "the engine's own descriptor": Attempt(
        "for name in os.listdir(f'/proc/{engine}/fd'):\n"
        "    place = f'/proc/{engine}/fd/{name}'\n"
        "    if os.readlink(place).endswith('log.sqlite'): open(place, 'r+b')",
        SHELL,
        LOG,
    ),
    "a descriptor taken from the engine": Attempt(
        "said = called('syscall', 438, os.pidfd_open(engine), 3, 0)", NOT_PERMITTED, "trace the engine"
    ),
}

TO_PASS_FOR_ANOTHER = {
    "by its environment": Attempt(
        "said = shell('RUNEBOOK_AGENT=beta \"$PYTHON\" -P -m runebook_tui task done b-1')",
        "is a task of beta",
    ),
    "by exec": Attempt(
        "said = shell('\"$PYTHON\" -P -m runebook_tui exec beta -- touch beta/mine')",
        "only beta itself",
        "exec beta",
    ),
    "by a message": Attempt("said = talk({'do': 'ready', 'agent': 'beta'})", "alpha cannot speak for beta"),
    "as its supervisor": Attempt(
        "said = talk({'do': 'attach', 'agent': 'beta', 'gate': 'off'})", "alpha cannot speak for beta"
    ),
    "as its own supervisor": Attempt(
        "said = talk({'do': 'attach', 'agent': 'alpha', 'gate': 'off'})", "only the supervisor of alpha"
    ),
    "a daemon without a name": Attempt(
        "out, into = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        os.write(into, json.dumps(talk({'do': 'stop', 'agent': 'beta'})).encode())\n"
        "    os._exit(0)\n"
        "os.wait(); os.close(into)\n"
        "said = os.fdopen(out).read()",
        "only the operator may",
        "stop beta",
    ),
    "a connection whose process has ended": Attempt(
        "mine, theirs = socket.socketpair()\n"
        "if os.fork() == 0:\n"
        "    peer = socket.socket(socket.AF_UNIX)\n"
        "    peer.connect(ENGINE)\n"
        "    socket.send_fds(theirs, [b'x'], [peer.fileno()])\n"
        "    os._exit(0)\n"
        "_, fds, _, _ = socket.recv_fds(mine, 1, 1)\n"
        "os.wait()\n"
        "with socket.socket(fileno=fds[0]) as peer:\n"
        '    peer.sendall(b\'{"do":"restart","agent":"beta"}\\n\')\n'
        "    said = peer.makefile().readline()",
        "a process that has gone already",
        "restart beta",
    ),
}

TO_STOP_IT = {
    "down": Attempt("said = talk({'do': 'down'})", "only the operator may", "down"),
    "kill the engine": Attempt("said = called('kill', engine, 9)", NOT_PERMITTED, "signal the engine"),
    "stop the engine": Attempt("said = called('kill', engine, 19)", NOT_PERMITTED, "signal the engine"),
    "kill its group": Attempt(
        "said = called('kill', -os.getpgid(engine), 9)", NOT_PERMITTED, "signal the engine"
    ),
    "kill everybody": Attempt("said = called('kill', -1, 9)", NOT_PERMITTED, "signal every process"),
    "kill its supervisor": Attempt(
        "said = called('kill', os.getppid(), 9)", NOT_PERMITTED, "signal its own supervisor"
    ),
    "kill the tmux server": Attempt(
        "said = called('kill', server, 9)", NOT_PERMITTED, "signal a tmux server"
    ),
    "kill another agent": Attempt(
        "said = called('kill', beta, 9)", NOT_PERMITTED, "signal another agent's process"
    ),
    "kill by a thread's number": Attempt(
        "said = called('syscall', 200, engine, 9)", NOT_PERMITTED, "signal the engine"
    ),
    "trace it": Attempt("said = called('ptrace', 16, engine, 0, 0)", NOT_PERMITTED, "trace the engine"),
    "trace its supervisor": Attempt(
        "said = called('ptrace', 0x4206, os.getppid(), 0, 0)", NOT_PERMITTED, "trace its own supervisor"
    ),
    "write its memory": Attempt(
        "said = called('process_vm_writev', engine, None, 0, None, 0, 0)", NOT_PERMITTED, "trace the engine"
    ),
    "write its memory by a file": Attempt(
        "open(f'/proc/{engine}/mem', 'r+b')", "not permitted", "write the engine"
    ),
    "have the kernel end it first": Attempt(
        "open(f'/proc/{engine}/oom_score_adj', 'w').write('1000')", "not permitted", "write the engine"
    ),
    "take its files away by a limit": Attempt(
        "resource.prlimit(engine, resource.RLIMIT_FSIZE, (0, 0))", "not permitted", "limit the engine"
    ),
    "enter its namespaces": Attempt(
        "said = shell(f'nsenter -t {engine} -m sh -c \": >>{ROOT}/.runebook/log.sqlite\"')", SHELL, LOG
    ),
    "take its socket away": Attempt("os.unlink(ENGINE)", SHELL, "write /"),
    "move its socket away": Attempt("os.rename(ENGINE, ENGINE + '.away')", SHELL, "write /"),
    "move the socket's folder away": Attempt(
        "os.rename(os.path.dirname(ENGINE), os.path.dirname(ENGINE) + '.away')", SHELL, "write /"
    ),
}

EVERY = {**TO_DECIDE, **TO_WRITE_THE_LOG, **TO_PASS_FOR_ANOTHER, **TO_STOP_IT}


def test_every_attempt_is_refused_and_told(agent: Inside) -> None:
    session = agent.session
    with EngineClient(session.root) as client:
        engine = client.ask("hello")["pid"]
    state = session.state()
    names = {
        "engine": engine,
        "beta": front_command(state.agents["beta"].pid),
        "server": parent(state.agents["beta"].pid),
        "tmux": tmux_socket_name(session.root),
    }
    wrong = {}
    for name, attempt in EVERY.items():
        said = json.dumps(agent.does(attempt.code, **names))
        if attempt.comes not in said:
            wrong[name] = said
    assert wrong == {}, "\n".join(f"{name}: {said}" for name, said in wrong.items())
    missing = {"": "nothing yet"}

    def all_told() -> bool:
        told = [each for who, each in attempts(session) if who == "alpha" or who.startswith("pid ")]
        missing.clear()
        missing.update({n: a.told for n, a in EVERY.items() if not any(t.startswith(a.told) for t in told)})
        return not missing

    try:
        session.until("all of them told", all_told)
    except AssertionError as error:
        raise AssertionError(f"never told: {missing}") from error
    with EngineClient(session.root) as client:
        assert client.ask("hello")["pid"] == engine
    after = session.state()
    assert after.requests[1].status == "open"
    assert after.agents["beta"].alive
    assert after.agents["beta"].attempt == 1
    assert after.agents["alpha"].alive
    with open_log(session.root) as log:
        assert fold(log.read()) == after
    with sqlite3.connect(f"file:{session.root}/.runebook/log.sqlite?mode=ro", uri=True) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)


def test_attempts_without_end_are_counted_and_do_not_fill_the_log(agent: Inside) -> None:
    session = agent.session
    before = len(attempts(session))
    agent.does("talk(*({'do': 'approve', 'request': number} for number in range(300)))")
    assert len(attempts(session)) - before <= 60


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def front_command(front: int) -> int:
    """The program below a pane's first process and its server."""
    found = front
    for _ in range(2):
        below = [
            int(each) for each in os.listdir("/proc") if each.isdigit() and parent_or_none(int(each)) == found
        ]
        found = below[0]
    return found


def parent_or_none(pid: int) -> int | None:
    try:
        return parent(pid)
    except OSError:
        return None


def test_the_engines_socket_is_where_it_was(agent: Inside) -> None:
    assert Path(engine_socket(agent.session)).is_socket()
