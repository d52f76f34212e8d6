"""What was written: a change inside the repository, with the process and the program that asks for it."""

from __future__ import annotations

import os
import time

from runebook_tui.gate.calls import Change

_PROGRAM = 64
_ARGUMENTS = 200
_SAME_SECONDS = 0.05
_HIDDEN = (b".git", b".runebook")

Record = dict[str, object]  # the line's object, as docs/gate.md lists its fields


class Scribe:
    """Turns changes into records of the repository at `root` (its real path)."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._last: tuple[object, ...] = ()
        self._last_time = 0.0
        self._processes: dict[int, tuple[bytes, int, str, str]] = {}

    def record(self, thread: int, change: Change) -> Record | None:
        """The record of one change; None for one outside the repository."""
        path, to = self._relative(change.path), self._relative(change.to)
        op = change.op
        if path is None:
            if to is None:
                return None
            op, path, to = "create", to, None
        return self._record(thread, op, path, to) | {"was": [self._changed(path), self._changed(to)]}

    def _changed(self, path: str | None) -> float | None:
        """When the inode at `path` last changed, unix seconds; None where nothing is."""
        if path is None:
            return None
        try:
            return os.lstat(self._root + b"/" + os.fsencode(path)).st_ctime
        except OSError:
            return None

    def unreadable(self, thread: int) -> Record:
        """The record of a call whose arguments are closed to us: its path is unknown (None)."""
        return self._record(thread, "unreadable", None, None)

    def repeats(self, record: Record) -> bool:
        """Whether the record says the same as the last one that did not repeat, less than 50 ms later."""
        key = (record["pid"], record["op"], record["path"], record["to"])
        now = time.monotonic()
        if key == self._last and now - self._last_time < _SAME_SECONDS:
            return True
        self._last, self._last_time = key, now
        return False

    def _record(self, thread: int, op: str, path: str | None, to: str | None) -> Record:
        process, program, arguments = self._who(thread)
        return {
            "time": time.time(),
            "pid": process,
            "program": program,
            "argv": arguments,
            "op": op,
            "path": path,
            "to": to,
        }

    def _relative(self, path: bytes | None) -> str | None:
        root = self._root
        if path is None or not path.startswith(root) or path[len(root) : len(root) + 1] != b"/":
            return None
        inner = path[len(root) + 1 :]
        return None if inner.split(b"/", 1)[0] in _HIDDEN else os.fsdecode(inner)

    def _who(self, thread: int) -> tuple[int, str, str]:
        """The process of a thread, its program and its arguments; empty where it is gone already.

        Remembered by thread, start time and the place of the arguments, which every exec moves: the program
        that a shell becomes is not the shell.
        """
        try:
            facts = _read(b"/proc/%d/stat" % thread)
            fields = facts[facts.rindex(b")") + 2 :].split(b" ")
            identity = fields[19] + b" " + fields[45]  # starttime, arg_start: proc_pid_stat(5)
            known = self._processes.get(thread)
            if known is not None and known[0] == identity:
                return known[1:]
            words = _read(b"/proc/%d/cmdline" % thread).rstrip(b"\0").split(b"\0")
            name = words[0].rpartition(b"/")[2] or facts[facts.index(b"(") + 1 : facts.rindex(b")")]
            process = _process(thread)
        except (OSError, ValueError, IndexError):
            return thread, "", ""
        program = os.fsdecode(name)[:_PROGRAM]
        arguments = os.fsdecode(b" ".join(words)[: 4 * _ARGUMENTS])[:_ARGUMENTS]
        if len(self._processes) > 4096:
            self._processes.clear()
        self._processes[thread] = identity, process, program, arguments
        return process, program, arguments


def _read(path: bytes) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 4096)
    finally:
        os.close(fd)


def _process(thread: int) -> int:
    for line in _read(b"/proc/%d/status" % thread).splitlines():
        if line.startswith(b"Tgid:"):
            return int(line.split()[1])
    return thread
