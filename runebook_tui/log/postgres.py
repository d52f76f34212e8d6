"""The log in PostgreSQL: several hosts, each with a writing process, and any number of readers.

Appends are ordered by an advisory lock: serial numbers are given out before the commit, so a reader could
see 8 before 7. What is acknowledged is on the server's disk, whether `durable` is asked for or not.
A session that breaks is made anew by the next call; until then calls raise LogError.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self, TypeVar

import psycopg

from runebook_tui.core.events import Event, Record
from runebook_tui.log import occupancy
from runebook_tui.log.eventlog import (
    About,
    AlreadyRecorded,
    Conflict,
    LogError,
    decode,
    encode,
    path_key,
    path_of,
)
from runebook_tui.log.lease import Lease
from runebook_tui.log.link import Link, LinkError, connect, deadline, is_gone, place_of, words
from runebook_tui.log.schema import Tables, checked, look

DOUBT_SECONDS = 10.0
"""So long an append looks for what became of it, when the line broke while it was committed."""
_PAUSE_SECONDS = 0.1

T = TypeVar("T")


class InDoubt(LinkError):
    """The line broke while an append was committed; the next append finds out what became of it."""


class _Batch(NamedTuple):
    """An append: its records, and the rows that they become."""

    records: tuple[Record, ...]
    bodies: tuple[str, ...]
    key: str | None
    id: uuid.UUID

    @property
    def expected(self) -> int:
        return self.records[0].seq - 1

    def same(self, other: _Batch) -> bool:
        """Whether it is the same append, tried again later."""
        mine, theirs = self.records[0], other.records[0]
        return (mine.seq, mine.run, mine.actor, self.key, self.bodies) == (
            theirs.seq,
            theirs.run,
            theirs.actor,
            other.key,
            other.bodies,
        )


class PostgresLog:
    """An EventLog in the PostgreSQL database at `url`, where `store init` has made one.

    One thread at a time does something; the others wait. Raises LogError when there is none, or no server.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._url = url
        self._read_only = read_only
        self._lock = threading.RLock()
        self._link: Link | None = None
        self._tables: Tables | None = None
        self._schema = ""
        self._held: dict[str, Lease] = {}
        self._doubt: _Batch | None = None
        self._closed = False
        self._linked()

    @property
    def place(self) -> str:
        """Where the log is, for people."""
        return place_of(self._url)

    def _linked(self) -> Link:
        """The session, made anew when the last one broke. Raises LogError, LeaseTaken."""
        if self._link is not None and not self._link.closed:
            return self._link
        if self._closed:
            raise LogError("the log is closed")
        link, schema = connect(self._url, read_only=self._read_only)
        try:
            with words(self._url), deadline(link):
                tables = checked(look(link, schema), schema, self.place)
                if self._tables is not None and tables.id != self._tables.id:
                    raise LogError(f"the log in {self.place} is another one than before")
                for lease in self._held.values():
                    occupancy.take(link, tables.id, lease)
        except BaseException:
            link.close()
            raise
        self._link, self._tables, self._schema = link, tables, schema
        return link

    def _asked(self, question: Callable[[Link], T]) -> T:
        """The answer to what may be asked twice, on a new session when the old one is found broken."""
        with self._lock:
            for last in (False, True):
                link = self._linked()
                try:
                    with words(self._url):
                        try:
                            with deadline(link):
                                return question(link)
                        except psycopg.Error as error:
                            if is_gone(link, error):
                                link.close()
                                if not last:
                                    continue
                            raise
                except BaseException:
                    _abort(link)
                    raise
        raise AssertionError("the last try returns or raises")

    @property
    def id(self) -> str:
        """What tells this log from every other."""
        assert self._tables is not None
        return self._tables.id

    # ── appending ───────────────────────────────────────────────────────────────────────────────

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
        """See EventLog.append. What is acknowledged is always on the disk."""
        records = tuple(
            Record(seq=expected + offset, time=time, run=run, actor=actor, event=event)
            for offset, event in enumerate(events, start=1)
        )
        if not records:
            self._asked(lambda link: self._admit(link, expected, key, hold=False))
            return ()
        batch = _Batch(records, tuple(encode(event) for event in events), key, uuid.uuid4())
        with self._lock:
            settled = self._settled(batch)
            if settled is not None:
                return settled
            for last in (False, True):
                self._asked(lambda link: self._prepare(link, batch))
                if self._committed(batch, last=last):
                    break
        return records

    def _prepare(self, link: Link, batch: _Batch) -> None:
        """Everything but the commit: until that is sent, nothing can have been appended."""
        link.execute("BEGIN")
        self._admit(link, batch.expected, batch.key, hold=True)
        seqs, times, runs, actors = zip(
            *((r.seq, r.time, r.run, r.actor) for r in batch.records), strict=True
        )
        link.execute(
            "WITH added AS ("
            " INSERT INTO event (seq, time, run, actor, type, path, key, body, batch)"
            " SELECT * FROM unnest(%s::bigint[], %s::float8[], %s::bigint[], %s::text[], %s::text[],"
            " %s::bytea[], %s::bytea[], %s::text[], %s::uuid[]) RETURNING 1)"
            " SELECT pg_notify(%s, %s) WHERE (SELECT count(*) FROM added) > 0",
            (
                list(seqs),
                list(times),
                list(runs),
                list(actors),
                [record.event.type for record in batch.records],
                [path_of(record.event) for record in batch.records],
                [_key(batch.key), *[None] * (len(seqs) - 1)],
                list(batch.bodies),
                [batch.id, *[None] * (len(seqs) - 1)],
                channel(self.id),
                str(seqs[-1]),
            ),
        )

    def _admit(self, link: Link, expected: int, key: str | None, *, hold: bool) -> None:
        """Raise unless an append after `expected` may be made; with `hold`, until the transaction ends."""
        if hold:
            link.execute("SELECT pg_advisory_xact_lock(%s)", (occupancy.number(self.id, "append"),))
        row = link.execute(
            "SELECT coalesce((SELECT max(seq) FROM event), 0),"
            " EXISTS (SELECT FROM event WHERE sha256(key) = sha256(%s::bytea))",
            (_key(key),),
        ).fetchone()
        assert row is not None
        if row[1]:
            raise AlreadyRecorded(key)
        if row[0] != expected:
            raise Conflict(f"expected {expected}, the log is at {row[0]}")

    def _committed(self, batch: _Batch, *, last: bool) -> bool:
        """Whether the append is in the log, looked up when the line broke. `last`: raise if it is not."""
        link = self._link
        assert link is not None
        try:
            with words(self._url), deadline(link):
                link.execute("COMMIT")
        except LogError as error:
            if not is_gone(link, error):
                _abort(link)
                raise
            link.close()
            self._doubt = batch
            if self._found_out(until=time.monotonic() + DOUBT_SECONDS):
                return True
            if last:
                raise
            return False
        return True

    def _settled(self, batch: _Batch) -> tuple[Record, ...] | None:
        """What an append in doubt came to, when `batch` is that append once more and it had been made."""
        doubt = self._doubt
        if doubt is None or not self._found_out(until=0.0) or not doubt.same(batch):
            return None
        return doubt.records

    def _found_out(self, *, until: float) -> bool:
        """Whether the append in doubt is in the log. Raises InDoubt when that cannot be told by `until`."""
        batch = self._doubt
        assert batch is not None
        while True:
            try:
                made = self._asked(lambda link: self._is_in(link, batch))
            except LinkError as error:
                if time.monotonic() >= until:
                    raise InDoubt(f"{error}; whether the last records are in the log is not known") from error
                threading.Event().wait(_PAUSE_SECONDS)
                continue
            self._doubt = None
            return made

    def _is_in(self, link: Link, batch: _Batch) -> bool:
        """Whether `batch` was committed. Its session is over for certain: it held the lock until then."""
        with link.transaction():
            link.execute("SELECT pg_advisory_xact_lock(%s)", (occupancy.number(self.id, "append"),))
            row = link.execute("SELECT batch FROM event WHERE seq = %s", (batch.records[0].seq,)).fetchone()
        return row == (batch.id,)

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

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
        where = ["seq > %s"]
        arguments: list[object] = [after]
        if before is not None:
            where.append("seq < %s")
            arguments.append(before)
        if types:
            where.append("type = ANY(%s)")
            arguments.append(list(types))
        if without:
            where.append("type <> ALL(%s)")
            arguments.append(list(without))
        if path is not None:
            where.append("path IS NOT NULL AND sha256(path) = sha256(%s::bytea)")
            arguments.append(path_key(path, lane))
        order = "DESC" if newest_first else "ASC"
        return self._records(
            f"WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT %s", (*arguments, limit)
        )

    def _records(self, which: str, arguments: Sequence[object] = ()) -> list[Record]:
        query = f"SELECT seq, time, run, actor, body FROM event {which}"
        rows = self._asked(lambda link: link.execute(query, arguments).fetchall())
        return [
            Record(seq=seq, time=time, run=run, actor=actor, event=decode(body))
            for seq, time, run, actor, body in rows
        ]

    def latest_touches(self) -> list[Record]:
        """See EventLog.latest_touches."""
        newest = "SELECT max(seq) FROM event WHERE path IS NOT NULL GROUP BY sha256(path)"
        return self._records(f"WHERE seq IN ({newest}) ORDER BY seq")

    def count(self, kind: str, *, after: int = 0) -> int:
        """See EventLog.count."""
        return self._number("SELECT count(*) FROM event WHERE type = %s AND seq > %s", (kind, after))

    def last_seq(self) -> int:
        """See EventLog.last_seq."""
        return self._number("SELECT coalesce(max(seq), 0) FROM event")

    def version(self) -> int:
        """A number that changes whenever anybody has appended."""
        return self.last_seq()

    def _number(self, query: str, arguments: Sequence[object] = ()) -> int:
        row = self._asked(lambda link: link.execute(query, arguments).fetchone())
        assert row is not None
        return int(row[0])

    # ── the lease ───────────────────────────────────────────────────────────────────────────────

    def take_lease(self, lease: Lease) -> None:
        """See EventLog.take_lease. It is lost with the session, and taken again with the next one."""

        def take(link: Link) -> None:
            occupancy.take(link, self.id, lease, mine=lease.host in self._held)

        self._asked(take)
        self._held[lease.host] = lease

    def holder(self, host: str) -> Lease | None:
        """See EventLog.holder. Of another host, whoever has a session that holds its lease is alive."""
        return self._asked(lambda link: occupancy.holder(link, self.id, host))

    def leases(self) -> list[Lease]:
        """See EventLog.leases."""
        return self._asked(occupancy.leases)

    def release_lease(self, pid: int) -> None:
        """See EventLog.release_lease."""
        with self._lock:
            for host in [host for host, lease in self._held.items() if lease.pid == pid]:
                lease = self._held.pop(host)

                def release(link: Link, lease: Lease = lease) -> None:
                    occupancy.release(link, self.id, lease)

                self._asked(release)

    # ── the end ─────────────────────────────────────────────────────────────────────────────────

    def is_lost(self) -> bool:
        """See EventLog.is_lost. A server's log is not lost with a folder; a replaced one raises when used."""
        return False

    def rescue(self) -> None:
        """See EventLog.rescue. Nothing to do."""

    def about(self) -> About:
        """See EventLog.about."""
        tables = "SELECT unnest(ARRAY['store', 'event', 'lease'])::regclass AS name"
        size = self._number(f"SELECT sum(pg_total_relation_size(name)) FROM ({tables}) AS tables")
        assert self._tables is not None
        return About("postgresql", f"{self.place}, schema {self._schema}", self._tables.format, size)

    def close(self) -> None:
        """See EventLog.close."""
        with self._lock:
            self._closed = True
            if self._link is not None:
                self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def channel(log_id: str) -> str:
    """The channel on which each append to that log is told; the message is the last record's number."""
    return f"runebook_{log_id}"


def _key(key: str | None) -> bytes | None:
    return None if key is None else key.encode("utf-8", "surrogatepass")


def _abort(link: Link) -> None:
    """End the transaction that an error left open."""
    if link.closed or link.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        return
    try:
        link.rollback()
    except psycopg.Error:
        link.close()
