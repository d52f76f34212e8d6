"""Looking at the disk: one path, or all files in folders, without following symbolic links."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from runebook_tui.git.ignore import Ignore

Fingerprint = tuple[int, int, int, int]


class Kind(Enum):
    """What is at a path; symbolic links count as files, devices and sockets as other."""

    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"
    GONE = "gone"


@dataclass(frozen=True)
class Look:
    """What was at one path: its kind and, of a file, mtime (ns), size, inode and mode."""

    kind: Kind
    fingerprint: Fingerprint | None = None


def look(path: str) -> Look:
    """What is at the absolute `path` now."""
    try:
        return _judge(os.lstat(path))
    except (OSError, ValueError):
        return Look(Kind.GONE)


def _judge(info: os.stat_result) -> Look:
    if stat.S_ISREG(info.st_mode) or stat.S_ISLNK(info.st_mode):
        return Look(Kind.FILE, (info.st_mtime_ns, info.st_size, info.st_ino, info.st_mode))
    return Look(Kind.FOLDER if stat.S_ISDIR(info.st_mode) else Kind.OTHER)


@dataclass
class Findings:
    """Files that are not ignored, with their fingerprints, and the folders that were looked into."""

    files: dict[str, Fingerprint] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)


def scan(root: str, folders: Iterable[str], ignore: Ignore) -> Findings:
    """All files in `folders` (relative to `root`) and below; what vanishes or cannot be read is left out."""
    found = Findings()
    files: dict[str, Fingerprint] = {}
    level = set(folders)
    while level:
        level -= found.folders
        level -= ignore.among(level)
        found.folders |= level
        deeper: set[str] = set()
        for folder in level:
            for name, seen in _entries(os.path.join(root, folder)):
                path = f"{folder}/{name}"
                if seen.fingerprint is not None:
                    files[path] = seen.fingerprint
                elif seen.kind is Kind.FOLDER:
                    deeper.add(path)
        level = deeper
    ignored = ignore.among(files)
    found.files = {path: mark for path, mark in files.items() if path not in ignored}
    return found


def _entries(folder: str) -> list[tuple[str, Look]]:
    entries: list[tuple[str, Look]] = []
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return entries
        with os.scandir(folder) as listing:
            for entry in listing:
                try:
                    entries.append((entry.name, _judge(entry.stat(follow_symlinks=False))))
                except OSError:
                    continue
    except OSError:
        return entries
    return entries


class Way:
    """Whether paths are really inside the tree, not behind a symbolic link; remembers for one batch."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._straight = {"": True}

    def is_straight(self, path: str) -> bool:
        """True if no folder on the way to `path` is a symbolic link."""
        folder = path.rpartition("/")[0]
        known = self._straight.get(folder)
        if known is None:
            known = self.is_straight(folder) and not os.path.islink(os.path.join(self._root, folder))
            self._straight[folder] = known
        return known
