"""The filter program: which system calls stop and ask the supervisor.

Hand-written classic BPF and the raw seccomp call, because libseccomp 2.5.4 has no name for
SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19). Layout: `struct seccomp_data` of the kernel's seccomp.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
from collections.abc import Iterable

from runebook_tui.gate import kernel

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

_NUMBER, _ARCH, _ARGS = 0, 4, 16  # offsets in struct seccomp_data

_ALLOW = 0x7FFF0000
_NOTIFY = 0x7FC00000
_NO_SUCH_CALL = 0x00050000 | errno.ENOSYS

_X32_BIT = 0x40000000
_SET_MODE_FILTER = 1
_NEW_LISTENER = 1 << 3
_WAIT_KILLABLE_RECV = 1 << 5

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

# Opens tell reading from writing by their flags: the position of that argument.
OPENS = {"openat": 2, "open": 1}
# Everything else that can create, remove, rename or cut a file.
CHANGES = (
    "creat",
    "truncate",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "mknod",
    "mknodat",
)
# In enforce mode: tmux's sockets are not reachable, and neither are others' processes.
REACHES = ("connect", "process_vm_readv", "process_vm_writev", "pidfd_getfd")
# Those of which most are harmless: the position of the argument that tells, and its harmless values. These
# are signals that end and stop nobody (0 only asks), requests of ptrace but PTRACE_ATTACH and PTRACE_SEIZE
# (which begin it), and limits of the caller's own.
_QUIET = (0, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH)
SIGNALS = {
    "kill": 1,
    "tkill": 1,
    "tgkill": 2,
    "rt_sigqueueinfo": 1,
    "rt_tgsigqueueinfo": 2,
    "pidfd_send_signal": 1,
}
TRACES = ("ptrace", 0, (16, 0x4206))
LIMITS = ("prlimit64", 0, (0,))
# Programs fall back to the calls above when these do not exist; a pointer's flags cannot be filtered.
ABSENT = ("openat2", "io_uring_setup")


_Step = tuple[int, int, int, int]  # struct sock_filter: code, jumps when true and when false, value


class GateError(Exception):
    """The filter cannot be installed here; the words say why."""


def program(machine: str, *, enforce: bool = False) -> bytes:
    """The filter for `machine` ("x86_64" or "aarch64") as an array of `struct sock_filter`.

    With `enforce` it reports as well what reaches tmux's sockets and other processes.
    """
    calls = kernel.CALLS[machine]
    code: list[_Step] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, kernel.AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _NO_SUCH_CALL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _NO_SUCH_CALL),
    ]
    for name, position in OPENS.items():
        if name in calls:
            code += [
                (_EQUAL, 0, 4, calls[name]),
                (_LOAD, 0, 0, _ARGS + 8 * position),
                (_ANY_BIT, 0, 1, WRITES),
                (_RETURN, 0, 0, _NOTIFY),
                (_RETURN, 0, 0, _ALLOW),
            ]
    if enforce:
        for name, position in SIGNALS.items():
            code += _unless(calls, name, position, _QUIET)
        code += _unless(calls, *LIMITS)
        code += _when(calls, *TRACES)
    notified = (*CHANGES, *REACHES) if enforce else CHANGES
    for names, answer in ((notified, _NOTIFY), (ABSENT, _NO_SUCH_CALL)):
        for name in names:
            if name in calls:
                code += [(_EQUAL, 0, 1, calls[name]), (_RETURN, 0, 0, answer)]
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *step) for step in code)


def _unless(calls: dict[str, int], name: str, position: int, values: Iterable[int]) -> list[_Step]:
    """Steps that report the call unless its argument at `position` is one of `values`."""
    return _told(calls, name, position, values, _ALLOW, _NOTIFY)


def _when(calls: dict[str, int], name: str, position: int, values: Iterable[int]) -> list[_Step]:
    """Steps that report the call only when its argument at `position` is one of `values`."""
    return _told(calls, name, position, values, _NOTIFY, _ALLOW)


def _told(
    calls: dict[str, int], name: str, position: int, values: Iterable[int], among: int, others: int
) -> list[_Step]:
    if name not in calls:
        return []
    steps: list[_Step] = [(_LOAD, 0, 0, _ARGS + 8 * position)]
    for value in values:
        steps += [(_EQUAL, 0, 1, int(value)), (_RETURN, 0, 0, among)]
    steps.append((_RETURN, 0, 0, others))
    return [(_EQUAL, 0, len(steps), calls[name]), *steps]


def missing() -> str:
    """Why this machine cannot run the filter, in words; empty when it can be tried."""
    if not kernel.LINUX:
        return "the gate needs Linux"
    if kernel.machine not in kernel.CALLS or struct.calcsize("P") != 8:
        return f"the gate does not know the processor {kernel.machine}"
    release = os.uname().release.split(".")
    try:
        version = int(release[0]), int("".join(c for c in release[1] if c.isdigit()))
    except (IndexError, ValueError):
        return ""
    if version < (5, 5):
        return f"the kernel {version[0]}.{version[1]} cannot continue a call (5.5 can)"
    return ""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def install(*, enforce: bool = False) -> tuple[int, bool]:
    """Put this process, and all that it starts, under the filter; returns the listener's descriptor.

    With it comes whether the kernel lets only deadly signals interrupt a call that waits (Linux 5.19). Sets
    no-new-privileges. There is no way back. Raises GateError, and then nothing is filtered.
    """
    reason = missing()
    if reason:
        raise GateError(reason)
    steps = program(kernel.machine, enforce=enforce)
    buffer = ctypes.create_string_buffer(steps, len(steps))
    whole = _Program(len(steps) // 8, ctypes.addressof(buffer))
    try:
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    except OSError as error:
        raise GateError(f"the kernel refused no-new-privileges: {error.strerror}") from error
    call = kernel.calls["seccomp"]
    for flags in (_NEW_LISTENER | _WAIT_KILLABLE_RECV, _NEW_LISTENER):
        listener: int = kernel.seccomp_call(call, _SET_MODE_FILTER, flags, ctypes.byref(whole))
        if listener >= 0:
            return listener, bool(flags & _WAIT_KILLABLE_RECV)
        number = ctypes.get_errno()
        if number != errno.EINVAL:
            break
    if number == errno.EBUSY:
        raise GateError("another supervisor already watches this process (gates cannot be nested)")
    raise GateError(f"the kernel refused the filter: {os.strerror(number)}")
