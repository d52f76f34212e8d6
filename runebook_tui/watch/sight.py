"""From raw changes and from git's state to the paths worth reporting, each change once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from watchfiles import Change

from runebook_tui.git.ignore import Ignore, is_private
from runebook_tui.git.process import Git, GitError
from runebook_tui.watch.scan import Fingerprint, Kind, Look, Way, look, scan
from runebook_tui.watch.survey import Status

_OLD_NS = 1_000_000_000
_REMEMBER_SECONDS = 5.0


@dataclass
class Reading:
    """What raw changes mean: files named by them, files that a scan added, folders to scan again."""

    named: set[str] = field(default_factory=set)
    scanned: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)


@dataclass
class Differences:
    """What git's state shows beyond all that was reported before."""

    found: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    missed: bool = False
    """True if a file changed more than a second ago and the watch had not told of it."""


class Sight:
    """Remembers, for the tree at `root`, how each path was when it was last reported.

    Its methods look at the disk and ask git: call them in a thread. They may run at the same time.
    """

    def __init__(self, root: str, ignore: Ignore) -> None:
        self._root = root
        self._ignore = ignore
        self._known = ignore.known
        self._lock = threading.Lock()
        self._reported: dict[str, tuple[Fingerprint | None, float]] = {}
        self._dirty: set[str] = set()
        self._swept = float("-inf")

    def read(self, changes: Iterable[tuple[Change, str]]) -> Reading:
        """Files that changes of these paths (relative to the root) speak of, now that they are looked at."""
        with self._lock:
            return self._read(set(changes))

    def rescan(self, folders: set[str]) -> Reading:
        """Files in `folders` that differ from what was reported, and folders that were not known."""
        with self._lock:
            found = scan(self._root, folders, self._ignore)
            news = self._news(found.files)
            self._note(news)
            return Reading(scanned=set(news), folders=found.folders - folders)

    def compare(self, status: Status) -> Differences:
        """What is different from what was reported, by git's `status`."""
        with self._lock:
            return self._compare(status)

    def meet(self, repositories: Iterable[str]) -> None:
        """Learn the files of `repositories` below the root without reporting them."""
        for prefix in repositories:
            try:
                names = os.fsdecode(Git(os.path.join(self._root, prefix)).run("ls-files", "-z"))
            except GitError:
                continue
            self._known.add(prefix + name for name in names.split("\0") if name)

    def _read(self, changes: set[tuple[Change, str]]) -> Reading:
        way = Way(self._root)
        looks: dict[str, Look] = {}
        doubtful: set[str] = set()
        folders: set[str] = set()
        for change, path in changes:
            if is_private(path) or not way.is_straight(path):
                continue
            seen = looks.get(path) or look(self._at(path))
            looks[path] = seen
            if change is Change.deleted or seen.kind is Kind.GONE:
                doubtful.add(path)
            if change is Change.added and seen.kind is Kind.FOLDER:
                folders.add(path)
        files = {path: seen.fingerprint for path, seen in looks.items() if seen.kind is Kind.FILE}
        vanished = self._vanished(doubtful)
        ignored = self._ignore.among([*files, *vanished, *folders])
        named = {path: mark for path, mark in files.items() if path not in ignored}
        named.update((path, None) for path in vanished - ignored)
        found = scan(self._root, _topmost(folders - ignored), self._ignore)
        scanned = {path: mark for path, mark in self._news(found.files).items() if path not in named}
        self._note(named)
        self._note(scanned)
        return Reading(set(named), set(scanned), found.folders)

    def _vanished(self, doubtful: set[str]) -> set[str]:
        if not doubtful:
            return set()
        return {path for path in self._known.below(doubtful) if look(self._at(path)).kind is not Kind.FILE}

    def _compare(self, status: Status) -> Differences:
        result = Differences()
        now = time.time_ns()
        changed: dict[str, Fingerprint | None] = {}
        for path in status.dirty:
            seen = look(self._at(path))
            if seen.kind in (Kind.FOLDER, Kind.OTHER):
                continue
            before = self._reported.get(path)
            if before is None or before[0] != seen.fingerprint:
                changed[path] = seen.fingerprint
                if seen.fingerprint is not None and now - seen.fingerprint[0] > _OLD_NS:
                    result.missed = result.missed or path not in status.moved
        lost = self._vanished({prefix.rstrip("/") for prefix in status.departed})
        settled = self._dirty | status.moved | lost
        unsure = {path for path in self._dirty if _is_below(path, status.unsure)}
        for path in settled - status.dirty - unsure:
            mark = look(self._at(path)).fingerprint
            before = self._reported.get(path)
            if before is None or before[0] != mark or before[1] < self._swept:
                changed[path] = mark
        self._note(changed)
        self._dirty = status.dirty | unsure
        self._swept = status.started
        for path, (_, when) in list(self._reported.items()):
            if path not in self._dirty and when < status.started - _REMEMBER_SECONDS:
                del self._reported[path]
        result.moved = changed.keys() & status.moved
        result.found = changed.keys() - status.moved
        return result

    def _news(self, files: Mapping[str, Fingerprint]) -> dict[str, Fingerprint | None]:
        return {
            path: mark
            for path, mark in files.items()
            if (before := self._reported.get(path)) is None or before[0] != mark
        }

    def _note(self, files: Mapping[str, Fingerprint | None]) -> None:
        now = time.monotonic()
        self._reported.update((path, (mark, now)) for path, mark in files.items())
        self._known.add(path for path, mark in files.items() if mark is not None)
        self._known.forget(path for path, mark in files.items() if mark is None)

    def _at(self, path: str) -> str:
        return os.path.join(self._root, path)


def _topmost(folders: set[str]) -> set[str]:
    """The ones of `folders` that are not below another one."""
    top: set[str] = set()
    for folder in sorted(folders, key=len):
        if not _has_parent_in(folder, top):
            top.add(folder)
    return top


def _has_parent_in(path: str, folders: set[str]) -> bool:
    while path := path.rpartition("/")[0]:
        if path in folders:
            return True
    return False


def _is_below(path: str, prefixes: set[str]) -> bool:
    return any(path.startswith(prefix) for prefix in prefixes)
