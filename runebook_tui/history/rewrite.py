"""Putting a content at a path, only if the path still holds what it held when that was decided.

The new content is written beside the path and takes its name in one step. No step follows a symbolic link:
each folder on the way is opened by itself. What a program writes meanwhile into the file that is replaced is
noticed afterwards, and the old file then gets its name back.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runebook_tui.core.types import Version
from runebook_tui.history.errors import RewriteError
from runebook_tui.history.look import STEP, descend, same_content, see

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TRACKED_MODES = (0o644, 0o755)
"""What git says of a mode: the user's umask has the last word, as in a checkout."""


def rewrite(root: Path, path: str, now: Version, then: Version, data: bytes | None) -> None:
    """Make what is at `path` (`now`) a file or link of the content `data`, or nothing, as `then` says.

    Raises RewriteError, and leaves the path as it is, when it holds something else by now, leads through a
    symbolic link, or the system refuses.
    """
    *folders, name = path.split("/")
    try:
        with _folder(root, folders, create=then.kind != "absent") as folder:
            if then.kind == "absent":
                _remove(folder, name, now)
            elif data is None:
                _set_mode(folder, name, now, then.mode)
            else:
                _put(folder, name, now, then, data)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise RewriteError("a folder on the way to it is no folder any more") from error
        raise RewriteError(error.strerror or type(error).__name__) from error


def remove_empty(root: Path, folder: str) -> bool:
    """Remove `folder` if it is an empty folder; whether it is gone."""
    *above, name = folder.split("/")
    try:
        with _folder(root, above, create=False) as parent:
            os.rmdir(name, dir_fd=parent)
    except OSError:
        return False
    return True


@contextmanager
def _folder(root: Path, parts: list[str], *, create: bool) -> Iterator[int]:
    """The folder as a descriptor; what is missing on the way to it is made."""
    here = descend(root, [])
    try:
        for part in parts:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o777, dir_fd=here)
            below = os.open(part, STEP, dir_fd=here)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def _put(folder: int, name: str, now: Version, then: Version, data: bytes) -> None:
    fresh = _beside()
    try:
        if then.kind == "symlink":
            os.symlink(os.fsdecode(data), fresh, dir_fd=folder)
        else:
            _write(folder, fresh, then.mode, data)
        _expect(folder, name, now)
        if now.kind == "absent":
            _take_free_name(folder, fresh, name)
        else:
            with _kept(folder, name, now):
                os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(fresh, dir_fd=folder)


def _write(folder: int, name: str, mode: int, data: bytes) -> None:
    file = os.open(name, _NEW, mode & 0o777, dir_fd=folder)
    with open(file, "wb") as stream:
        stream.write(data)
        stream.flush()
        if mode not in _TRACKED_MODES:
            os.fchmod(file, mode)
        os.fsync(file)


def _take_free_name(folder: int, fresh: str, name: str) -> None:
    """Give the file `fresh` a name that nothing has; a name that came up meanwhile is never overwritten."""
    try:
        os.link(fresh, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError as error:
        raise RewriteError("something has been put there meanwhile") from error
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
            raise
        # A file system without hard links: the moment since the look has to do.
        os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)


def _remove(folder: int, name: str, now: Version) -> None:
    _expect(folder, name, now)
    with _kept(folder, name, now):
        os.unlink(name, dir_fd=folder)


@contextmanager
def _kept(folder: int, name: str, now: Version) -> Iterator[None]:
    """While the name changes hands, the old file has a second one, and gets the first back if it changed."""
    second = _beside()
    try:
        os.link(name, second, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
            raise
        yield
        return
    try:
        _expect(folder, second, now)
        yield
        try:
            _expect(folder, second, now)
        except RewriteError:
            os.rename(second, name, src_dir_fd=folder, dst_dir_fd=folder)
            raise
    finally:
        with suppress(FileNotFoundError):
            os.unlink(second, dir_fd=folder)


def _set_mode(folder: int, name: str, now: Version, mode: int) -> None:
    _expect(folder, name, now)
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise RewriteError("it has become something else meanwhile")
        os.fchmod(file, mode)
    finally:
        os.close(file)


def _expect(folder: int, name: str, now: Version) -> None:
    if not same_content(see(folder, name).version, now):
        raise RewriteError("it has changed meanwhile")


def _beside() -> str:
    return f".runebook-{secrets.token_hex(8)}"
