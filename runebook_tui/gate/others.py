"""Others: the processes that no program of an agent may stop, trace or reach into.

Its own it may: all that descends from its pane's supervisor. Of all others those are out of reach that
Runebook runs: the engine, the screens, supervisors, tmux servers, and what runs in other agents' panes.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator

from runebook_tui import mark
from runebook_tui.gate.callers import Closed
from runebook_tui.gate.process import Process, parent

EVERYBODY = -1
"""What kill(2) takes for every process that the caller may send a signal to."""
_MOST_ANCESTORS = 256
_TMUX = b"tmux: server"


class Others:
    """Tells which processes are out of reach, for the supervisor that is `server` and its `front`.

    `engine` says the engine's process id, 0 when it is not known.
    """

    def __init__(self, server: int, front: int, engine: Callable[[], int] = lambda: 0) -> None:
        self._server = server
        self._front = front
        self._engine = engine
        self._limit = mark.limit_of(os.getpid())

    def meant(self, thread: int, number: int) -> str:
        """What is out of reach among what `number` means in a call of `thread`, in words; "" for nothing.

        A process or thread, with a minus sign a group, 0 for the caller's own group, -1 for everybody.
        """
        if _sees_its_own(thread):
            return ""
        if number == EVERYBODY:
            return "every process of this user"
        if number > 0:
            return self.guarded(number)
        group = -number or _group(thread)
        members = (pid for pid in _processes() if _group(pid) == group)
        # The front is in its command's group, and ends as that does.
        return next((words for pid in members if pid != self._front and (words := self.guarded(pid))), "")

    def guarded(self, pid: int) -> str:
        """Whose or what the process is that is out of reach, in words; "" for any other, or none."""
        try:
            pid = Process(pid).pid
        except OSError:
            return ""
        if pid in (self._server, self._front):
            return f"its own supervisor (pid {pid})"
        if self._is_own(pid):
            return ""
        if pid == self._engine():
            return f"the engine (pid {pid})"
        if _name(pid).startswith(_TMUX):
            return f"a tmux server (pid {pid})"
        if _is_runebook(Process(pid).arguments):
            return f"a process of Runebook's (pid {pid})"
        limit = mark.limit_of(pid)
        if limit is not None and self._limit is not None and limit < self._limit:
            return f"another agent's process (pid {pid})"
        return ""

    def _is_own(self, pid: int) -> bool:
        for _ in range(_MOST_ANCESTORS):
            if pid in (self._server, self._front):
                return True
            if pid <= 1:
                return False
            pid = parent(pid)
        return False


def process_of(thread: int, descriptor: int) -> int:
    """The process that a descriptor of `thread` stands for; 0 for none. Raises Closed.

    The descriptor is of pidfd_open(2), or of a process's folder in /proc.
    """
    try:
        with open(f"/proc/{thread}/fdinfo/{descriptor}", "rb") as file:
            for line in file:
                if line.startswith(b"Pid:"):
                    return max(int(line.split()[1]), 0)
        name = os.path.basename(os.readlink(f"/proc/{thread}/fd/{descriptor}"))
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Closed from error
        return 0
    return int(name) if name.isdecimal() and len(name) < 10 else 0


def _sees_its_own(thread: int) -> bool:
    """Whether the thread is in a process namespace of its own: then it reaches nobody outside."""
    with contextlib.suppress(OSError), open(f"/proc/{thread}/status", "rb") as file:
        for line in file:
            if line.startswith(b"NSpid:"):
                return len(line.split()) > 2
    return False


def _processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


def _group(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read(4096).rpartition(b") ")[2].split()[2])
    return 0


def _name(pid: int) -> bytes:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", "rb") as file:
        return file.read()
    return b""


def _is_runebook(arguments: list[str]) -> bool:
    """Whether a command line is one of Runebook's: `runebook-tui …`, `python -m runebook_tui …`."""
    first = [word.rpartition("/")[2] for word in arguments[:2]]
    modules = zip(arguments[:8], arguments[1:9], strict=False)
    return "runebook-tui" in first or ("-m", "runebook_tui") in modules
