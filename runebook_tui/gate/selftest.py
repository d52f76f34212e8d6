"""What the gate can do here, tried on a child: a call goes on, one is refused, one held as another flows."""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket

from runebook_tui.gate import bpf, command, kernel
from runebook_tui.gate.notify import Ledger, Listener, Notification

_SECONDS = 2.0
_NOTHING = os.devnull


class _Failed(Exception):
    """The kernel did something else than it should; the words say what."""


def probe() -> tuple[str, str]:
    """What the gate can do here ("enforce", "observe" or "off"); if not enforce, why in words.

    Forks a child, takes some milliseconds, and never more than about fifteen seconds.
    """
    reason = bpf.missing()
    if reason:
        return "off", reason
    mine, theirs = socket.socketpair()
    with mine, theirs:
        child = os.fork()
        if child == 0:
            _act(theirs)
        theirs.close()
        try:
            return _watch(mine)
        except _Failed as failed:
            return "off", str(failed)
        except OSError as error:
            return "off", f"a user notification does not work here: {error.strerror or error}"
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _act(end: socket.socket) -> None:
    """In the child: filter itself; a call that continues, one that is refused, one held beside another."""
    try:
        if command.install(end, enforce=True) is not None:
            end.sendall(b"c" if _opens(os.O_WRONLY) == 0 else b"?")
            end.sendall(b"r" if _opens(os.O_RDWR) == errno.EACCES else b"?")
            if os.fork() == 0:
                end.sendall(b"h" if _opens(os.O_RDWR | os.O_APPEND) == 0 else b"?")
                os._exit(0)
            end.recv(1)  # the other one is held now
            end.sendall(b"f" if _opens(os.O_WRONLY) == 0 else b"?")
            signal.pause()
    finally:
        os._exit(0)


def _opens(flags: int) -> int:
    """The errno of opening the null device so, 0 for success."""
    try:
        os.close(os.open(_NOTHING, flags))
    except OSError as error:
        return error.errno or -1
    return 0


def _watch(end: socket.socket) -> tuple[str, str]:
    end.settimeout(_SECONDS)
    fd, killable, words = command.receive(end)
    if fd is None:
        return "off", words
    try:
        listener = Listener(fd, Ledger())
        listener.proceed(_next(listener))
        _expect(end, b"c", "a continued call did not go on")
        listener.refuse(_next(listener), errno.EACCES)
        _expect(end, b"r", "a refused call did not fail")
        held = _next(listener)
        end.sendall(b"!")
        listener.proceed(_next(listener))
        _expect(end, b"f", "a call did not go on while another was held")
        if not listener.valid(held):
            raise _Failed("a held call did not wait")
        listener.proceed(held)
        _expect(end, b"h", "a held call did not go on")
    finally:
        os.close(fd)
    if not killable:
        return "observe", "holding a call needs Linux 5.19"
    return "enforce", ""


def _next(listener: Listener) -> Notification:
    """The next stopped call, whose path must read right."""
    waiting = select.poll()
    waiting.register(listener.fd, select.POLLIN)
    if not waiting.poll(_SECONDS * 1000):
        raise _Failed("the kernel reports no user notification")
    notification = listener.receive()
    if notification is None:
        raise _Failed("a user notification went away")
    try:
        address = notification.args[1 if notification.call == kernel.calls["openat"] else 0]
        path = kernel.read_path(notification.thread, address)
    except PermissionError as error:
        listener.proceed(notification)
        raise _Failed("the memory of a child cannot be read (ptrace is restricted)") from error
    if path != os.fsencode(_NOTHING):
        listener.proceed(notification)
        raise _Failed("a notified path reads wrong")
    return notification


def _expect(end: socket.socket, answer: bytes, otherwise: str) -> None:
    try:
        said = end.recv(1)
    except TimeoutError:
        said = b""
    if said != answer:
        raise _Failed(otherwise)


def main() -> None:
    """Print what the gate can do here as one JSON object: `mode` and `reason`."""
    mode, reason = probe()
    print(json.dumps({"mode": mode, "reason": reason}))


if __name__ == "__main__":
    main()
