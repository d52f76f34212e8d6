"""The mark of an agent's processes: inherited by whatever they start, and never taken off again.

It is a hard limit that means nothing any more: RLIMIT_LOCKS, which Linux has kept without using it since
2.4.25 (getrlimit(2)). Only a process with CAP_SYS_RESOURCE can raise it again. So a daemon that lost its
supervisor, and whatever the private tmux server starts, are still told from the operator's processes.

`python mark.py COMMAND…` becomes the command, marked. Standard library only; nothing but Linux is marked.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

_RLIMIT_LOCKS = 10  # asm-generic/resource.h
_MOST = 1 << 40


def put_on() -> None:
    """Mark this process and all that it will start."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(_RLIMIT_LOCKS)
        lower = _MOST if hard == resource.RLIM_INFINITY else max(hard - 1, 0)
        resource.setrlimit(_RLIMIT_LOCKS, (lower, lower))


def limit_of(pid: int) -> float | None:
    """The hard limit of process `pid`, infinite without one; None where it cannot be told.

    A process with a lower one than the engine's is marked.
    """
    try:
        with open(f"/proc/{pid}/limits", "rb") as file:
            for line in file:
                if line.startswith(b"Max file locks"):
                    return float(line.split()[4].replace(b"unlimited", b"inf"))
    except (OSError, ValueError, IndexError):
        return None
    return None


def leads(option: Callable[[int, int, int], bytes]) -> bool:
    """Whether who listens at the other end of a unix socket wears no more than this process.

    So an engine is told from an agent's process that has taken its socket's place. From inside another
    process namespace it cannot be told, and is believed. `option` is the socket's `getsockopt`.
    """
    if sys.platform != "linux":
        return True
    import socket
    import struct

    pid, _, _ = struct.unpack("3i", option(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    own, theirs = limit_of(os.getpid()), limit_of(pid)
    return pid == 0 or own is None or (theirs is not None and theirs >= own)


if __name__ == "__main__":
    put_on()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and what follows would, too
        signal.signal(number, signal.SIG_DFL)
    os.execvp(sys.argv[1], sys.argv[1:])
