"""What the server (and once the newborn command) tells the front: nine bytes, a kind and a number."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

CHILD = ord("P")  # the command's process id
LISTENER = ord("L")  # with the listener's descriptor; 1: only deadly signals interrupt a call that waits
STOPPED = ord("S")  # the command stopped, by this signal
EXITED = ord("X")  # the command ended with this status
KILLED = ord("K")  # the command ended by this signal

_MESSAGE = struct.Struct("=Bq")


def pack(kind: int, number: int) -> bytes:
    """One message."""
    return _MESSAGE.pack(kind, number)


def number(message: bytes) -> int:
    """The number of one message."""
    found: int = _MESSAGE.unpack_from(message)[1]
    return found


class Ear:
    """The front's end; it reads without waiting."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.setblocking(False)
        self._rest = b""
        self.listener: int | None = None
        self.gone = False

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._end.fileno()

    def messages(self) -> Iterator[tuple[int, int]]:
        """Every message that has come; sets `listener` when its descriptor came, `gone` at the end."""
        while not self.gone:
            try:
                data, rights, _, _ = self._end.recvmsg(900, socket.CMSG_SPACE(4))
            except BlockingIOError:
                return
            except OSError:
                data, rights = b"", []
            for _, kind, content in rights:
                if kind == socket.SCM_RIGHTS:
                    self.listener = struct.unpack("=i", content[:4])[0]
            self.gone = not data
            self._rest += data
            while len(self._rest) >= _MESSAGE.size:
                yield _MESSAGE.unpack_from(self._rest)
                self._rest = self._rest[_MESSAGE.size :]
