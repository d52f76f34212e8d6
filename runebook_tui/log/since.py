"""Since: the records of a log after a moment."""

from __future__ import annotations

from collections.abc import Sequence

from runebook_tui.core.events import Record
from runebook_tui.log.eventlog import EventLog

_AT_ONCE = 2000


def records_since(
    log: EventLog, since: float, types: Sequence[str] = (), limit: int | None = None
) -> list[Record]:
    """The records of `types` (all without any) after the moment `since`, oldest first; the newest `limit`.

    It reads from the end, and no further back than it has to. Raises LogError.
    """
    found: list[Record] = []
    before: int | None = None
    while True:
        some = log.read(before=before, limit=_AT_ONCE, types=types, newest_first=True)
        found += [record for record in some if record.time > since]
        if len(some) < _AT_ONCE or some[-1].time <= since:
            return found[:limit][::-1]
        before = some[-1].seq
