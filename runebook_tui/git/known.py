"""The files that the watch knows of: those in git's index, and others that it saw."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left, insort
from collections.abc import Iterable

from runebook_tui.git.process import Git, GitError

_FEW = 100

Signature = tuple[int, int, int, int]


def signature(path: str) -> Signature | None:
    """What tells a rewritten file from the one before: mtime, ctime (ns), size, inode; None if gone."""
    try:
        info = os.lstat(path)
    except (OSError, ValueError):
        return None
    return info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino


class Known:
    """Which paths are files of this tree as far as anybody saw, also those that just vanished.

    The index is read again only when its file changed. A name that leaves the index stays known
    until its file was seen to be gone. All methods may be called from any thread.
    """

    def __init__(self, git: Git) -> None:
        self._git = git
        self._lock = threading.Lock()
        self._index: Signature | None = None
        self._tracked: frozenset[str] = frozenset()
        self._others: set[str] = set()
        self._ordered: dict[str, list[str]] = {}

    def tracked(self) -> frozenset[str]:
        """The paths in git's index, as of now; the last good ones while git fails."""
        with self._lock:
            self._refresh()
            return self._tracked

    def add(self, paths: Iterable[str]) -> None:
        """Remember that files are at `paths`."""
        with self._lock:
            new = set(paths) - self._tracked - self._others
            self._others |= new
            ordered = self._ordered.get("others")
            if ordered is not None and len(new) <= _FEW:
                for path in new:
                    insort(ordered, path)
            else:
                self._ordered.pop("others", None)

    def forget(self, paths: Iterable[str]) -> None:
        """Forget the ones of `paths` that are not in the index."""
        with self._lock:
            gone = self._others.intersection(paths)
            self._others -= gone
            ordered = self._ordered.get("others")
            if ordered is not None and len(gone) <= _FEW:
                for path in gone:
                    del ordered[bisect_left(ordered, path)]
            else:
                self._ordered.pop("others", None)

    def below(self, paths: Iterable[str]) -> set[str]:
        """The known files at `paths` and, if one was a folder, anywhere below it."""
        found: set[str] = set()
        with self._lock:
            self._refresh()
            for name, members in (("tracked", self._tracked), ("others", self._others)):
                ordered = self._ordered.get(name)
                if ordered is None:
                    ordered = self._ordered[name] = sorted(members)
                for path in paths:
                    if path in members:
                        found.add(path)
                    # "0" is the character after "/", so this slice is everything that starts with "path/"
                    start = bisect_left(ordered, path + "/")
                    found.update(ordered[start : bisect_left(ordered, path + "0", lo=start)])
        return found

    def _refresh(self) -> None:
        try:
            index = signature(os.path.join(self._git.folder(), "index"))
            if index == self._index:
                return
            names = self._git.run("ls-files", "-z") if index is not None else b""
        except GitError:
            return
        tracked = frozenset(os.fsdecode(names).split("\0")) - {""}
        self._others |= self._tracked - tracked
        self._others -= tracked
        self._tracked, self._index = tracked, index
        self._ordered.clear()
