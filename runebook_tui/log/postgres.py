"""The log in PostgreSQL: several hosts, each with a writing process, and any number of readers.

Appends are ordered by an advisory lock: serial numbers are given out before the commit, so a reader could
see 8 before 7. What is acknowledged is on the server's disk, whether `durable` is asked for or not.
A session that breaks is made anew by the next call; until then calls raise LogError.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self

from psycopg.rows import TupleRow

from runebook_tui.core.events import Event, Record
from runebook_tui.core.forgetting import Old
from runebook_tui.log import occupancy
from runebook_tui.log.eventlog import (
    About,
    InDoubt,
    LogError,
    NotEmpty,
    Row,
    decode,
    encode,
    forgotten,
    numbered,
    path_key,
    path_of,
)
from runebook_tui.log.lease import Lease
from runebook_tui.log.link import QUICK_SECONDS, SLOW_SECONDS, Link, LinkError, deadline, is_gone
from runebook_tui.log.postgres_append import (
    Batch,
    admission,
    admit,
    channel,
    hold,
    insert,
    prepare,
    stored_key,
)
from runebook_tui.log.postgres_forget import forget_touches
from runebook_tui.log.session import Session

DOUBT_SECONDS = 10.0
"""So long an append looks for what became of it, when the line broke while it was committed."""
_PAUSE_SECONDS = 0.1

_FILL = "COPY event (seq, time, run, actor, type, path, key, body) FROM STDIN"
PAGE = 1_000
"""Records that are in memory at once while all are gone through."""


class PostgresLog:
    """An EventLog in the PostgreSQL database at `url`, where `store init` has made one.

    One thread at a time does something; the others wait. Raises LogError when there is none, or no server.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._session = Session(url, read_only=read_only)
        self._doubt: Batch | None = None

    @property
    def id(self) -> str:
        """What tells this log from every other."""
        return self._session.tables.id

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
        records = numbered(events, expected, time=time, run=run, actor=actor)
        if not records:
            self._session.ask(lambda link: admit(admission(link, key), expected, key))
            return ()
        batch = Batch(records, tuple(encode(event) for event in events), key, uuid.uuid4())
        with self._session.lock:
            settled = self._settled(batch)
            if settled is not None:
                return settled
            for last in (False, True):
                link = self._session.ask(lambda link: self._prepare(link, batch))
                if self._committed(link, batch, last=last):
                    return records
        raise LogError(f"the log in {self._session.place}: the server took the records back")

    def _prepare(self, link: Link, batch: Batch) -> Link:
        """Everything but the commit: until that is sent, nothing can be in the log."""
        prepare(link, self.id, batch)
        return link

    def _committed(self, link: Link, batch: Batch, *, last: bool) -> bool:
        """Whether the append is in the log, looked up when the line broke. `last`: raise if it is not."""
        try:
            with self._session.words(), deadline(link):
                done = link.execute("COMMIT")
        except LogError as error:
            if not is_gone(link, error):
                self._session.abort(link)
                raise
            link.close()
            self._doubt = batch
            if self._found_out(until=time.monotonic() + DOUBT_SECONDS):
                return True
            if last:
                raise
            return False
        # A transaction that failed answers to COMMIT with this, and with no error.
        return done.statusmessage != "ROLLBACK"

    def _settled(self, batch: Batch) -> tuple[Record, ...] | None:
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
                made = self._session.ask(lambda link: self._is_in(link, batch))
            except LinkError as error:
                if time.monotonic() >= until:
                    raise InDoubt(f"{error}; whether the last records are in the log is not known") from error
                threading.Event().wait(_PAUSE_SECONDS)
                continue
            self._doubt = None
            return made

    def _is_in(self, link: Link, batch: Batch) -> bool:
        """Whether `batch` was committed. Its session is over for certain: it held the lock until then."""
        with link.transaction():
            hold(link, self.id)
            row = link.execute("SELECT batch FROM event WHERE seq = %s", (batch.records[0].seq,)).fetchone()
        return row == (batch.id,)

    def forget(
        self, old: Old, *, touches: int, run: int, actor: str, expected: int, time: float
    ) -> tuple[Record, ...]:
        """See EventLog.forget. Only the tables' owner may."""

        def act(link: Link) -> tuple[Record, ...]:
            with link.transaction():
                hold(link, self.id)
                admit(admission(link, None), expected, None)
                runs = forget_touches(link, old, self._session.place)
                if not runs:
                    return ()
                said = forgotten(old.before, runs, expected, touches=touches, time=time, run=run, actor=actor)
                insert(link, self.id, Batch((said,), (encode(said.event),), None, uuid.uuid4()))
            return (said,)

        return self._session.ask(act, SLOW_SECONDS)

    def compact(self) -> None:
        """See EventLog.compact. The server's own vacuum makes the room free for what comes."""

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
        which = f"WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT %s"
        seconds = QUICK_SECONDS if limit is not None and limit <= PAGE else SLOW_SECONDS
        return self._records(which, (*arguments, limit), seconds)

    def _records(self, which: str, arguments: Sequence[object], seconds: float) -> list[Record]:
        query = f"SELECT seq, time, run, actor, body FROM event {which}"
        rows = self._session.ask(_query(query, arguments), seconds)
        return [
            Record(seq=seq, time=time, run=run, actor=actor, event=decode(body))
            for seq, time, run, actor, body in rows
        ]

    def rows(self, *, before: int) -> Iterator[Row]:
        """See EventLog.rows."""
        after = 0
        query = (
            "SELECT seq, time, run, actor, key, body FROM event"
            " WHERE seq > %s AND seq < %s ORDER BY seq LIMIT %s"
        )
        while True:
            page = self._session.ask(_query(query, (after, before, PAGE)))
            for seq, moment, run, actor, key, body in page:
                kept = None if key is None else bytes(key).decode("utf-8", "surrogatepass")
                yield Row(seq, moment, run, actor, kept, body)
            if len(page) < PAGE:
                return
            after = page[-1][0]

    def fill(self, rows: Iterable[Row]) -> int:
        """See EventLog.fill."""
        with self._session.lock, self._session.words():
            link = self._session.linked()
            with link.transaction():
                # It takes as long as it takes: the caller may be reading a slow line.
                link.execute(
                    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
                )
                hold(link, self.id)
                last = link.execute("SELECT max(seq) FROM event").fetchone()
                if last != (None,):
                    raise NotEmpty(last[0] if last else 0)
                with link.cursor().copy(_FILL) as copy:
                    for row in rows:
                        event = row.record.event
                        kept = (event.type, path_of(event), stored_key(row.key), row.body)
                        copy.write_row((row.seq, row.time, row.run, row.actor, *kept))
                notified = "SELECT count(*), pg_notify(%s, max(seq)::text) FROM event"
                count = link.execute(notified, (channel(self.id),)).fetchone()
            return int(count[0]) if count else 0

    def latest_touches(self) -> list[Record]:
        """See EventLog.latest_touches."""
        newest = "SELECT max(seq) FROM event WHERE path IS NOT NULL GROUP BY sha256(path)"
        return self._records(f"WHERE seq IN ({newest}) ORDER BY seq", (), SLOW_SECONDS)

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
        return int(self._session.ask(_query(query, arguments))[0][0])

    # ── the lease ───────────────────────────────────────────────────────────────────────────────

    def take_lease(self, lease: Lease) -> None:
        """See EventLog.take_lease. It is lost with the session, and taken again with the next one."""

        def take(link: Link) -> None:
            occupancy.take(link, self.id, lease, mine=lease.host in self._session.leases)

        self._session.ask(take)
        self._session.leases[lease.host] = lease

    def holder(self, host: str) -> Lease | None:
        """See EventLog.holder. Of another host, whoever has a session that holds its lease is alive."""
        return self._session.ask(lambda link: occupancy.holder(link, self.id, host))

    def leases(self) -> list[Lease]:
        """See EventLog.leases."""
        return self._session.ask(occupancy.leases)

    def release_lease(self, pid: int) -> None:
        """See EventLog.release_lease."""
        with self._session.lock:
            for host in [host for host, lease in self._session.leases.items() if lease.pid == pid]:
                lease = self._session.leases.pop(host)

                def release(link: Link, lease: Lease = lease) -> None:
                    occupancy.release(link, self.id, lease)

                self._session.ask(release)

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
        place = f"{self._session.place}, schema {self._session.schema}"
        return About("postgresql", place, self._session.tables.format, size)

    def close(self) -> None:
        """See EventLog.close."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _query(text: str, arguments: Sequence[object]) -> Callable[[Link], list[TupleRow]]:
    return lambda link: link.execute(text, arguments).fetchall()
