"""One line for the process whose call is refused, on its own standard error: its model or person reads why.

Never on a terminal (the screen is the program's), never waiting, once for a process and a path.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import stat

from runebook_tui.core.printable import visible
from runebook_tui.gate import kernel
from runebook_tui.gate.process import Process

_MOST_BYTES = 4096  # PIPE_BUF: a pipe that polls writable takes that much at once
_MOST_TOLD = 4096


class Teller:
    """Tells processes why a call of theirs is refused."""

    def __init__(self) -> None:
        self._told: dict[tuple[tuple[int, bytes], str], None] = {}

    def first(self, process: Process, what: str) -> bool:
        """Whether the process has not been told of `what` before; from now on it has."""
        key = process.key, what
        if key in self._told:
            return False
        if len(self._told) >= _MOST_TOLD:
            self._told.pop(next(iter(self._told)))
        self._told[key] = None
        return True

    def tell(self, process: Process, words: str) -> None:
        """Write `runebook: words` and a line's end to the process's standard error, if that is possible."""
        line = b"runebook: " + visible(words, 1200).encode("utf-8", "backslashreplace")
        with contextlib.suppress(OSError, AttributeError):  # some Pythons know no pidfd_open
            handle = os.pidfd_open(process.pid)
            try:
                theirs = kernel.descriptor_of(handle, 2)
            finally:
                os.close(handle)
            try:
                _write(theirs, line[: _MOST_BYTES - 1] + b"\n")
            finally:
                os.close(theirs)


def _write(fd: int, line: bytes) -> None:
    mode = os.fstat(fd).st_mode
    if os.isatty(fd):
        return
    if stat.S_ISSOCK(mode):
        with socket.socket(fileno=os.dup(fd)) as theirs:
            theirs.send(line, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        return
    if stat.S_ISFIFO(mode):
        with contextlib.suppress(PermissionError):
            # A description of our own: non-blocking for us without making it so for them.
            own = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                os.write(own, line)
            finally:
                os.close(own)
            return
    waiting = select.poll()
    waiting.register(fd, select.POLLOUT)
    if any(events & select.POLLOUT for _, events in waiting.poll(0)):
        os.write(fd, line)
