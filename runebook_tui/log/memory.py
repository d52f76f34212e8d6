"""The in-memory twin of the log: for tests, pictures and rehearsals."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Self

from runebook_tui.core.events import Event, Record, Touched
from runebook_tui.core.forgetting import Old
from runebook_tui.log.eventlog import (
    About,
    AlreadyRecorded,
    Conflict,
    LeaseTaken,
    NotEmpty,
    Row,
    encode,
    forgotten,
    numbered,
)
from runebook_tui.log.lease import Lease, is_alive


class MemoryLog:
    """An EventLog that ends with the process."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._keys: dict[str, int] = {}
        self._leases: dict[str, Lease] = {}

    def append(
        self,
        events: Sequence[Event],
        *,
        run: int,
        actor: str,
        expected: int,
        time: float,
        key: str | None = None,
        durable: bool = False,
    ) -> tuple[Record, ...]:
        """See EventLog.append."""
        if key is not None and key in self._keys:
            raise AlreadyRecorded(key)
        self._admit(expected)
        records = numbered(events, expected, time=time, run=run, actor=actor)
        self._records.extend(records)
        if key is not None and records:
            self._keys[key] = expected + 1
        return records

    def _admit(self, expected: int) -> None:
        if expected != self.last_seq():
            raise Conflict(f"expected {expected}, the log is at {self.last_seq()}")

    def _at(self, seq: int) -> int:
        """How many records come before record `seq`."""
        return bisect_left(self._records, seq, key=lambda record: record.seq)

    def read(
        self,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int | None = None,
        types: Sequence[str] = (),
        without: Sequence[str] = (),
        path: str | None = None,
        lane: str = "",
        newest_first: bool = False,
    ) -> list[Record]:
        """See EventLog.read."""
        window = self._records[self._at(after + 1) : None if before is None else self._at(before)]
        found = [
            record
            for record in (reversed(window) if newest_first else window)
            if (not types or record.event.type in types)
            and record.event.type not in without
            and (path is None or _touches(record, path, lane))
        ]
        return found if limit is None else found[:limit]

    def count(self, kind: str, *, after: int = 0) -> int:
        """See EventLog.count."""
        return sum(record.event.type == kind for record in self._records[self._at(after + 1) :])

    def latest_touches(self) -> list[Record]:
        """See EventLog.latest_touches."""
        newest = {
            (r.event.lane, r.event.change.path): r for r in self._records if isinstance(r.event, Touched)
        }
        return sorted(newest.values(), key=lambda record: record.seq)

    def last_seq(self) -> int:
        """See EventLog.last_seq."""
        return self._records[-1].seq if self._records else 0

    def forget(
        self, old: Old, *, touches: int, run: int, actor: str, expected: int, time: float
    ) -> tuple[Record, ...]:
        """See EventLog.forget."""
        self._admit(expected)
        newest = {
            (record.event.lane, record.event.change.path): record.seq
            for record in self.read(after=old.after, before=old.before)
            if isinstance(record.event, Touched)
        }
        went: list[Record] = []
        for (lane, path), last in newest.items():
            found = self.read(path=path, lane=lane, before=last + 1)
            went += [record for record in found if record.seq < last or last in old.gone]
        if not went:
            return ()
        runs = Counter(record.run for record in went)
        said = forgotten(old.before, runs, expected, touches=touches, time=time, run=run, actor=actor)
        numbers = {record.seq for record in went}
        self._records = [record for record in self._records if record.seq not in numbers]
        self._records.append(said)
        return (said,)

    def compact(self) -> None:
        """See EventLog.compact."""

    def rows(self, *, before: int) -> Iterator[Row]:
        """See EventLog.rows."""
        keys = {seq: key for key, seq in self._keys.items()}
        for r in self._records[: self._at(before)]:
            yield Row(r.seq, r.time, r.run, r.actor, keys.get(r.seq), encode(r.event))

    def fill(self, rows: Iterable[Row]) -> int:
        """See EventLog.fill."""
        if self._records:
            raise NotEmpty(len(self._records))
        found = list(rows)
        self._records.extend(row.record for row in found)
        self._keys.update({row.key: row.seq for row in found if row.key is not None})
        return len(found)

    def take_lease(self, lease: Lease) -> None:
        """See EventLog.take_lease."""
        holder = self.holder(lease.host)
        if holder is not None and holder[:2] != lease[:2]:
            raise LeaseTaken(holder)
        self._leases[lease.host] = lease

    def holder(self, host: str) -> Lease | None:
        """See EventLog.holder."""
        lease = self._leases.get(host)
        return lease if lease is not None and is_alive(lease) else None

    def release_lease(self, pid: int) -> None:
        """See EventLog.release_lease."""
        self._leases = {host: lease for host, lease in self._leases.items() if lease.pid != pid}

    def leases(self) -> list[Lease]:
        """See EventLog.leases."""
        return [self._leases[host] for host in sorted(self._leases)]

    def about(self) -> About:
        """See EventLog.about."""
        return About("memory", "this process", 0, 0)

    def is_lost(self) -> bool:
        """See EventLog.is_lost."""
        return False

    def rescue(self) -> None:
        """See EventLog.rescue."""

    def close(self) -> None:
        """See EventLog.close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _touches(record: Record, path: str, lane: str) -> bool:
    event = record.event
    return isinstance(event, Touched) and (event.change.path, event.lane) == (path, lane)
