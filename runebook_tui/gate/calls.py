"""From a stopped system call to the changes that it would make.

Calls that must fail by themselves (a missing file's unlink, an existing folder's mkdir, O_EXCL on an
existing file) make no change. Argument orders: the man pages of section 2.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable

from runebook_tui.gate import kernel
from runebook_tui.gate.callers import Caller
from runebook_tui.gate.names import Name, Names
from runebook_tui.gate.others import process_of

_O_PATH = getattr(os, "O_PATH", 0)
_O_TMPFILE = getattr(os, "O_TMPFILE", 0)
_REMOVE_FOLDER = 0x200  # AT_REMOVEDIR
_FOLLOW = 0x400  # AT_SYMLINK_FOLLOW
_EMPTY_PATH = 0x1000  # AT_EMPTY_PATH
_NO_REPLACE, _EXCHANGE = 1, 2  # RENAME_*
_HERE = kernel.AT_FDCWD
_UNIX = struct.pack("=H", 1)  # AF_UNIX
_MOST_ADDRESS = 110  # sizeof(struct sockaddr_un)


class Change:
    """One change that a call would make: `op`, `path` and, for rename and link, `to` (real paths or None).

    `mode` and `to_mode` say what is there now (0: nothing). `connect` changes nothing, and has the `socket`
    (device and inode) that it would reach. `signal`, `trace` and `limit` are about processes: `meant` is the
    thread that calls, and whom it means as kill(2) takes it.
    """

    __slots__ = ("meant", "mode", "op", "path", "socket", "to", "to_mode")

    def __init__(
        self,
        op: str,
        path: bytes | None,
        to: bytes | None = None,
        *,
        mode: int = 0,
        to_mode: int = 0,
        socket: tuple[int, int] | None = None,
        meant: tuple[int, int] | None = None,
    ) -> None:
        self.op = op
        self.path = path
        self.to = to
        self.mode = mode
        self.to_mode = to_mode
        self.socket = socket
        self.meant = meant


Arguments = tuple[int, ...]


class Calls:
    """Reads the arguments of stopped calls and says what they would change."""

    def __init__(self, names: Names) -> None:
        self._names = names
        by_name: dict[str, Callable[[Caller, Arguments], list[Change]]] = {
            "open": lambda c, a: self._open(c, _HERE, a[0], a[1]),
            "openat": lambda c, a: self._open(c, _signed(a[0]), a[1], a[2]),
            "creat": lambda c, a: self._open(c, _HERE, a[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            "truncate": self._truncate,
            "rename": lambda c, a: self._rename(c, _HERE, a[0], _HERE, a[1], 0),
            "renameat": lambda c, a: self._rename(c, _signed(a[0]), a[1], _signed(a[2]), a[3], 0),
            "renameat2": lambda c, a: self._rename(c, _signed(a[0]), a[1], _signed(a[2]), a[3], a[4]),
            "link": lambda c, a: self._link(c, _HERE, a[0], _HERE, a[1], 0),
            "linkat": lambda c, a: self._link(c, _signed(a[0]), a[1], _signed(a[2]), a[3], a[4]),
            "unlink": lambda c, a: self._remove(c, _HERE, a[0], 0),
            "unlinkat": lambda c, a: self._remove(c, _signed(a[0]), a[1], a[2]),
            "rmdir": lambda c, a: self._remove(c, _HERE, a[0], _REMOVE_FOLDER),
            "mkdir": lambda c, a: self._make(c, "mkdir", _HERE, a[0]),
            "mkdirat": lambda c, a: self._make(c, "mkdir", _signed(a[0]), a[1]),
            "mknod": lambda c, a: self._make(c, "mknod", _HERE, a[0]),
            "mknodat": lambda c, a: self._make(c, "mknod", _signed(a[0]), a[1]),
            "symlink": lambda c, a: self._make(c, "symlink", _HERE, a[1]),
            "symlinkat": lambda c, a: self._make(c, "symlink", _signed(a[1]), a[2]),
            "connect": lambda c, a: self._connect(c, a[1], a[2]),
        }
        processes: dict[str, Callable[[int, Arguments], Change]] = {
            "kill": lambda thread, a: _about("signal", thread, a[0]),
            "tkill": lambda thread, a: _about("signal", thread, a[0]),
            "tgkill": lambda thread, a: _about("signal", thread, a[0]),
            "rt_sigqueueinfo": lambda thread, a: _about("signal", thread, a[0]),
            "rt_tgsigqueueinfo": lambda thread, a: _about("signal", thread, a[0]),
            "pidfd_send_signal": lambda thread, a: _about("signal", thread, process_of(thread, a[0])),
            "ptrace": lambda thread, a: _about("trace", thread, a[1]),
            "process_vm_readv": lambda thread, a: _about("trace", thread, a[0]),
            "process_vm_writev": lambda thread, a: _about("trace", thread, a[0]),
            "pidfd_getfd": lambda thread, a: _about("trace", thread, process_of(thread, a[0])),
            "prlimit64": lambda thread, a: _about("limit", thread, a[0]),
        }
        self._processes = {kernel.calls[n]: read for n, read in processes.items() if n in kernel.calls}
        self._by_number = {kernel.calls[name]: read for name, read in by_name.items() if name in kernel.calls}

    def changes(self, thread: int, call: int, arguments: Arguments) -> list[Change]:
        """What the call would change. Raises names.Closed, and OSError when the process is going away."""
        about = self._processes.get(call)
        if about is not None:
            return [about(thread, arguments)]
        read = self._by_number.get(call)
        return [] if read is None else read(self._names.caller(thread), arguments)

    def _open(self, caller: Caller, base: int, pointer: int, flags: int) -> list[Change]:
        if flags & _O_PATH or (flags & _O_TMPFILE) == _O_TMPFILE:
            return []  # neither changes the tree; an unnamed file appears by its linkat
        path = self._names.path(caller, pointer)
        if caller.own and path == b"/dev/null":
            return []
        exclusive = flags & os.O_CREAT and flags & os.O_EXCL
        name = self._names.locate(caller, base, path, follow=not (exclusive or flags & os.O_NOFOLLOW))
        if name is None:
            return []
        if not name.mode:
            return [Change("create", name.path)] if flags & os.O_CREAT and not path.endswith(b"/") else []
        if exclusive or not stat.S_ISREG(name.mode):
            return []
        if flags & os.O_TRUNC:
            return [Change("truncate", name.path)]
        return [Change("open", name.path)] if flags & os.O_ACCMODE else []

    def _truncate(self, caller: Caller, arguments: Arguments) -> list[Change]:
        name = self._names.locate(caller, _HERE, self._names.path(caller, arguments[0]), follow=True)
        return [Change("truncate", name.path)] if name is not None and stat.S_ISREG(name.mode) else []

    def _rename(
        self, caller: Caller, base: int, old: int, to_base: int, new: int, flags: int
    ) -> list[Change]:
        old_path, new_path = self._names.path(caller, old), self._names.path(caller, new)
        one = self._names.locate(caller, base, old_path, follow=False)
        other = self._names.locate(caller, to_base, new_path, follow=False)
        if one is None or other is None or not one.mode or (flags & _NO_REPLACE and other.mode):
            return []
        slashes = old_path.endswith(b"/") or new_path.endswith(b"/")
        if slashes and not stat.S_ISDIR(one.mode) and not flags & _EXCHANGE:
            return []
        if flags & _EXCHANGE:
            both = [_renamed(one, other), _renamed(other, one)]
            return both if other.mode else []
        same = one.path is not None and one.path == other.path
        return [] if same else [_renamed(one, other)]

    def _link(self, caller: Caller, base: int, old: int, to_base: int, new: int, flags: int) -> list[Change]:
        old_path, new_path = self._names.path(caller, old), self._names.path(caller, new)
        if flags & _EMPTY_PATH and not old_path:
            one = self._names.descriptor(caller, base)
        else:
            one = self._names.locate(caller, base, old_path, follow=bool(flags & _FOLLOW))
        other = self._names.locate(caller, to_base, new_path, follow=False)
        if one is None or not one.mode or stat.S_ISDIR(one.mode) or not _free(other, new_path, folder=False):
            return []
        return [Change("link", one.path, other.path if other is not None else None, mode=one.mode)]

    def _remove(self, caller: Caller, base: int, pointer: int, flags: int) -> list[Change]:
        path = self._names.path(caller, pointer)
        name = self._names.locate(caller, base, path, follow=False)
        folder = bool(flags & _REMOVE_FOLDER)
        if name is None or not name.mode or stat.S_ISDIR(name.mode) != folder:
            return []
        if path.endswith(b"/") and not folder:
            return []
        return [Change("rmdir" if folder else "unlink", name.path, mode=name.mode)]

    def _make(self, caller: Caller, op: str, base: int, pointer: int) -> list[Change]:
        path = self._names.path(caller, pointer)
        name = self._names.locate(caller, base, path, follow=False)
        if name is None or not _free(name, path, folder=op == "mkdir"):
            return []
        return [Change(op, name.path)]

    def _connect(self, caller: Caller, pointer: int, length: int) -> list[Change]:
        """Only a socket that has a name in a file system counts (unix(7))."""
        address = self._names.memory(caller, pointer, min(length & 0xFFFFFFFF, _MOST_ADDRESS))
        if len(address) < 3 or address[:2] != _UNIX or address[2] == 0:
            return []
        path = address[2:].split(b"\0", 1)[0]
        name = self._names.locate(caller, _HERE, path, follow=True)
        if name is None or name.socket is None:
            return []
        return [Change("connect", name.path, mode=name.mode, socket=name.socket)]


def _about(op: str, thread: int, number: int) -> Change:
    return Change(op, None, meant=(thread, _signed(number)))


def _renamed(one: Name, other: Name) -> Change:
    return Change("rename", one.path, other.path, mode=one.mode, to_mode=other.mode)


def _free(name: Name | None, path: bytes, *, folder: bool) -> bool:
    """Whether something new can come there; only a folder's name may end in a slash."""
    return name is not None and not name.mode and (folder or not path.endswith(b"/"))


def _signed(argument: int) -> int:
    """A descriptor argument: the low 32 bits, signed."""
    argument &= 0xFFFFFFFF
    return argument - (1 << 32) if argument >> 31 else argument
