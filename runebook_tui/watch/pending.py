"""Raw changes that wait to be read, and whether a git operation is behind them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from watchfiles import Change

from runebook_tui.watch.operation import Operations

_QUIET = 0.03
_HOLD = 0.25


@dataclass(frozen=True)
class Burst:
    """Changes of paths relative to the root; `seen` (unix seconds) is when the first arrived.

    `operation` names the git operation that they belong to: empty if unnamed, None if there was none.
    """

    changes: frozenset[tuple[Change, str]]
    seen: float
    operation: str | None


class Pending:
    """Changes below `root` that arrived; those of a git operation are held up to 0.25 s to come as one."""

    def __init__(self, root: str, operations: Operations) -> None:
        self._root = root
        self._operations = operations
        self._changes: set[tuple[Change, str]] = set()
        self._seen = 0.0
        self._first = 0.0
        self._git: float | None = None

    def add(self, changes: Iterable[tuple[Change, str]], seen: float) -> None:
        """Take in changes of absolute paths that arrived at `seen` (unix seconds)."""
        now = time.monotonic()
        if not self._changes and self._git is not None and now - self._git > _HOLD:
            # an operation that wrote no file of the tree is over
            self._git = None
            self._operations.take()
        inside_git = f"{self._operations.folder or self._root + '/.git'}/"
        inside_root = self._root + "/"
        for change, path in changes:
            if path.startswith(inside_git):
                if self._operations.notice(path[len(inside_git) :]):
                    self._git = now
            elif path.startswith(inside_root):
                if not self._changes:
                    self._first, self._seen = now, seen
                self._changes.add((change, path[len(inside_root) :]))

    def due(self) -> float:
        """When to read them (monotonic seconds): infinity without any, at once without git."""
        if not self._changes:
            return float("inf")
        if self._operations.is_locked():
            return self._first + _HOLD
        if self._git is None:
            return self._first
        return min(self._first + _HOLD, self._git + _QUIET)

    def burst(self) -> Burst | None:
        """All that is pending, which then is no longer; None when nothing is."""
        if not self._changes:
            return None
        burst = Burst(frozenset(self._changes), self._seen, self._operations.take())
        self._changes, self._git = set(), None
        return burst
