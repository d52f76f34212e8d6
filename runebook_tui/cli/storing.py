"""The command store: where the log is, and making it in PostgreSQL."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from runebook_tui.cli import shapes
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.printable import visible
from runebook_tui.log.lease import Lease
from runebook_tui.log.loading import forgotten_count
from runebook_tui.log.opening import store_of


def store(arguments: Namespace) -> int:
    """Say where the log is, or make it there."""
    root = root_of_plan()
    return _init(arguments, root) if arguments.step == "init" else _status(arguments, root)


def _init(arguments: Namespace, root: Path) -> int:
    there = store_of(root)
    if not there.url:
        raise CommandError("the log is in SQLite, which needs nothing; `store` in [plan] names a database", 2)
    made = there.make(role="" if arguments.no_role else arguments.role)
    if arguments.json:
        print(shapes.dump({"place": there.place, **made._asdict()}))
        return 0
    print(f"{visible(there.place)}, schema {visible(made.schema)}")
    if made.before == made.format:
        print(f"the log is there already (format {made.format})")
    elif made.before:
        print(f"the log is brought from format {made.before} to {made.format}")
    else:
        print(f"the log is made (format {made.format})")
    if made.role:
        done = "is made, without a password, and may" if made.role_made else "may"
        print(f"the role {visible(made.role)} {done} read the log and add to it, and nothing else")
    return 0


def _status(arguments: Namespace, root: Path) -> int:
    with store_of(root).open(read_only=True) as log:
        about, records = log.about(), log.last_seq() - forgotten_count(log)
        hosts = [(lease, log.holder(lease.host) is not None) for lease in log.leases()]
    if arguments.json:
        listed = [_host_shape(lease, alive) for lease, alive in hosts]
        print(shapes.dump({**about._asdict(), "records": records, "hosts": listed}))
        return 0
    print(f"{visible(about.place)}: {records:,} records, {about.size:,} bytes, format {about.format}")
    for lease, alive in hosts:
        said = f"an engine runs (pid {lease.pid})" if alive else "no engine runs"
        print(f"{visible(lease.host)}: {said}")
    if not hosts:
        print("no host has an engine")
    return 0


def _host_shape(lease: Lease, alive: bool) -> dict[str, object]:
    return {
        "host": lease.host,
        "pid": lease.pid,
        "alive": alive,
        "taken_at": shapes.moment(lease.taken_at),
    }
