"""A peer: the process at the other end of a unix socket, and no later one with its number.

A process can connect, hand the connection to another and end; its number may then be given to a process of
the operator's. So who speaks is believed only while the process that connected lives.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys

from runebook_tui.log.lease import process_start

_SO_PEERPIDFD = 77  # asm-generic/socket.h, since Linux 6.5
_LOCAL, _LOCAL_PEERPID = 0, 0x002  # macOS, sys/un.h


class Peer:
    """Who connected: `pid` and `uid`. Raises OSError where the system does not tell."""

    def __init__(self, connection: socket.socket) -> None:
        self.pid, self.uid = _credentials(connection)
        self._started = process_start(self.pid)
        self._process = _process_of(connection, self.pid)

    def lives(self) -> bool:
        """Whether the process has not ended, so that what is known of its number is known of it."""
        if self._process is None:
            return self._started is not None and process_start(self.pid) == self._started
        poll = select.poll()
        poll.register(self._process, select.POLLIN)  # readable once it has ended: pidfd_open(2)
        return not poll.poll(0)

    def close(self) -> None:
        """Let go of it; from then on it counts as ended."""
        if self._process is not None:
            os.close(self._process)
        self._process, self._started = None, None


def _credentials(connection: socket.socket) -> tuple[int, int]:
    if sys.platform == "darwin":
        return connection.getsockopt(_LOCAL, _LOCAL_PEERPID), os.getuid()
    given = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", given)
    return pid, uid


def _process_of(connection: socket.socket, pid: int) -> int | None:
    """A descriptor of the process itself; None where there is no such thing, or it has ended already."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError:
        pass
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
