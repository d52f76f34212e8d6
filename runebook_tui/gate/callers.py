"""The threads that make calls, remembered: what each sees as its root, and the program that it runs.

What is remembered is checked at every call: the root anew, the thread by a descriptor of its folder in /proc,
and the program by the 16 random bytes that every exec puts into its memory (AT_RANDOM of getauxval(3)).
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct

from runebook_tui.gate import kernel

_FOLDER = getattr(os, "O_PATH", 0) | os.O_CLOEXEC | os.O_DIRECTORY
_MOST = 64  # descriptors
_AT_RANDOM = 25
_PROGRAM = 64
_ARGUMENTS = 200

Who = tuple[int, str, str]
"""A process (its number here), the base name of its program, its arguments."""


class Closed(Exception):
    """The caller's memory or its folders in /proc are shut to us (PR_SET_DUMPABLE, Yama, other user)."""


class Caller:
    """The thread that made a call: `thread` (its id here) and `own` (whether it sees our root).

    `folder` is a descriptor of its folder in /proc: it never means a later thread with the same number.
    """

    __slots__ = ("folder", "mark", "mark_at", "own", "process", "thread", "who")

    def __init__(self, thread: int, folder: int, own: bool) -> None:
        self.thread = thread
        self.folder = folder
        self.own = own
        self.process = 0
        self.who: Who | None = (
            None  # of the program whose AT_RANDOM bytes `mark` are at the address `mark_at`
        )
        self.mark = b""
        self.mark_at = 0


class Callers:
    """The callers of late."""

    def __init__(self) -> None:
        self._root = kernel.mount_and_inode(kernel.AT_FDCWD, b"/")
        self._known: dict[int, Caller] = {}

    def of(self, thread: int) -> Caller:
        """The thread and its view, as they are now. Raises Closed, and FileNotFoundError when it is gone."""
        caller = self._known.get(thread)
        if caller is not None:
            try:
                seen = kernel.mount_and_inode(caller.folder, b"root")
            except PermissionError:
                seen = None
            if seen is not None:
                caller.own = seen == self._root
                return caller
            self._forget(caller)
        return self._meet(thread)

    def path(self, caller: Caller, address: int) -> bytes:
        """The path text at `address` in the caller's memory. Raises Closed, and OSError as the call will."""
        try:
            path, mark = kernel.read_path_and_mark(caller.thread, address, caller.mark_at)
        except PermissionError as error:
            raise Closed from error
        if mark != caller.mark:
            caller.who, caller.mark, caller.mark_at = None, b"", 0
        return path

    def who(self, thread: int) -> Who:
        """The process of the thread whose call was read last; its words are empty when it is gone."""
        caller = self._known.get(thread)
        try:
            if caller is not None:
                return caller.who or _identify(caller)
            folder = _open(thread)
            try:
                return _process(folder), *_program(folder)
            finally:
                os.close(folder)
        except (OSError, ValueError):
            return thread, "", ""

    def _meet(self, thread: int) -> Caller:
        try:
            folder = _open(thread)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or not self._known:
                raise
            for each in list(self._known.values()):
                self._forget(each)
            folder = _open(thread)
        try:
            seen = kernel.mount_and_inode(folder, b"root")
        except PermissionError as error:
            os.close(folder)
            raise Closed from error
        if len(self._known) >= _MOST:
            self._forget(next(iter(self._known.values())))
        caller = self._known[thread] = Caller(thread, folder, seen is not None and seen == self._root)
        return caller

    def _forget(self, caller: Caller) -> None:
        del self._known[caller.thread]
        with contextlib.suppress(OSError):
            os.close(caller.folder)


def _open(thread: int) -> int:
    return os.open(b"/proc/%d" % thread, _FOLDER)


def _identify(caller: Caller) -> Who:
    """Who the caller is, remembered when it can be told whether it is another program next time."""
    # The mark before the arguments: if another program comes between the two, the mark is the old one's.
    mark_at = _random_at(caller.folder)
    mark = kernel.read_mark(caller.thread, mark_at)
    if not caller.process:
        caller.process = _process(caller.folder)  # for as long as the thread lives, exec or not
    program, arguments = _program(caller.folder)
    who = caller.process, program, arguments
    if mark and arguments:
        caller.who, caller.mark, caller.mark_at = who, mark, mark_at
    return who


def _random_at(folder: int) -> int:
    try:
        vector = _read(folder, b"auxv")
    except PermissionError:
        return 0
    for kind, value in struct.iter_unpack("=QQ", vector[: len(vector) // 16 * 16]):
        if kind == _AT_RANDOM:
            return int(value)
    return 0


def _program(folder: int) -> tuple[str, str]:
    words = _read(folder, b"cmdline").rstrip(b"\0").split(b"\0")
    name = words[0].rpartition(b"/")[2] or _read(folder, b"comm").rstrip(b"\n")
    arguments = b" ".join(words)[: 4 * _ARGUMENTS]
    return os.fsdecode(name)[:_PROGRAM], os.fsdecode(arguments)[:_ARGUMENTS]


def _process(folder: int) -> int:
    for line in _read(folder, b"status").splitlines():
        if line.startswith(b"Tgid:"):
            return int(line.split()[1])
    raise ValueError("a thread without a process")


def _read(folder: int, name: bytes) -> bytes:
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return os.read(fd, 4096)
    finally:
        os.close(fd)
