"""Callers are remembered, and what is remembered is checked at every call."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading

import pytest
from conftest import NOBODY, Gate

from runebook_tui.gate.callers import Callers, Closed


def text(words: bytes) -> tuple[ctypes.Array[ctypes.c_char], int]:
    buffer = ctypes.create_string_buffer(words)
    return buffer, ctypes.addressof(buffer)


def test_one_process_that_becomes_another_program_is_named_as_each(gate: Gate) -> None:
    gate.shell("bash -c ': > a; : > b; exec touch c'")
    by_path = {record["path"]: record for record in gate.engine.records()}
    assert [by_path[path]["program"] for path in "abc"] == ["bash", "bash", "touch"]
    assert by_path["c"]["argv"] == "touch c"
    assert len({by_path[path]["pid"] for path in "abc"}) == 1


def test_a_caller_is_remembered_until_it_is_gone() -> None:
    callers = Callers()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known = callers.of(child.pid)
    assert callers.of(child.pid) is known
    assert known.own
    assert callers.who(child.pid)[0] == child.pid
    child.communicate(b"\n")
    with pytest.raises(FileNotFoundError):
        callers.of(child.pid)
    assert callers.who(child.pid) == (child.pid, "", "")


def test_who_is_asked_once_and_again_when_the_mark_is_another() -> None:
    callers = Callers()
    caller = callers.of(os.getpid())
    buffer, address = text(b"some/path")
    assert callers.path(caller, address) == b"some/path"
    who = callers.who(os.getpid())
    assert who[0] == os.getpid()
    assert caller.who == who
    assert callers.path(caller, address) == b"some/path"
    assert caller.who == who
    caller.mark = bytes(16)  # as after an exec
    assert callers.path(caller, address) == b"some/path"
    assert caller.who is None
    assert buffer.value == b"some/path"


@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 4095])
def test_a_path_of_any_length_is_read_whole(length: int) -> None:
    callers = Callers()
    buffer, address = text(b"x" * length)
    for _ in range(2):
        assert callers.path(callers.of(os.getpid()), address) == buffer.value
        callers.who(os.getpid())


def test_a_bad_address_is_an_error_and_not_the_last_path() -> None:
    callers = Callers()
    caller = callers.of(os.getpid())
    buffer, address = text(b"before")
    assert callers.path(caller, address) == buffer.value
    with pytest.raises(OSError, match="Bad address|Input/output"):
        callers.path(caller, 8)


def test_many_threads_cost_few_descriptors() -> None:
    callers = Callers()
    done = threading.Event()
    threads = [threading.Thread(target=done.wait) for _ in range(100)]
    try:
        for thread in threads:
            thread.start()
        before = len(os.listdir("/proc/self/fd"))
        for thread in threads:
            assert thread.native_id is not None
            callers.of(thread.native_id)
            assert callers.who(thread.native_id)[0] == os.getpid()
        assert len(os.listdir("/proc/self/fd")) <= before + 64
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_a_caller_that_is_shut_is_closed_every_time() -> None:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.getuid() == 0:
                os.setuid(NOBODY)
            callers = Callers()
            for _ in range(2):
                with pytest.raises(Closed):
                    callers.of(1)
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
