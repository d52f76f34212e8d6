"""Processes that are not the agent's: no program of its own stops, traces or limits them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import Gate

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the calls are x86-64's")

CALLS = """
import ctypes, errno, os, resource, signal, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def tried(number, *arguments):
    ctypes.set_errno(0)
    return "done" if libc.syscall(number, *arguments) >= 0 else errno.errorcode[ctypes.get_errno()]
theirs = int(sys.argv[1])
info = ctypes.create_string_buffer(128)
info[8:12] = (-1).to_bytes(4, "little", signed=True)
calls = {
    "kill": (62, theirs, 15), "tkill": (200, theirs, 15), "tgkill": (234, theirs, theirs, 15),
    "rt_sigqueueinfo": (129, theirs, 15, info), "rt_tgsigqueueinfo": (297, theirs, theirs, 15, info),
    "pidfd_send_signal": (424, os.pidfd_open(theirs), 15, None, 0),
    "pidfd_send_signal by folder": (424, os.open(f"/proc/{theirs}", os.O_DIRECTORY), 15, None, 0),
    "attach": (101, 16, theirs, 0, 0), "seize": (101, 0x4206, theirs, 0, 0),
    "process_vm_writev": (311, theirs, None, 0, None, 0, 0),
    "pidfd_getfd": (438, os.pidfd_open(theirs), 0, 0),
    "prlimit": (302, theirs, 0, (ctypes.c_uint64 * 2)(1, 1), None),
}
"""


@pytest.fixture
def another(gate: Gate) -> Iterator[int]:
    """A process outside the gate that says that it is Runebook's, of the gate's user."""
    gate.enforce()
    code = f"import os; os.setgid({gate.uid}); os.setuid({gate.uid}); print(flush=True); input()"
    words = [sys.executable, "-c", code, "-m", "runebook_tui"]
    if os.getuid() != 0:
        words[2] = "print(flush=True); input()"
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


def test_another_process_of_runebooks_is_not_reached_by_any_call(gate: Gate, another: int) -> None:
    script = CALLS + "print(*(f'{name}={tried(*call)}' for name, call in calls.items()), sep='\\n')"
    done = gate.run(gate.interpreter(), "-I", "-c", script, str(another))
    assert done.returncode == 0, done.stderr
    said = dict(line.split("=") for line in done.stdout.decode().splitlines())
    assert set(said.values()) == {"EPERM"}, said
    refused = gate.engine.said("refused")
    assert {line["record"]["op"] for line in refused} <= {"signal", "trace", "limit"}  # type: ignore[index]
    assert refused[0]["reason"] == "out of an agent's reach"
    assert f"(pid {another})" in refused[0]["record"]["path"]  # type: ignore[index]
    assert b"no program of an agent may stop or trace it" in done.stderr


def test_nor_are_supervisors_groups_of_theirs_and_everybody_at_once(gate: Gate, another: int) -> None:
    script = CALLS + (
        "server = os.getppid()\n"
        "front = int(open(f'/proc/{server}/stat').read().rpartition(')')[2].split()[1])\n"
        "print(*(tried(62, pid, 9) for pid in (server, front, -server, -os.getpgid(theirs), -1)))"
    )
    done = gate.run(gate.interpreter(), "-I", "-c", script, str(another))
    assert done.stdout.decode().split() == 5 * ["EPERM"], done.stderr


def test_its_own_processes_and_what_nobody_guards_are_the_agents_business(gate: Gate, another: int) -> None:
    script = CALLS + (
        "import subprocess\n"
        "def ends(how, *more):\n"
        "    child = subprocess.Popen(['sleep', '100'], **dict(more))\n"
        "    how(child.pid)\n"
        "    return child.wait()\n"
        "signal.signal(signal.SIGUSR1, lambda *_: None)\n"
        "os.kill(os.getpid(), signal.SIGUSR1); signal.raise_signal(signal.SIGUSR1)\n"
        "resource.prlimit(os.getpid(), resource.RLIMIT_CORE, (0, 0))\n"
        "print(ends(lambda pid: os.kill(pid, 9)), ends(lambda pid: os.killpg(pid, 15), "
        "('start_new_session', True)), ends(lambda pid: signal.pidfd_send_signal(os.pidfd_open(pid), 9)),\n"
        "      tried(62, theirs, 0), tried(62, 2**22 - 1, 15))\n"
    )
    done = gate.run(gate.interpreter(), "-I", "-c", script, str(another))
    assert done.stdout.decode().split() == ["-9", "-15", "-9", "done", "ESRCH"], done.stderr
    assert gate.engine.said("refused") == []


def test_in_a_process_namespace_of_its_own_it_sees_nobody_else(gate: Gate) -> None:
    gate.enforce()
    script = "sleep 100 & kill -9 $!; wait $!; echo $?; trap : TERM; kill -TERM -1; kill -TERM 1; echo end"
    done = gate.run("unshare", "-rpf", "--mount-proc", "sh", "-c", script)
    if b"unshare" in done.stderr:
        pytest.skip("no process namespace can be made here")
    assert done.stdout.split()[0] == str(128 + signal.SIGKILL).encode(), done.stderr
    assert gate.engine.said("refused") == []
