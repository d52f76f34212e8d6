"""Who is the engine on a host, in PostgreSQL: a row says who, an advisory lock of its session that it lives.

The lock is the session's: the server gives it back when the session ends, however it ends. So a host that
was cut off is dead to the others as soon as the server notices (half a minute, by its keepalives).
"""

from __future__ import annotations

import hashlib
import socket

from psycopg.errors import LockNotAvailable

from runebook_tui.log.eventlog import LeaseTaken
from runebook_tui.log.lease import Lease, is_alive
from runebook_tui.log.link import Link

_NOTICE_SECONDS = 2
_COLUMNS = "SELECT pid, started, host, taken_at FROM lease"
_HELD = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = ((%(lock)s::bigint >> 32) & 4294967295)::oid"
    " AND objid = (%(lock)s::bigint & 4294967295)::oid"
)


def number(log_id: str, what: str) -> int:
    """The number of the advisory lock for `what` of a log, below 2^63."""
    return int.from_bytes(hashlib.sha256(f"runebook {log_id} {what}".encode()).digest()[:8], "big") >> 1


def take(link: Link, log_id: str, lease: Lease, *, mine: bool = False) -> None:
    """Take the lease of its host for this session; `mine` when the session has it. Raises LeaseTaken."""
    lock = number(log_id, f"lease {lease.host}")
    with link.transaction():
        link.execute("SELECT pg_advisory_xact_lock(%s)", (number(log_id, "leases"),))
        known = holder(link, log_id, lease.host)
        if known is not None and known[:2] != lease[:2] and (mine or not _ends(link, lock, lease.host)):
            raise LeaseTaken(known)
        link.execute(
            "INSERT INTO lease (host, pid, started, taken_at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (host) DO UPDATE SET (pid, started, taken_at) ="
            " (excluded.pid, excluded.started, excluded.taken_at)",
            (lease.host, lease.pid, lease.started, lease.taken_at),
        )
        if not mine:
            # What still holds the lock is a session of a process that has ended or was cut off.
            left = f"SELECT pg_terminate_backend(pid) FROM ({_HELD}) AS held WHERE pid <> pg_backend_pid()"
            link.execute(left, {"lock": lock})
            link.execute("SELECT pg_advisory_lock(%s)", (lock,))


def _ends(link: Link, lock: int, host: str) -> bool:
    """Whether the session that holds the lease ends in a moment: a server may not have noticed it yet."""
    if host == socket.gethostname():
        return False  # its process is known to be alive
    try:
        with link.transaction():
            link.execute("SELECT set_config('lock_timeout', %s, true)", (f"{_NOTICE_SECONDS}s",))
            link.execute("SELECT pg_advisory_lock(%s)", (lock,))
            link.execute("SELECT pg_advisory_unlock(%s)", (lock,))
    except LockNotAvailable:
        return False
    return True


def holder(link: Link, log_id: str, host: str) -> Lease | None:
    """Who has the lease of `host` and is alive: by its process on this host, by its session elsewhere."""
    row = link.execute(f"{_COLUMNS} WHERE host = %s", (host,)).fetchone()
    lease = None if row is None else Lease(*row)
    if lease is None or not is_alive(lease):
        return None
    if host == socket.gethostname():
        return lease
    held = link.execute(_HELD, {"lock": number(log_id, f"lease {host}")}).fetchone()
    return lease if held is not None else None


def leases(link: Link) -> list[Lease]:
    """Every lease that was taken and not given back, by host."""
    return [Lease(*row) for row in link.execute(f"{_COLUMNS} ORDER BY host").fetchall()]


def release(link: Link, log_id: str, lease: Lease) -> None:
    """Give back a lease that this session holds."""
    with link.transaction():
        link.execute("DELETE FROM lease WHERE host = %s AND pid = %s", (lease.host, lease.pid))
        link.execute("SELECT pg_advisory_unlock(%s)", (number(log_id, f"lease {lease.host}"),))
