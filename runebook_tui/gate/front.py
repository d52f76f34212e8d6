"""The front: the pane's first process.

It stands for the command towards the terminal and tmux (stop, exit status, death by a signal), passes
signals on, and takes the observing over when the server dies.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys

from runebook_tui.gate import control, kernel
from runebook_tui.gate.notify import Ledger, Listener
from runebook_tui.gate.order import Order
from runebook_tui.gate.server import Server, open_descriptors, state, withdraw
from runebook_tui.gate.signals import Signals, die, drain
from runebook_tui.gate.wire import HungUp, LinkError, Question

_LAST_WORD_SECONDS = 0.2
_SERVERS_NUMBERS = 1 << 32  # more than a server ever counts: records of one command keep growing numbers


class Front:
    """One command's front, from before its birth to after its end."""

    def __init__(self, order: Order, question: Question | None) -> None:
        self._order = order
        self._question = question
        self._child = 0
        self._handle = -1  # a pidfd, so that no signal reaches a later process with the same number
        self._early: list[int] = []
        self._end: tuple[str, int] | None = None
        self._took_over = False
        self._killable = False

    def run(self) -> int:
        """Run the command to its end; returns its exit status, or dies by the signal that it died by."""
        signals = Signals()
        self._inherited = open_descriptors()
        self._ledger = Ledger()
        mine, theirs = socket.socketpair()
        kernel.become_subreaper()
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fork() == 0:
            mine.close()
            Server(self._order, signals, self._ledger, theirs, self._inherited).run()
        theirs.close()
        # Loaded after the fork, so that the command starts early, and now, so that taking over needs no file.
        from runebook_tui.gate.duty import Duty
        from runebook_tui.gate.loop import READ

        self._ear = control.Ear(mine)
        self._duty = Duty(self._order, os.getpid(), _SERVERS_NUMBERS)
        self._wake = signals.front()
        loop = self._duty.loop
        loop.watch(self._wake, READ, lambda _: self._signalled())
        loop.watch(self._ear.fileno(), READ, lambda _: self._listen())
        while self._end is None:
            loop.turn()
        return self._leave(*self._end)

    def _listen(self) -> None:
        for kind, number in self._ear.messages():
            if kind == control.CHILD:
                self._born(number)
            elif kind == control.LISTENER:
                self._killable = number == 1
            elif kind == control.STOPPED:
                self._stop()
            elif kind == control.EXITED:
                self._end = "status", number
            elif kind == control.KILLED:
                self._end = "signal", number
        if self._ear.gone and not self._took_over:
            self._take_over()

    def _born(self, child: int) -> None:
        self._child = child
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                self._handle = os.pidfd_open(child)
        for number in self._early:
            self._forward(number)

    def _stop(self) -> None:
        """Stop as the command did, unless it goes on already."""
        if state(self._child) in ("T", "t", ""):
            os.kill(os.getpid(), signal.SIGSTOP)

    def _signalled(self) -> None:
        for number in drain(self._wake):
            if number != signal.SIGCHLD:
                self._forward(number)
            elif self._took_over:
                self._reap()

    def _forward(self, number: int) -> None:
        if not self._child:
            self._early.append(number)
            return
        with contextlib.suppress(ProcessLookupError):
            if self._handle >= 0:
                signal.pidfd_send_signal(self._handle, number)
            else:
                os.kill(self._child, number)

    def _take_over(self) -> None:
        """The server died: look at what it left anew, and go on from here. The command is our child now."""
        self._took_over = True
        self._duty.loop.forget(self._ear.fileno())
        if self._end is not None:
            return
        if self._ear.listener is not None:
            listener = Listener(self._ear.listener, self._ledger)
            self._duty.begin(
                self._child,
                listener,
                "the server died; the front took over",
                list(self._ledger.unanswered()),
                killable=self._killable,
            )
        if not self._child:
            sys.stderr.write("runebook: the gate's server ended before the command started\n")
            self._end = "status", 126
        self._reap()

    def _reap(self) -> None:
        """Collect children; the command's end is ours."""
        try:
            while self._end is None:
                process, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
                if process == 0:
                    return
                if process == self._child and os.WIFSTOPPED(status):
                    self._stop()
                elif process == self._child:
                    code = os.waitstatus_to_exitcode(status)
                    self._end = ("status", code) if code >= 0 else ("signal", -code)
        except ChildProcessError:
            # The server collected it and died before it could say how it ended.
            self._end = self._end or ("status", 1)

    def _leave(self, how: str, number: int) -> int:
        self._last_word({"do": "exited", "agent": self._order.agent, how: number})
        if self._took_over and self._duty.busy and os.fork() == 0:
            self._stay()
        return die(number) if how == "signal" else number

    def _last_word(self, said: dict[str, object]) -> None:
        """Tell the engine, or the one that came after it, if it listens."""
        with contextlib.suppress(LinkError):
            if self._question is not None:
                try:
                    self._question.ask(said, seconds=_LAST_WORD_SECONDS)
                    return
                except HungUp:
                    self._question.close()
            Question(self._order.socket, patience=0).ask(said, seconds=_LAST_WORD_SECONDS)

    def _stay(self) -> None:
        """Serve those who outlive both the server and the command."""
        try:
            withdraw(self._inherited)
            self._duty.linger()
        finally:
            os._exit(0)
