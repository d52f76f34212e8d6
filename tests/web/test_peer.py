"""Who is at the other end of a loopback connection, with real processes and real sockets."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runebook_tui import mark
from runebook_tui.web.peer import Address, stranger

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing but Linux tells")

CALL = """
import socket, sys
family, host, port, hides = sys.argv[1:]
if hides == "yes":
    import ctypes
    ctypes.CDLL(None).prctl(4, 0)
with socket.socket(int(family)) as peer:
    peer.connect((host, int(port)))
    peer.sendall(b"here")
    sys.stdin.read()
"""


@contextmanager
def caller(
    *, marked: bool, family: int = socket.AF_INET, hides: bool = False
) -> Iterator[tuple[Address, Address]]:
    """The two ends of a connection from another process, which lives meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = "127.0.0.1" if family == socket.AF_INET else "::ffff:127.0.0.1"
        words = [sys.executable, "-c", CALL, str(int(family)), host, str(listener.getsockname()[1])]
        prefix = [sys.executable, mark.__file__] if marked else []
        process = subprocess.Popen([*prefix, *words, "yes" if hides else "no"], stdin=subprocess.PIPE)
        try:
            listener.settimeout(60)
            connection, theirs = listener.accept()
            with connection:
                connection.settimeout(60)
                assert connection.recv(4) == b"here"
                yield theirs, connection.getsockname()
        finally:
            process.communicate(timeout=60)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "mapped"])
def test_the_operators_process_may_and_an_agents_may_not(family: int) -> None:
    with caller(marked=False, family=family) as ends:
        assert stranger(*ends) == ""
    with caller(marked=True, family=family) as ends:
        assert stranger(*ends) == "a process of an agent's pane"


def test_an_agents_process_that_hides_its_sockets_may_not() -> None:
    with caller(marked=True, hides=True) as ends:
        # Root sees through it.
        assert stranger(*ends) in ("perhaps a process of an agent's pane", "a process of an agent's pane")


def test_who_hides_is_not_blamed_on_agents_where_there_are_none() -> None:
    with caller(marked=False, hides=True) as ends:
        assert stranger(*ends) == ""


def test_a_connection_that_has_gone_is_nobodys() -> None:
    with caller(marked=False) as (theirs, ours):
        pass
    assert stranger((theirs[0], 1), ours) == "a connection that has gone already"
