"""Whether the gate works here, tried on one harmless call."""

from __future__ import annotations

import json
import os
import select
import signal
import socket

from runebook_tui.gate import bpf, command, kernel
from runebook_tui.gate.notify import Ledger, Listener

_SECONDS = 2.0


def probe() -> tuple[bool, str]:
    """Whether a filtered process can be seen, read and continued here; if not, why in words.

    Forks one child, takes some milliseconds, and never more than about four seconds.
    """
    reason = bpf.missing()
    if reason:
        return False, reason
    mine, theirs = socket.socketpair()
    with mine, theirs:
        child = os.fork()
        if child == 0:
            _try(theirs)
        theirs.close()
        try:
            return _see(mine)
        except OSError as error:
            return False, f"a user notification does not work here: {error.strerror or error}"
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _try(end: socket.socket) -> None:
    """In the child: filter itself, and open a file for writing."""
    try:
        if command.install(end):
            os.close(os.open(os.devnull, os.O_WRONLY))
            end.sendall(b"D")
            signal.pause()
    finally:
        os._exit(0)


def _see(end: socket.socket) -> tuple[bool, str]:
    end.settimeout(_SECONDS)
    fd, _, words = command.receive(end)
    if fd is None:
        return False, words
    try:
        listener = Listener(fd, Ledger())
        waiting = select.poll()
        waiting.register(fd, select.POLLIN)
        if not waiting.poll(_SECONDS * 1000):
            return False, "the kernel reports no user notification"
        notification = listener.receive()
        if notification is None:
            return False, "a user notification went away"
        try:
            address = notification.args[1 if notification.call == kernel.calls["openat"] else 0]
            path = kernel.read_path(notification.thread, address)
        except PermissionError:
            listener.proceed(notification)
            return False, "the memory of a child cannot be read (ptrace is restricted)"
        listener.proceed(notification)
        if path != os.fsencode(os.devnull):
            return False, "a notified path reads wrong"
        if end.recv(1) != b"D":
            return False, "a continued call did not go on"
        return True, ""
    finally:
        os.close(fd)


def main() -> None:
    """Print what the gate can do here as one JSON object: `mode` and `reason`."""
    works, reason = probe()
    print(json.dumps({"mode": "observe" if works else "off", "reason": reason}))


if __name__ == "__main__":
    main()
