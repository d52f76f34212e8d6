"""The forked child between its birth and the exec of the agent's command."""

from __future__ import annotations

import contextlib
import os
import socket
import struct

from runebook_tui import mark
from runebook_tui.gate import bpf, control
from runebook_tui.gate.order import Order
from runebook_tui.gate.signals import Signals


def become(order: Order, signals: Signals, birth: socket.socket, front: socket.socket) -> None:
    """Install the filter, hand its listener to server and front, and become the command; never returns.

    A filter that cannot be installed is told to the server in words, and the command runs without.
    """
    status = 126
    try:
        mark.put_on()
        signals.command()
        _enter(order.cwd)
        if order.gate == "off":
            _tell(birth, order.reason)
        elif install(birth, front, enforce=order.gate == "enforce") and order.gate == "enforce":
            _try_the_gate(order.main or order.root)
        os.execvpe(order.command[0], order.command, order.environment)
    except FileNotFoundError as error:
        status = 127
        _say(f"cannot run {order.command[0]!r}: {error.strerror}")
    except (OSError, ValueError) as error:
        _say(f"cannot run {order.command[0]!r}: {error}")
    finally:
        os._exit(status)


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise ValueError(f"cannot enter {folder!r}: {error.strerror}") from error


def install(*ends: socket.socket, enforce: bool = False) -> bool | None:
    """Filter this process and send the listener to every end, or to the first one why that cannot be.

    With the listener goes 1 when only deadly signals interrupt a call that waits, else 0. Returns that, or
    None when there is no filter.
    """
    try:
        listener, killable = bpf.install(enforce=enforce)
    except bpf.GateError as error:
        _tell(ends[0], str(error))
        return None
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("=i", listener))]
    for end in ends:
        with contextlib.suppress(OSError):  # a reader that died meanwhile has a stand-in
            end.sendmsg([control.pack(control.LISTENER, int(killable))], rights)
    os.close(listener)
    return killable


def _try_the_gate(root: bytes) -> None:
    """The canary: open the plan for writing, which must be refused. Raises ValueError when it is not.

    It changes nothing; the server knows what it is, and tells the engine that the gate of this pane was seen
    to hold.
    """
    try:
        plan = os.open(root + b"/runebook.toml", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return
    os.close(plan)
    raise ValueError("its gate let a write of the plan pass, so it was not started")


def _tell(birth: socket.socket, words: str) -> None:
    birth.sendall(b"E" + os.fsencode(words))


def _say(words: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, b"runebook: " + words.encode("utf-8", "backslashreplace") + b"\n")


def receive(birth: socket.socket) -> tuple[int | None, bool, str]:
    """What the child reports to the server: the listener's descriptor, or None and the reason in words.

    Between them: whether only deadly signals interrupt a call that waits.
    """
    words = b""
    while True:
        data, rights, _, _ = birth.recvmsg(4096, socket.CMSG_SPACE(4))
        for _, kind, content in rights:
            if kind == socket.SCM_RIGHTS:
                listener: int = struct.unpack("=i", content[:4])[0]
                return listener, control.number(data) == 1, ""
        if not data:
            break
        words += data
    return None, False, os.fsdecode(words[1:]) or "the command ended before it was filtered"
