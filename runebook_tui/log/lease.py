"""The lease: which process is the engine on a host, and whether it still is."""

from __future__ import annotations

import os
import socket
from typing import NamedTuple

OWN = "the plan's own host"
"""What the lease of the host without a name is called; no host can have that name."""


class Lease(NamedTuple):
    """Who runs the engine of this log on a host."""

    pid: int
    started: float
    """When that process started, in clock ticks since the machine did: tells a reused pid apart."""
    host: str
    taken_at: float
    """Unix seconds."""


def process_start(pid: int) -> float | None:
    """When process `pid` started (clock ticks since boot; 0.0 where /proc is absent), None if it ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else float(fields[19])
    except OSError:
        if os.path.isdir("/proc/self"):
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return 0.0


def own_lease(time: float, name: str = "") -> Lease:
    """The lease of this very process, on this machine or by the `name` of `lease_name`."""
    return Lease(os.getpid(), process_start(os.getpid()) or 0.0, name or socket.gethostname(), time)


def lease_name(host: str, *, shared: bool) -> str:
    """What the lease of a host of the plan is called, in a store that several machines share or do not."""
    return (host or OWN) if shared else host or socket.gethostname()


def is_alive(lease: Lease) -> bool:
    """Whether the holder still runs, as far as this host can tell."""
    if lease.host != socket.gethostname():
        return True
    started = process_start(lease.pid)
    return started is not None and started == lease.started
