"""The signals of front, server and command.

The front ignores what the terminal sends to the whole process group and passes on what is sent to it
alone; the command starts with the signals as the front found them.
"""

from __future__ import annotations

import contextlib
import os
import signal

IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT)
_PYTHONS = (signal.SIGPIPE, signal.SIGXFSZ)  # the interpreter ignores these; programs expect the default
_ALL = (*IGNORED, *FORWARDED, signal.SIGCHLD)


class Signals:
    """Blocks every signal of interest from now on, and remembers how they were."""

    def __init__(self) -> None:
        self._ignored = {each for each in _ALL if signal.getsignal(each) is signal.SIG_IGN}
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ALL)

    def front(self) -> int:
        """Take the front's part; returns a descriptor that yields one byte a signal."""
        for each in IGNORED:
            signal.signal(each, signal.SIG_IGN)
        return self._listen((*FORWARDED, signal.SIGCHLD))

    def server(self) -> int:
        """Take the server's part: only children count; its life ends with its last descendant's."""
        for each in (*IGNORED, *FORWARDED):
            if each is not signal.SIGCONT:
                signal.signal(each, signal.SIG_IGN)
        return self._listen((signal.SIGCHLD,))

    def command(self) -> None:
        """Give the signals back as they were, for the command."""
        for each in (*_ALL, *_PYTHONS):
            signal.signal(each, signal.SIG_IGN if each in self._ignored else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def _listen(self, wanted: tuple[signal.Signals, ...]) -> int:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for each in wanted:
            signal.signal(each, _noted)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        return reading


def _noted(number: int, frame: object) -> None:
    """The wake-up descriptor has the number already."""


def drain(fd: int) -> bytes:
    """The numbers of the signals that came."""
    try:
        return os.read(fd, 4096)
    except BlockingIOError:
        return b""


def die(number: int) -> int:
    """End by the signal `number` as the command did, without a core file; returns only if that failed."""
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_DFL)  # SIGKILL cannot be set, and need not
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    return 128 + number
