"""Whether anybody but the asker still holds a file open for writing, as /proc tells it."""

from __future__ import annotations

import os
from pathlib import Path


def still_open(root: Path, path: str) -> bool:
    """Whether a process of this user has the file at `path` open for writing, or mapped.

    A descriptor may have been handed on, so every process counts, not only the one that opened it.
    True where /proc is absent: then it cannot be ruled out.
    """
    if not os.path.isdir("/proc/self/fd"):
        return True
    try:
        wanted = os.lstat(root / path)
    except OSError:
        return False
    own = os.getpid()
    return any(
        _holds(process, wanted.st_dev, wanted.st_ino)
        for process in os.listdir("/proc")
        if process.isdigit() and int(process) != own
    )


def _holds(process: str, device: int, inode: int) -> bool:
    folder = f"/proc/{process}/fd"
    try:
        descriptors = os.listdir(folder)
    except OSError:
        return False
    for descriptor in descriptors:
        try:
            seen = os.stat(f"{folder}/{descriptor}")
        except OSError:
            continue
        if (seen.st_dev, seen.st_ino) == (device, inode) and _writes(process, descriptor):
            return True
    return _maps(process, device, inode)


def _writes(process: str, descriptor: str) -> bool:
    try:
        with open(f"/proc/{process}/fdinfo/{descriptor}", "rb") as file:
            for line in file:
                if line.startswith(b"flags:"):
                    return int(line.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    except (OSError, ValueError, IndexError):
        return True
    return True


def _maps(process: str, device: int, inode: int) -> bool:
    """Whether the process has the file mapped shared and writable."""
    wanted = (f"{os.major(device):02x}:{os.minor(device):02x}".encode(), str(inode).encode())
    try:
        with open(f"/proc/{process}/maps", "rb") as file:
            for line in file:
                fields = line.split(maxsplit=5)
                if (fields[3], fields[4]) == wanted and fields[1][1:2] == b"w" and fields[1][3:4] == b"s":
                    return True
    except OSError:
        return False
    return False
