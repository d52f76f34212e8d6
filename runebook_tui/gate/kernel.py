"""The Linux calls that Python's standard library does not offer, as plain functions.

Numbers and layouts: the kernel's uapi headers `seccomp.h`, `openat2.h`, `stat.h`, `prctl.h` (6.18).
x86-64 is tested; the aarch64 table is written from `asm-generic/unistd.h` and untested.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

LINUX = sys.platform == "linux"

_M_ARENA_MAX = -8

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_X86_64 = {
    "open": 2,
    "connect": 42,
    "kill": 62,
    "truncate": 76,
    "rename": 82,
    "mkdir": 83,
    "rmdir": 84,
    "creat": 85,
    "link": 86,
    "unlink": 87,
    "symlink": 88,
    "ptrace": 101,
    "rt_sigqueueinfo": 129,
    "mknod": 133,
    "tkill": 200,
    "tgkill": 234,
    "openat": 257,
    "mkdirat": 258,
    "mknodat": 259,
    "unlinkat": 263,
    "renameat": 264,
    "linkat": 265,
    "symlinkat": 266,
    "rt_tgsigqueueinfo": 297,
    "prlimit64": 302,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "renameat2": 316,
    "seccomp": 317,
    "statx": 332,
    "pidfd_send_signal": 424,
    "io_uring_setup": 425,
    "openat2": 437,
    "pidfd_getfd": 438,
}
_AARCH64 = {
    "mknodat": 33,
    "mkdirat": 34,
    "unlinkat": 35,
    "symlinkat": 36,
    "linkat": 37,
    "renameat": 38,
    "truncate": 45,
    "openat": 56,
    "ptrace": 117,
    "kill": 129,
    "tkill": 130,
    "tgkill": 131,
    "rt_sigqueueinfo": 138,
    "connect": 203,
    "rt_tgsigqueueinfo": 240,
    "prlimit64": 261,
    "process_vm_readv": 270,
    "process_vm_writev": 271,
    "renameat2": 276,
    "seccomp": 277,
    "statx": 291,
    "pidfd_send_signal": 424,
    "io_uring_setup": 425,
    "openat2": 437,
    "pidfd_getfd": 438,
}
CALLS = {"x86_64": _X86_64, "aarch64": _AARCH64}

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PROC_SUPER_MAGIC = 0x9FA0
RESOLVE_NO_MAGICLINKS = 0x02
AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_STATX_INO = 0x100
_STATX_MNT_ID = 0x1000
_PAGE = 4096
PATH_MAX = 4096

machine = os.uname().machine
calls = CALLS.get(machine, {})

libc = ctypes.CDLL(None, use_errno=True)
if LINUX:
    libc.prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
ioctl = libc.ioctl
ioctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p)

seccomp_call = libc["syscall"]
seccomp_call.argtypes = (ctypes.c_long, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p)
seccomp_call.restype = ctypes.c_long
_openat2 = libc["syscall"]
_openat2.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)
_openat2.restype = ctypes.c_long
_statx = libc["syscall"]
_statx.argtypes = (
    ctypes.c_long,
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_uint,
    ctypes.c_void_p,
)
_statx.restype = ctypes.c_long


def fail(what: str) -> OSError:
    """The OSError of the C call that has just failed."""
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process. Raises OSError."""
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise fail("prctl")


def become_subreaper() -> None:
    """Adopt the orphans among this process's descendants; does nothing where there is no such thing."""
    if LINUX:
        prctl(PR_SET_CHILD_SUBREAPER, 1)


def keep_private() -> None:
    """Let no other process of this user read or write this one's memory or trace it; root still may.

    PR_SET_DUMPABLE, prctl(2); programs that this one starts are as any other.
    """
    if LINUX:
        prctl(_PR_SET_DUMPABLE, 0)


def end_with_parent(number: int) -> None:
    """Have this process sent the signal `number` when the one that started it ends, however that happens.

    PR_SET_PDEATHSIG, prctl(2); does nothing where there is no such thing.
    """
    if LINUX:
        prctl(_PR_SET_PDEATHSIG, number)


_directory = struct.pack(
    "=QQQ",
    getattr(os, "O_PATH", 0) | os.O_DIRECTORY | getattr(os, "O_CLOEXEC", 0),
    0,
    RESOLVE_NO_MAGICLINKS,
)
_directory_how = ctypes.create_string_buffer(_directory, len(_directory))


def open_directory(base: int, path: bytes) -> int:
    """An O_PATH descriptor of the directory `path` (from `base`), reached through no magic link.

    Raises OSError; ELOOP means that a link of a process's own folder in /proc is on the way, ENOSYS that
    the kernel (below 5.6) or a filter around us knows no openat2.
    """
    fd: int = _openat2(calls.get("openat2", -1), base, path, _directory_how, len(_directory))
    if fd < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return fd


_statx_buffer = ctypes.create_string_buffer(256)


def mount_and_inode(base: int, path: bytes) -> tuple[int, int] | None:
    """The mount's id and the inode of `path` (of `base` itself when empty), or None where unknown.

    The id is of statx (Linux 5.8), the same numbers as in mountinfo. Raises PermissionError.
    """
    flags = 0 if path else _AT_EMPTY_PATH
    mask = _STATX_INO | _STATX_MNT_ID
    if _statx(calls.get("statx", -1), base, path, flags, mask, _statx_buffer) != 0:
        number = ctypes.get_errno()
        if number in (errno.EACCES, errno.EPERM):
            raise PermissionError(number, os.strerror(number))
        return None
    if not struct.unpack_from("=I", _statx_buffer)[0] & _STATX_MNT_ID:
        return None
    inode: int = struct.unpack_from("=Q", _statx_buffer, 32)[0]
    mount: int = struct.unpack_from("=Q", _statx_buffer, 144)[0]
    return mount, inode


def on_procfs(fd: int) -> bool:
    """Whether the object of `fd` lives in a process file system."""
    buffer = ctypes.create_string_buffer(256)
    if libc.fstatfs(fd, buffer) != 0:
        raise fail("fstatfs")
    kind: int = struct.unpack_from("=l" if struct.calcsize("l") == 4 else "=q", buffer)[0]
    return kind == PROC_SUPER_MAGIC


class _Span(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


_readv = libc.process_vm_readv if LINUX else libc["read"]
_readv.argtypes = (ctypes.c_int, *(ctypes.c_void_p, ctypes.c_ulong) * 2, ctypes.c_ulong)
_readv.restype = ctypes.c_ssize_t

_text = ctypes.create_string_buffer(PATH_MAX)
_here = _Span(ctypes.addressof(_text), PATH_MAX)
_there = _Span(0, 0)


def _read(thread: int, address: int, length: int) -> bytes:
    """Up to `length` bytes of another process's memory, not across a page's end."""
    _here.length = length
    _there.base = address
    _there.length = length
    got = _readv(thread, ctypes.byref(_here), 1, ctypes.byref(_there), 1, 0)
    if got >= 0:
        return ctypes.string_at(_text, got)
    number = ctypes.get_errno()
    if number == errno.EFAULT:
        raise OSError(number, os.strerror(number))
    # A filter around us may forbid process_vm_readv; the file asks for the same right by another door.
    memory = os.open(b"/proc/%d/mem" % thread, os.O_RDONLY)
    try:
        return os.pread(memory, length, address)
    finally:
        os.close(memory)


def read_path(thread: int, address: int) -> bytes:
    """The path at `address` in the memory of `thread`, without its closing NUL.

    Raises PermissionError when the memory is not ours to read, OSError with EFAULT (or EIO) for a bad
    address and ENAMETOOLONG when no NUL comes within 4,096 bytes: the call will fail by itself then.
    """
    if machine == "aarch64":
        address &= (1 << 56) - 1  # the top byte may be a tag
    found = b""
    while len(found) < PATH_MAX:
        length = min(_PAGE - address % _PAGE, PATH_MAX - len(found))
        chunk = _read(thread, address, length)
        end = chunk.find(b"\0")
        if end >= 0:
            return found + chunk[:end]
        if len(chunk) < length:
            raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
        found += chunk
        address += length
    raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def read_memory(thread: int, address: int, length: int) -> bytes:
    """`length` bytes of another process's memory. Raises PermissionError when shut, OSError when bad."""
    if machine == "aarch64":
        address &= (1 << 56) - 1  # the top byte may be a tag
    found = b""
    while len(found) < length:
        part = min(_PAGE - address % _PAGE, length - len(found))
        chunk = _read(thread, address, part)
        if len(chunk) < part:
            raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
        found += chunk
        address += part
    return found


_PIDFD_GETFD = 438  # one number on every processor; Linux 5.6
_pidfd_getfd = libc["syscall"]
_pidfd_getfd.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_int, ctypes.c_uint)
_pidfd_getfd.restype = ctypes.c_long


def descriptor_of(handle: int, number: int) -> int:
    """A copy of descriptor `number` of the process of the pidfd `handle`. Raises OSError."""
    fd: int = _pidfd_getfd(_PIDFD_GETFD, handle, number, 0)
    if fd < 0:
        raise fail("pidfd_getfd")
    return fd


MARK = 16  # bytes of AT_RANDOM
_SHORT = 256
_short = ctypes.create_string_buffer(_SHORT)
_mark = ctypes.create_string_buffer(MARK)
_spans = ctypes.c_uint64 * 4
_both_here = _spans(ctypes.addressof(_short), 0, ctypes.addressof(_mark), MARK)
_both_there = _spans(0, 0, 0, MARK)
_both_here_at, _both_there_at = ctypes.addressof(_both_here), ctypes.addressof(_both_there)


def read_path_and_mark(thread: int, address: int, mark_at: int) -> tuple[bytes, bytes]:
    """`read_path`, and with the same call the 16 bytes at `mark_at`; none when they cannot be read."""
    start = address & (1 << 56) - 1 if machine == "aarch64" else address
    length = min(_PAGE - start % _PAGE, _SHORT)
    _both_here[1] = _both_there[1] = length
    _both_there[0], _both_there[2] = start, mark_at
    got = _readv(thread, _both_here_at, 2, _both_there_at, 2, 0)
    mark = _mark.raw if got == length + MARK else b""
    if got >= length:
        path = _short.value
        if len(path) < length:
            return path, mark
    return read_path(thread, address), mark


def read_mark(thread: int, address: int) -> bytes:
    """The 16 bytes at `address`; none when they cannot be read."""
    try:
        mark = _read(thread, address, MARK) if address else b""
    except OSError:
        return b""
    return mark if len(mark) == MARK else b""


def few_arenas(number: int) -> None:
    """Let the threads of this process share `number` heaps (mallopt(3)); elsewhere than under glibc nothing.

    A thread that reads a large file once would else keep that much memory in a heap of its own.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if LINUX else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, number)


def give_back() -> None:
    """Give the system the memory that this process has freed (malloc_trim(3)); only glibc keeps it.

    What was needed for a moment lies between what is needed still, so its pages would stay.
    """
    trim = getattr(libc, "malloc_trim", None) if LINUX else None
    if trim is not None:
        trim(0)
