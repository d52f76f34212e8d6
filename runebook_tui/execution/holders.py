"""Who holds a file open for writing, as /proc tells it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

FileId = tuple[int, int]
"""Device and inode."""


class Holders:
    """Answers whether an agent's process can still write to a file through a descriptor or mapping.

    A descriptor may have been handed on, so every process for which `is_agents` holds counts, not
    only the one that opened it. Ask within a running event loop.
    """

    def __init__(self, root: Path, is_agents: Callable[[int], bool]) -> None:
        self._root = root
        self._is_agents = is_agents
        self._scan: dict[FileId, set[int]] | None = None

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
        if self._scan is None:
            # one scan for what is asked in one go of the event loop: no record can come in between
            self._scan = _scan()
            asyncio.get_running_loop().call_soon(self._forget)
        holders = self._scan.get((wanted.st_dev, wanted.st_ino), set())
        return pid in holders or any(self._is_agents(holder) for holder in holders)

    def _forget(self) -> None:
        self._scan = None


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
