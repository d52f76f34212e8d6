"""The file that a path means to the process that wrote it, as a real path in the supervisor's own view.

The caller's root, current folder, descriptors, mount namespace and process ids decide what its path means.
All paths are bytes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable

from runebook_tui.gate import kernel
from runebook_tui.gate.callers import Caller, Callers, Closed
from runebook_tui.gate.mounts import Atlas, Mount, Mounts, below

_O_PATH = getattr(os, "O_PATH", 0) | os.O_CLOEXEC
_FOLDER = _O_PATH | os.O_DIRECTORY
_MOST_LINKS = 40
_MOST_TABLES = 16


_FAILS_ITSELF = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EBADF, errno.ENAMETOOLONG))


class Name:
    """What a path names: `path` (None where our view has no name for it) and `mode` (0: nothing is there).

    A socket has its device and inode as `socket` besides.
    """

    __slots__ = ("mode", "path", "socket")

    def __init__(self, path: bytes | None, mode: int, socket: tuple[int, int] | None = None) -> None:
        self.path = path
        self.mode = mode
        self.socket = socket


class Names:
    """Resolves paths of `callers`, for the repository of `atlas`."""

    def __init__(self, atlas: Atlas, callers: Callers) -> None:
        self._atlas = atlas
        self._callers = callers
        self._proc_device = os.stat("/proc").st_dev
        self._beside: list[Atlas] = []
        self._tables: dict[tuple[int, bytes], Mounts] = {}

    def caller(self, thread: int) -> Caller:
        """The thread and its view. Raises Closed, and FileNotFoundError when it is gone."""
        return self._callers.of(thread)

    def beside(self, folders: Iterable[bytes]) -> None:
        """Know these folders (real paths) too by whatever name a caller's mounts give them."""
        wanted = [folder for folder in folders if not below(folder, self._atlas.root)]
        if wanted != [atlas.root for atlas in self._beside]:
            for atlas in self._beside:
                atlas.close()
            self._beside = [Atlas(folder) for folder in wanted]

    def path(self, caller: Caller, address: int) -> bytes:
        """The path text at `address` in the caller's memory. Raises Closed, and OSError as the call will."""
        return self._callers.path(caller, address)

    def memory(self, caller: Caller, address: int, length: int) -> bytes:
        """`length` bytes of the caller's memory. Raises Closed, and OSError as the call will."""
        try:
            return kernel.read_memory(caller.thread, address, length)
        except PermissionError as error:
            raise Closed from error

    def locate(self, caller: Caller, base: int, path: bytes, *, follow: bool) -> Name | None:
        """What `path`, relative to the caller's descriptor `base` (or AT_FDCWD), names.

        `follow` says whether a link at the end is followed. None: the call changes nothing, because a
        folder on the way is missing, or the path ends in the root, "." or "..". Raises Closed, and
        PermissionError for a folder that is shut to us.
        """
        path = path.rstrip(b"/")
        head, slash, last = path.rpartition(b"/")
        if last in (b"", b".", b".."):
            return None
        opened: list[int] = []
        try:
            absolute = path.startswith(b"/")
            if not absolute:
                opened.append(_base(caller, base))
            if caller.own:
                start = opened[0] if opened else kernel.AT_FDCWD
                name = self._direct(caller, start, (head or slash), last, follow, opened)
                if name is not None:
                    return name
            return self._walk(caller, path, follow, opened)
        except OSError as error:
            if error.errno in _FAILS_ITSELF:
                return None
            raise
        finally:
            for fd in opened:
                os.close(fd)

    def descriptor(self, caller: Caller, number: int) -> Name | None:
        """What the caller's open descriptor `number` (or AT_FDCWD) is, None for no such. Raises Closed."""
        try:
            fd = _base(caller, number)
        except FileNotFoundError:
            return None
        try:
            return Name(self._real(caller, fd), os.fstat(fd).st_mode)
        finally:
            os.close(fd)

    def _direct(
        self, caller: Caller, start: int, head: bytes, last: bytes, follow: bool, opened: list[int]
    ) -> Name | None:
        """The short way, by the kernel's own walk; None when only the long way is right."""
        if head or start == kernel.AT_FDCWD:
            try:
                start = kernel.open_directory(start, head)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOSYS, errno.EPERM):
                    return None
                raise
            opened.append(start)
        folder = self._real(caller, start)
        if folder is not None and folder.startswith(b"/proc/"):
            return None  # "self" there was us, not the caller
        mode = _mode(last, start)
        if follow and stat.S_ISLNK(mode):
            return None
        return Name(None if folder is None else _join(folder, last), mode, _socket(last, start, mode))

    def _walk(self, caller: Caller, path: bytes, follow: bool, opened: list[int]) -> Name | None:
        """The long way: one component after the other, inside the caller's root."""
        root = _open(caller, b"root", _FOLDER)
        opened.append(root)
        current = root if path.startswith(b"/") else opened[0]
        todo = _parts(path)
        links = 0
        while todo:
            part = todo.pop()
            if part == b"..":
                if not _same(current, root):
                    current = os.open(b"..", _FOLDER, dir_fd=current)
                    opened.append(current)
                continue
            mode = _mode(part, current)
            if stat.S_ISLNK(mode) and (todo or follow):
                links += 1
                if links > _MOST_LINKS:
                    return None
                if kernel.on_procfs(current):
                    own_name = self._process_link(caller, part, current)
                    if own_name is None:
                        current = os.open(part, _O_PATH, dir_fd=current)
                        opened.append(current)
                        continue
                    target = own_name
                else:
                    target = os.readlink(part, dir_fd=current)
                if target.startswith(b"/"):
                    current = root
                todo += _parts(target)
            elif not todo:
                folder = self._real(caller, current)
                real = None if folder is None else _join(folder, part)
                return Name(real, mode, _socket(part, current, mode))
            else:
                current = os.open(part, _O_PATH | os.O_NOFOLLOW, dir_fd=current)
                opened.append(current)
        found = os.fstat(current)
        socket = (found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None
        return Name(self._real(caller, current), found.st_mode, socket)

    def _process_link(self, caller: Caller, part: bytes, folder: int) -> bytes | None:
        """The text of a link in a process file system as the caller reads it; None for a magic one."""
        if part in (b"self", b"thread-self"):
            inner = os.fstat(folder).st_dev != self._proc_device
            process = _number(caller.thread, b"NStgid" if inner else b"Tgid")
            if part == b"self":
                return process
            return b"%s/task/%s" % (process, _number(caller.thread, b"NSpid" if inner else b"Pid"))
        text = os.readlink(part, dir_fd=folder)
        return text if part in (b"mounts", b"net") and text.startswith(b"self/") else None

    def _real(self, caller: Caller, fd: int) -> bytes | None:
        """The real path of an object that the caller sees, in our view; None where it has none."""
        link = os.readlink(b"/proc/self/fd/%d" % fd)
        if not link.startswith(b"/"):
            return None
        if link.endswith(b" (deleted)") and os.fstat(fd).st_nlink == 0:
            return None
        if caller.own and (not self._atlas.aliases or below(link, self._atlas.root)):
            return link
        if not caller.own and _is_at(fd, link):
            return link  # another namespace, but the same object by the same name
        mounts = self._mounts_of(caller)
        mount = mounts.find(_mount_id(fd))
        if mount is None and not caller.own and os.fstat(fd).st_dev in self._devices():
            raise PermissionError(errno.EACCES, "a mount that is in no table shows an unknown part")
        found = None if mount is None else self._mapped(mount, link)
        return link if found is None and caller.own else found

    def _mapped(self, mount: Mount, link: bytes) -> bytes | None:
        """The name in our view of what `mount` shows as `link`: in the repository or in a place beside it."""
        for atlas in (self._atlas, *self._beside):
            found = atlas.real(mount, link)
            if found is not None:
                return found
        return None

    def _devices(self) -> set[int]:
        """The file systems of the repository and the places beside it."""
        found = set()
        for atlas in (self._atlas, *self._beside):
            with contextlib.suppress(OSError):
                found.add(os.stat(atlas.root).st_dev)
        return found

    def _mounts_of(self, caller: Caller) -> Mounts:
        for atlas in (self._atlas, *self._beside):
            atlas.refresh()
        prefix = os.readlink(b"/proc/%d/root" % caller.thread)
        key = os.stat(b"/proc/%d/ns/mnt" % caller.thread).st_ino, prefix
        mounts = self._tables.get(key)
        if mounts is None:
            if len(self._tables) >= _MOST_TABLES:
                self._tables.pop(next(iter(self._tables))).close()
            mounts = self._tables[key] = Mounts(caller.thread, prefix)
        else:
            mounts.refresh()
        return mounts


def _base(caller: Caller, base: int) -> int:
    if base == kernel.AT_FDCWD:
        return _open(caller, b"cwd", _FOLDER)
    return _open(caller, b"fd/%d" % base, _O_PATH)


def _open(caller: Caller, name: bytes, flags: int) -> int:
    try:
        return os.open(name, flags, dir_fd=caller.folder)
    except PermissionError as error:
        raise Closed from error


def _parts(path: bytes) -> list[bytes]:
    """The components of a path, the first one last."""
    return [part for part in reversed(path.split(b"/")) if part not in (b"", b".")]


def _join(folder: bytes, last: bytes) -> bytes:
    return folder + last if folder == b"/" else folder + b"/" + last


def _mode(name: bytes, folder: int) -> int:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0


def _socket(name: bytes, folder: int, mode: int) -> tuple[int, int] | None:
    if not stat.S_ISSOCK(mode):
        return None
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return found.st_dev, found.st_ino


def _same(one: int, other: int) -> bool:
    left, right = os.fstat(one), os.fstat(other)
    return left.st_ino == right.st_ino and left.st_dev == right.st_dev


def _is_at(fd: int, path: bytes) -> bool:
    try:
        there = os.lstat(path)
    except OSError:
        return False
    here = os.fstat(fd)
    return here.st_ino == there.st_ino and here.st_dev == there.st_dev


def _mount_id(fd: int) -> int:
    with open(f"/proc/self/fdinfo/{fd}", "rb") as file:
        for line in file:
            if line.startswith(b"mnt_id:"):
                return int(line.split()[1])
    return -1


def _number(thread: int, field: bytes) -> bytes:
    """The last number of one line of a thread's status file (the innermost process namespace's)."""
    with open(f"/proc/{thread}/status", "rb") as file:
        for line in file:
            if line.startswith(field + b":"):
                return line.split()[-1]
    raise OSError(errno.ENOENT, "a process without its status line")
