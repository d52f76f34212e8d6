"""The command log trim: let the log forget old changes of files now, and give back the room."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from runebook_tui.cli import shapes
from runebook_tui.cli.place import CommandError
from runebook_tui.core.events import TouchesForgotten
from runebook_tui.core.forgetting import FEWEST, Old
from runebook_tui.core.printable import visible
from runebook_tui.core.types import OPERATOR
from runebook_tui.execution.retention import oldest_open
from runebook_tui.log.eventlog import EventLog
from runebook_tui.log.opening import store_of
from runebook_tui.orchestrator.coordinator import Coordinator, Refused

_AT_ONCE = 5_000
"""Changes that are gone through in one transaction: others may want to append meanwhile."""


def trim(arguments: Namespace, root: Path) -> int:
    """Forget what is older than the newest `--keep` changes, as far as nothing open is about it."""
    keep = arguments.keep
    if keep is not None and keep < FEWEST:
        raise CommandError(f"the newest {FEWEST:,} changes are kept in any case: --keep takes no less", 2)
    store = store_of(root)
    if not store.exists():
        raise CommandError("nothing has run here yet: there is no log")
    with store.open() as log:
        coordinator = Coordinator(log)
        before = log.about().size
        try:
            forgotten = _forget(log, coordinator, keep or coordinator.state.plan.policy.log_changes)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        runs = any(log.holder(lease.host) is not None for lease in log.leases())
        if not runs:
            log.compact()
        kept, after = log.count("Touched"), log.about().size
    if arguments.json:
        found = {"place": store.place, "forgotten": forgotten, "kept": kept}
        print(shapes.dump({**found, "bytes_before": before, "bytes_after": after}))
        return 0
    print(f"{visible(store.place)}: {forgotten:,} old changes of files are forgotten, {kept:,} are kept")
    print(f"it had {before:,} bytes, and has {after:,}")
    if store.shared:
        print("the server gives the room back when it vacuums the table")
    elif runs:
        print(
            "an engine runs: it fills the room that is free now; after `runebook-tui down` the file shrinks"
        )
    return 0


def _forget(log: EventLog, coordinator: Coordinator, keep: int) -> int:
    """How many changes were forgotten so that the newest `keep` are left. Raises LogError, Refused."""
    reached = max(coordinator.state.forgotten_before - 1, 0)
    left = log.count("Touched", after=reached)
    pinned = oldest_open(log, coordinator.state, {})
    forgotten = 0
    while left > keep:
        window = log.read(after=reached, types=["Touched"], limit=min(_AT_ONCE, left - keep))
        window = [record for record in window if not pinned or record.seq < pinned]
        if not window:
            break
        last = window[-1].seq
        for record in coordinator.forget(Old(last + 1, reached), OPERATOR):
            forgotten += record.event.count if isinstance(record.event, TouchesForgotten) else 0
        reached, left = last, left - len(window)
    return forgotten
