"""The server: parent of the agent's command, observer of all its descendants.

It has its own session, adopts orphans and runs on until the last process under the filter has ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket

from runebook_tui.gate import command, control, kernel
from runebook_tui.gate.notify import Ledger, Listener
from runebook_tui.gate.order import Order
from runebook_tui.gate.signals import Signals, drain


class Server:
    """The server process, from its fork to its end."""

    def __init__(
        self, order: Order, signals: Signals, ledger: Ledger, end: socket.socket, inherited: list[int]
    ) -> None:
        self._order = order
        self._signals = signals
        self._ledger = ledger
        self._control = end
        self._inherited = inherited
        self._front = os.getppid()
        self._ended = False

    def run(self) -> None:
        """Start the command and serve until nothing is left of it; never returns."""
        try:
            kernel.become_subreaper()
            mine, birth = socket.socketpair()
            self._child = os.fork()
            if self._child == 0:
                mine.close()
                command.become(self._order, self._signals, birth, self._control)
            birth.close()
            # Only now: the command's exec does not wait for what only observing needs.
            from runebook_tui.gate.duty import Duty
            from runebook_tui.gate.loop import READ

            self._tell(control.CHILD, self._child)
            withdraw(self._inherited)
            wake = self._signals.server()
            listener, killable, reason = command.receive(mine)
            mine.close()
            self._duty = Duty(self._order, self._front)
            self._duty.loop.watch(wake, READ, lambda _: self._reap(drain(wake)))
            heard = None if listener is None else Listener(listener, self._ledger)
            self._duty.begin(self._child, heard, reason, killable=killable, canary=True)
            self._reap(b"")
            while not self._ended:
                self._duty.loop.turn()
            self._duty.linger()
        finally:
            os._exit(0)

    def _reap(self, numbers: bytes) -> None:
        """Collect children, and tell the front what became of the command; `numbers` are the signals."""
        with contextlib.suppress(ChildProcessError):
            while True:
                process, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
                if process == 0:
                    return
                if process == self._child:
                    self._mirror(status)

    def _mirror(self, status: int) -> None:
        if os.WIFSTOPPED(status):
            self._tell(control.STOPPED, os.WSTOPSIG(status))
        elif os.WIFCONTINUED(status):
            if state(self._front) == "T" and os.getppid() == self._front:
                os.kill(self._front, signal.SIGCONT)
        else:
            self._ended = True
            self._duty.flush()
            if os.WIFSIGNALED(status):
                self._tell(control.KILLED, os.WTERMSIG(status))
            else:
                self._tell(control.EXITED, os.WEXITSTATUS(status))

    def _tell(self, kind: int, number: int) -> None:
        with contextlib.suppress(OSError):  # a front that is gone need not know
            self._control.sendall(control.pack(kind, number))


def open_descriptors() -> list[int]:
    """The numbers of this process's open descriptors."""
    found = []
    for each in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):  # the listing's own is closed already
            os.fstat(int(each))
            found.append(int(each))
    return found


def withdraw(inherited: list[int]) -> None:
    """Leave the terminal's session, and let go of the descriptors that somebody else may wait for."""
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for each in inherited:
        if each <= 2:
            os.dup2(nothing, each, inheritable=False)
        else:
            os.close(each)
    if nothing > 2:
        os.close(nothing)


def state(process: int) -> str:
    """One letter: what the process does (R, S, D, T, Z ...); empty where that cannot be seen."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return chr(file.read(4096).rpartition(b") ")[2][0])
    except (OSError, IndexError):
        return ""
