"""What was written: a change inside the repository, with the process and the program that asks for it."""

from __future__ import annotations

import os
import time

from runebook_tui.gate.callers import Callers
from runebook_tui.gate.calls import Change

_SAME_SECONDS = 0.05

Record = dict[str, object]  # the line's object, as docs/gate.md lists its fields


class Scribe:
    """Turns changes into records of the tree at `root` (its real path).

    Where that is an agent's worktree, `tree` is the agent, and `main` the repository's own tree: a record
    then says in `tree` which tree its paths are in, "" for the repository's own. The other agents'
    worktrees are those beside `root`.
    """

    def __init__(self, root: bytes, callers: Callers, tree: str = "", main: bytes = b"") -> None:
        self._root = root
        self.callers = callers
        self._tree = tree
        self._main = main
        self._last: tuple[object, ...] = ()
        self._last_time = 0.0

    def record(self, thread: int, change: Change) -> Record | None:
        """The record of one change; None for one outside the repository. A change is of one tree."""
        root, tree = self._home(change.path or b"") or self._home(change.to or b"") or (self._root, "")
        path, to = self._relative(change.path, root), self._relative(change.to, root)
        op = change.op
        if path is None:
            if to is None:
                return None
            op, path, to = "create", to, None
        was = [_changed(root, path), _changed(root, to)]
        record = {**self._record(thread, op, path, to), "was": was}
        return {**record, "tree": tree} if self._tree else record

    def by_tree(self, changes: list[Change]) -> list[Change]:
        """The changes with those that reach from one tree into another taken apart."""
        if not self._tree:
            return changes
        found = []
        for change in changes:
            one, other = self._home(change.path or b""), self._home(change.to or b"")
            if one is None or other is None or one == other:
                found.append(change)
            else:
                op = "unlink" if change.op == "rename" else change.op
                found.append(Change(op, change.path, mode=change.mode))
                found.append(Change("create", change.to))
        return found

    def _home(self, path: bytes) -> tuple[bytes, str] | None:
        """The tree that holds `path`: its top, and whose it is."""
        if path.startswith(self._root + b"/"):
            return self._root, self._tree
        if self._tree and path.startswith(self._main + b"/"):
            return self._main, ""
        beside = self._root.rpartition(b"/")[0] + b"/"
        if self._tree and path.startswith(beside):
            agent = path[len(beside) :].split(b"/", 1)[0]
            return beside + agent, os.fsdecode(agent)
        return None

    def unreadable(self, thread: int) -> Record:
        """The record of a call whose arguments are closed to us: its path is unknown (None)."""
        return self._record(thread, "unreadable", None, None)

    def repeats(self, record: Record) -> bool:
        """Whether the record says the same as the last one that did not repeat, less than 50 ms later."""
        key = (record["pid"], record["op"], record["path"], record["to"], record.get("tree"))
        now = time.monotonic()
        if key == self._last and now - self._last_time < _SAME_SECONDS:
            return True
        self._last, self._last_time = key, now
        return False

    def _record(self, thread: int, op: str, path: str | None, to: str | None) -> Record:
        process, program, arguments = self.callers.who(thread)
        return {
            "time": time.time(),
            "pid": process,
            "program": program,
            "argv": arguments,
            "op": op,
            "path": path,
            "to": to,
        }

    def _relative(self, path: bytes | None, root: bytes) -> str | None:
        if path is None or not path.startswith(root) or path[len(root) : len(root) + 1] != b"/":
            return None
        inner = path[len(root) + 1 :]
        return None if _is_private(inner) else os.fsdecode(inner)


def _is_private(path: bytes) -> bool:
    """Whether git or Runebook keeps it for itself: any `.git`, the top's `.runebook`, all below them."""
    if b".git" not in path and not path.startswith(b".runebook"):
        return False
    parts = path.split(b"/")
    return b".git" in parts or parts[0] == b".runebook"


def _changed(root: bytes, path: str | None) -> float | None:
    """When the inode at `path` below `root` last changed, unix seconds; None where nothing is."""
    if path is None:
        return None
    try:
        return os.lstat(root + b"/" + os.fsencode(path)).st_ctime
    except OSError:
        return None
