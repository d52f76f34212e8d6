"""Who holds a file open for writing, as /proc tells it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

_FRESH_SECONDS = 0.25

FileId = tuple[int, int]
"""Device and inode."""


class Holders:
    """Answers whether an agent's process can still write to a file through a descriptor or mapping.

    A descriptor may have been handed on, so every process for which `is_agents` holds counts, not
    only the one that opened it. One scan of /proc serves for a quarter of a second.
    """

    def __init__(self, root: Path, is_agents: Callable[[int], bool]) -> None:
        self._root = root
        self._is_agents = is_agents
        self._scanned_at = float("-inf")
        self._holders: dict[FileId, set[int]] = {}

    def still_open(self, pid: int, path: str) -> bool:
        """Whether an agent holds the file at `path` open for writing, or mapped shared and writable.

        True where /proc is absent: then it cannot be ruled out. `pid` is who opened it once.
        """
        if not os.path.isdir("/proc/self/fd"):
            return True
        try:
            wanted = os.lstat(self._root / path)
        except OSError:
            return False
        now = time.monotonic()
        if now - self._scanned_at > _FRESH_SECONDS:
            self._holders = _scan()
            self._scanned_at = now
        holders = self._holders.get((wanted.st_dev, wanted.st_ino), set())
        return pid in holders or any(self._is_agents(holder) for holder in holders)


def _scan() -> dict[FileId, set[int]]:
    found: dict[FileId, set[int]] = {}
    own = os.getpid()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != own:
            for file in (*_open_files(name), *_mapped_files(name)):
                found.setdefault(file, set()).add(int(name))
    return found


def _open_files(process: str) -> list[FileId]:
    """The regular files that the process has open for writing."""
    folder = f"/proc/{process}/fd"
    files: list[FileId] = []
    try:
        descriptors = os.listdir(folder)
    except OSError:
        return files
    for descriptor in descriptors:
        try:
            if not os.readlink(f"{folder}/{descriptor}").startswith("/"):
                continue
            seen = os.stat(f"{folder}/{descriptor}")
        except OSError:
            continue
        if _writes(process, descriptor):
            files.append((seen.st_dev, seen.st_ino))
    return files


def _writes(process: str, descriptor: str) -> bool:
    try:
        with open(f"/proc/{process}/fdinfo/{descriptor}", "rb") as file:
            for line in file:
                if line.startswith(b"flags:"):
                    return int(line.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    except (OSError, ValueError, IndexError):
        return True
    return True


def _mapped_files(process: str) -> list[FileId]:
    """The files that the process has mapped shared and writable."""
    files: list[FileId] = []
    try:
        with open(f"/proc/{process}/maps", "rb") as file:
            for line in file:
                fields = line.split(maxsplit=5)
                if fields[1][1:2] == b"w" and fields[1][3:4] == b"s":
                    major, minor = fields[3].split(b":")
                    files.append((os.makedev(int(major, 16), int(minor, 16)), int(fields[4])))
    except (OSError, ValueError, IndexError):
        return files
    return files
