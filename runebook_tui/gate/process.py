"""A process that made a call, as far as the judge must know it; read from /proc when first needed."""

from __future__ import annotations

import os

_MOST_ARGUMENTS = 1 << 16


class Process:
    """The process of a thread, and `key`, which no later process with the same number has."""

    def __init__(self, thread: int) -> None:
        self._thread = thread
        self._pid = 0
        self._born: bytes | None = None
        self._arguments: list[str] | None = None

    @property
    def pid(self) -> int:
        """The process (thread group) in the supervisor's process namespace. Raises OSError when gone."""
        if not self._pid:
            self._pid = _process(self._thread)
        return self._pid

    @property
    def key(self) -> tuple[int, bytes]:
        """Number and start time (clock ticks as text; empty when it is gone)."""
        if self._born is None:
            self._born = born(self.pid)
        return self.pid, self._born

    @property
    def arguments(self) -> list[str]:
        """Its arguments, the program first; empty when it is gone."""
        if self._arguments is None:
            try:
                with open(f"/proc/{self.pid}/cmdline", "rb") as file:
                    words = file.read(_MOST_ARGUMENTS).rstrip(b"\0").split(b"\0")
            except OSError:
                words = []
            self._arguments = [os.fsdecode(word) for word in words]
        return self._arguments

    @property
    def program(self) -> str:
        """The base name of its first argument, without a login shell's dash."""
        words = self.arguments
        return words[0].rpartition("/")[2].removeprefix("-") if words else ""


def born(pid: int) -> bytes:
    """When a process started, in clock ticks since boot, as text; empty when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read(4096).rpartition(b") ")[2].split(b" ")[19]
    except (OSError, IndexError):
        return b""


def parent(pid: int) -> int:
    """The parent of a process, 0 when it has none or is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read(4096).rpartition(b") ")[2].split(b" ")[1])
    except (OSError, IndexError, ValueError):
        return 0


def _process(thread: int) -> int:
    with open(f"/proc/{thread}/status", "rb") as file:
        for line in file:
            if line.startswith(b"Tgid:"):
                return int(line.split()[1])
    raise ProcessLookupError(f"no process has the thread {thread}")
