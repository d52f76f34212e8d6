"""An append to PostgreSQL: its rows, whether they may be added, and the statements that do it."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from psycopg import ClientCursor, Cursor
from psycopg.rows import TupleRow

from runebook_tui.core.events import Record
from runebook_tui.log import occupancy
from runebook_tui.log.eventlog import AlreadyRecorded, Conflict, path_of
from runebook_tui.log.link import Link

_LAST = "coalesce((SELECT max(seq) FROM event), 0)"
_KNOWN = "EXISTS (SELECT FROM event WHERE sha256(key) = sha256(%s::bytea))"
_ADMISSION = f"SELECT {_LAST}, {_KNOWN}"
_HOLD = "SELECT pg_advisory_xact_lock(%s)"
_INSERT = (
    "WITH added AS ("
    " INSERT INTO event (seq, time, run, actor, type, path, key, body, batch)"
    " SELECT * FROM unnest(%s::bigint[], %s::float8[], %s::bigint[], %s::text[], %s::text[],"
    " %s::bytea[], %s::bytea[], %s::text[], %s::uuid[])"
    f" WHERE {_LAST} = %s AND NOT {_KNOWN} RETURNING 1)"
    " SELECT pg_notify(%s, %s) WHERE (SELECT count(*) FROM added) > 0"
)


class Batch(NamedTuple):
    """An append: its records, and the rows that they become."""

    records: tuple[Record, ...]
    bodies: tuple[str, ...]
    key: str | None
    id: uuid.UUID

    @property
    def expected(self) -> int:
        return self.records[0].seq - 1

    def same(self, other: Batch) -> bool:
        """Whether it is the same append, tried again later."""
        mine, theirs = self.records[0], other.records[0]
        return (mine.seq, mine.run, mine.actor, self.key, self.bodies) == (
            theirs.seq,
            theirs.run,
            theirs.actor,
            other.key,
            other.bodies,
        )


def hold(link: Link, log_id: str) -> None:
    """Let nobody else append to that log until the transaction ends."""
    link.execute(_HOLD, _turn(log_id))


def admission(link: Link, key: str | None) -> Cursor[TupleRow]:
    """Ask where the log is, and whether it has an append with `key`."""
    return link.execute(_ADMISSION, (stored_key(key),))


def admit(asked: Cursor[TupleRow], expected: int, key: str | None) -> None:
    """Raise AlreadyRecorded or Conflict unless an append after `expected` may be made."""
    row = asked.fetchone()
    assert row is not None
    if row[1]:
        raise AlreadyRecorded(key)
    if row[0] != expected:
        raise Conflict(f"expected {expected}, the log is at {row[0]}")


def insert(link: Link, log_id: str, batch: Batch) -> None:
    """Add the rows of `batch` and tell of them; nothing where `admit` raises."""
    link.execute(_INSERT, _rows(log_id, batch))


def prepare(link: Link, log_id: str, batch: Batch) -> None:
    """Everything of an append but the commit, in one round trip. Raises AlreadyRecorded, Conflict.

    It is one message, which a server begins with once it has all of it. Of a pipeline it would take the lock
    with the first part; and a Flush after a Sync, which libpq's pipelines send, ends the timer by which the
    server takes the lock from a client that was cut off.
    """
    cursor = ClientCursor(link)
    whole = (*_turn(log_id), stored_key(batch.key), *_rows(log_id, batch))
    cursor.execute(f"BEGIN; {_HOLD}; {_ADMISSION}; {_INSERT}", whole)
    cursor.nextset()
    cursor.nextset()
    admit(cursor, batch.expected, batch.key)


def _turn(log_id: str) -> tuple[int]:
    return (occupancy.number(log_id, "append"),)


def _rows(log_id: str, batch: Batch) -> tuple[object, ...]:
    seqs, times, runs, actors = zip(*((r.seq, r.time, r.run, r.actor) for r in batch.records), strict=True)
    first = stored_key(batch.key)
    none = [None] * (len(seqs) - 1)
    rows = (
        list(seqs),
        list(times),
        list(runs),
        list(actors),
        [record.event.type for record in batch.records],
        [path_of(record.event) for record in batch.records],
        [first, *none],
        list(batch.bodies),
        [batch.id, *none],
    )
    return (*rows, batch.expected, first, channel(log_id), str(seqs[-1]))


def channel(log_id: str) -> str:
    """The channel on which each append to that log is told; the message is the last record's number."""
    return f"runebook_{log_id}"


def stored_key(key: str | None) -> bytes | None:
    """A key as its column has it: what is no Unicode stays, too."""
    return None if key is None else key.encode("utf-8", "surrogatepass")
