"""Who is at the other end of a connection over loopback: which user, and whether a process of an agent.

Linux tells the socket of each connection in /proc/net/tcp and /proc/net/tcp6 (proc_pid_net(5)), and the
sockets of each process in /proc/PID/fd. Elsewhere nothing can be told, and nobody is refused.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from runebook_tui import mark

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")

Address = tuple[str, int]
"""An IPv4 address and a port."""


class _End(NamedTuple):
    """One end of a connection: its socket's inode and the user whose it is."""

    inode: str
    uid: int


def stranger(theirs: Address, ours: Address) -> str:
    """Why the process at `theirs`, connected to `ours`, may not come in; "" when nothing speaks against it.

    What wears the mark of an agent's pane (`mark.py`) may not, and neither may another user's process but
    root's (which forwards for containers). A socket that nobody is seen to hold is believed to be an agent's
    as soon as one of its processes hides its descriptors, unless ssh, which hides its own, may be forwarding.
    """
    try:
        end = _end(theirs, ours)
    except FileNotFoundError:
        return ""
    if end is None:
        return "a connection that has gone already"
    if end.uid not in (os.getuid(), 0):
        return "another user's process"
    own = mark.limit_of(os.getpid())
    if own is None:
        return ""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    marked = [pid for pid in pids if (limit := mark.limit_of(pid)) is not None and limit < own]
    holds = [_holds(pid, end.inode) for pid in marked]
    if True in holds:
        return "a process of an agent's pane"
    others = set(pids) - set(marked)
    if None in holds and not any(_holds(pid, end.inode) or _forwards(pid) for pid in others):
        return "perhaps a process of an agent's pane"
    return ""


def _end(theirs: Address, ours: Address) -> _End | None:
    """The other end of the connection. Raises FileNotFoundError where the system has no such tables."""
    wanted = {(local, remote) for local in _words(theirs) for remote in _words(ours)}
    for table in _TABLES:
        try:
            with open(table) as file:
                rows = [line.split() for line in file]
        except FileNotFoundError:
            if table == _TABLES[0]:
                raise
            continue
        for row in rows:
            if (row[1], row[2]) in wanted:
                return _End(row[9], int(row[7]))
    return None


def _words(address: Address) -> tuple[str, str]:
    """An address as both tables write it: words of the machine's byte order, as IPv4 and mapped into IPv6."""
    host, port = address
    four = bytes(int(part) for part in host.split("."))
    sixteen = bytes(10) + b"\xff\xff" + four
    return _word(four) + f":{port:04X}", "".join(_word(sixteen[at : at + 4]) for at in (0, 4, 8, 12)) + (
        f":{port:04X}"
    )


def _word(four: bytes) -> str:
    """Four bytes in network order, as the kernel prints the number that they are in memory."""
    return f"{int.from_bytes(four, sys.byteorder):08X}"


def _holds(pid: int, inode: str) -> bool | None:
    """Whether a process holds the socket; None when it does not let its descriptors be seen."""
    folder = f"/proc/{pid}/fd"
    try:
        descriptors = os.listdir(folder)
    except PermissionError:
        return None
    except OSError:
        return False
    for descriptor in descriptors:
        try:
            if os.readlink(f"{folder}/{descriptor}") == f"socket:[{inode}]":
                return True
        except OSError:
            continue
    return False


def _forwards(pid: int) -> bool:
    """Whether a process is an ssh server's: it wears no mark, so no agent can pass for it."""
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().startswith("sshd")
    except OSError:
        return False
