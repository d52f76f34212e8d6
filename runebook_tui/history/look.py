"""What is at a path now, read without following links, blocking or trusting sizes."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from runebook_tui.core.types import Version

Stamp = tuple[int, int, int, int, int, int]
"""Device, inode, size, mtime, ctime, mode: equal stamps of a file at rest mean equal content."""

_ABSENT = Version(kind="absent")
_CHUNK = 1 << 20
_ATTEMPTS = 5
_SEARCH = os.O_PATH if sys.platform == "linux" else os.O_RDONLY
STEP = _SEARCH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""Opens one folder on the way to a path."""
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


@dataclass(frozen=True)
class Look:
    """What was seen at a path: a file's bytes (or a link's target) are there when they fit the limit."""

    version: Version
    data: bytes | None = None
    stamp: Stamp | None = None
    folder: bool = False
    changed: float | None = None
    """When the inode had last changed after it was read (unix seconds); None where nothing was seen."""
    device: int = 0


def look(root: Path, path: str, *, keep: int, unless: Stamp | None = None) -> Look | None:
    """See what is at `path` below `root`; None when a file still has the stamp `unless`.

    Content up to `keep` bytes is handed out; larger files are hashed in pieces. A path that leads through a
    symbolic link or out of the repository is absent. What may not be read, and folders, pipes, sockets and
    devices, are `other`. Never raises for what it finds.
    """
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        return Look(_ABSENT)
    try:
        folder = descend(root, parts[:-1])
    except OSError as error:
        return _unseen(error)
    try:
        return see(folder, parts[-1], keep=keep, unless=unless)
    finally:
        os.close(folder)


@overload
def see(folder: int, name: str, *, keep: int = ...) -> Look: ...
@overload
def see(folder: int, name: str, *, keep: int = ..., unless: Stamp | None) -> Look | None: ...
def see(folder: int, name: str, *, keep: int = 0, unless: Stamp | None = None) -> Look | None:
    """See what has the name `name` in the open folder `folder`, as `look` does."""
    try:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return _see(folder, name, keep, unless, last=attempt == _ATTEMPTS)
            except _MovedError:
                continue
    except OSError as error:
        return _unseen(error)
    return Look(Version(kind="other"))


def same_content(one: Version, other: Version) -> bool:
    """Whether two versions have the same kind, content and, of files, the owner's execute bit."""
    if one.kind != other.kind or one.digest != other.digest:
        return False
    return one.kind != "file" or (one.mode & 0o100) == (other.mode & 0o100)


class _MovedError(Exception):
    """The path changed while it was looked at."""


def descend(root: Path, parts: Sequence[str]) -> int:
    """The folder `parts` below `root`, opened without following links. Raises OSError."""
    here = os.open(root, STEP & ~os.O_NOFOLLOW)
    for part in parts:
        try:
            below = os.open(part, STEP, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here


def _unseen(error: OSError) -> Look:
    gone = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
    return Look(_ABSENT if gone else Version(kind="other"))


def _see(folder: int, name: str, keep: int, unless: Stamp | None, *, last: bool) -> Look | None:
    info = os.lstat(name, dir_fd=folder)
    if stat.S_ISLNK(info.st_mode):
        target = os.fsencode(os.readlink(name, dir_fd=folder))
        digest = hashlib.sha256(target).hexdigest()
        version = Version(kind="symlink", digest=digest, size=len(target))
        return Look(version, target, changed=info.st_ctime, device=info.st_dev)
    if not stat.S_ISREG(info.st_mode):
        return Look(Version(kind="other"), folder=stat.S_ISDIR(info.st_mode))
    if unless is not None and _stamp(info) == unless:
        return None
    try:
        file = os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO) and not last:
            raise _MovedError from error
        raise
    try:
        return _read(file, keep, last=last)
    finally:
        os.close(file)


def _read(file: int, keep: int, *, last: bool) -> Look:
    before = os.fstat(file)
    if not stat.S_ISREG(before.st_mode):
        raise _MovedError
    hasher, pieces, size = hashlib.sha256(), list[bytes](), 0
    while size < before.st_size:  # not until the end: a file may grow faster than it is read
        piece = os.read(file, min(_CHUNK, before.st_size - size))
        if not piece:
            break
        hasher.update(piece)
        size += len(piece)
        if size <= keep:
            pieces.append(piece)
    after = os.fstat(file)
    at_rest = _stamp(before) == _stamp(after)
    if not at_rest and not last and size <= keep:
        raise _MovedError
    version = Version(kind="file", digest=hasher.hexdigest(), size=size, mode=stat.S_IMODE(after.st_mode))
    data = b"".join(pieces) if size <= keep else None
    stamp = _stamp(after) if at_rest and _settled(after) else None
    return Look(version, data, stamp, changed=after.st_ctime, device=after.st_dev)


def _stamp(info: os.stat_result) -> Stamp:
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_mode


def _settled(info: os.stat_result) -> bool:
    """Whether a later write would surely show in the times (file systems tick in up to 2 s)."""
    return time.time_ns() - max(info.st_mtime_ns, info.st_ctime_ns) > 2_000_000_000
