"""What was written: a change inside the repository, with the process and the program that asks for it."""

from __future__ import annotations

import os
import time

from runebook_tui.gate.callers import Callers
from runebook_tui.gate.calls import Change

_SAME_SECONDS = 0.05
_HIDDEN = (b".git", b".runebook")

Record = dict[str, object]  # the line's object, as docs/gate.md lists its fields


class Scribe:
    """Turns changes into records of the repository at `root` (its real path)."""

    def __init__(self, root: bytes, callers: Callers) -> None:
        self._root = root
        self._callers = callers
        self._last: tuple[object, ...] = ()
        self._last_time = 0.0

    def record(self, thread: int, change: Change) -> Record | None:
        """The record of one change; None for one outside the repository."""
        path, to = self._relative(change.path), self._relative(change.to)
        op = change.op
        if path is None:
            if to is None:
                return None
            op, path, to = "create", to, None
        return self._record(thread, op, path, to)

    def unreadable(self, thread: int) -> Record:
        """The record of a call whose arguments are closed to us: its path is unknown (None)."""
        return self._record(thread, "unreadable", None, None)

    def repeats(self, record: Record) -> bool:
        """Whether the record says the same as the one before it, less than 50 ms later."""
        key = (record["pid"], record["op"], record["path"], record["to"])
        now = time.monotonic()
        same = key == self._last and now - self._last_time < _SAME_SECONDS
        self._last, self._last_time = key, now
        return same

    def _record(self, thread: int, op: str, path: str | None, to: str | None) -> Record:
        process, program, arguments = self._callers.who(thread)
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
