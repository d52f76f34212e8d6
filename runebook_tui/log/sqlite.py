"""The log in SQLite: one file, one writing process, any number of readers.

WAL with `synchronous=NORMAL` (an acknowledged event outlives the process), `FULL` where `durable`
is asked for (it outlives the machine). Writes always begin with `BEGIN IMMEDIATE`: a transaction
that reads first and writes later fails under contention whatever the timeout.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from runebook_tui.core.events import Event, Record
from runebook_tui.core.forgetting import Old
from runebook_tui.log.eventlog import (
    About,
    AlreadyRecorded,
    Conflict,
    LeaseTaken,
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
from runebook_tui.log.lease import Lease, is_alive

SCHEMA_VERSION = 1
PAGE = 1_000
"""Records that are in memory at once while all are gone through."""
_APPLICATION_ID = 0x52756E65  # "Rune"
_CACHE_KIB = 512  # SQLite fills what it may keep of the file, 2 MiB by default, in each process that reads it

_SCHEMA = """
CREATE TABLE event (
    seq   INTEGER PRIMARY KEY,
    time  REAL NOT NULL,
    run   INTEGER NOT NULL,
    actor TEXT NOT NULL,
    type  TEXT NOT NULL,
    path  BLOB,
    key   TEXT UNIQUE,
    body  TEXT NOT NULL
) STRICT;
CREATE INDEX event_type ON event (type, seq);
CREATE INDEX event_path ON event (path, seq) WHERE path IS NOT NULL;
CREATE TABLE lease (
    host     TEXT PRIMARY KEY,
    pid      INTEGER NOT NULL,
    started  REAL NOT NULL,
    taken_at REAL NOT NULL
) STRICT;
"""

_INSERT = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_NEWEST = (
    "SELECT path, max(seq) FROM event WHERE type = 'Touched' AND seq > ? AND seq < ? AND path IS NOT NULL"
    " GROUP BY path"
)
_FORGET = "DELETE FROM event WHERE path = ? AND seq < ? RETURNING run"


def _row(record: Record, key: str | None) -> tuple[object, ...]:
    event = record.event
    return (
        *(record.seq, record.time, record.run, record.actor),
        *(event.type, path_of(event), key, encode(event)),
    )


class SqliteLog:
    """An EventLog in the file `path`. Raises LogError when the file cannot be opened or made.

    One thread at a time does something; the others wait.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._read_only = read_only
        # A reader that is cancelled leaves its thread in a query; SQLite does not survive `close` then.
        self._lock = threading.RLock()
        self._open()

    def _open(self) -> None:
        place = f"{self.path.absolute().as_uri()}?mode={'ro' if self._read_only else 'rwc'}"
        with self._words():
            self._db = sqlite3.connect(place, uri=True, isolation_level=None, check_same_thread=False)
        try:
            with self._words():
                self._db.execute("PRAGMA busy_timeout = 10000")
                self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
                self._check(empty=not self._read_only)
                if not self._read_only:
                    self._prepare()
            self._inode = self.path.stat().st_ino
        except BaseException:
            self._db.close()
            raise

    def _check(self, *, empty: bool) -> None:
        """Raise LogError unless the file is a log that this program understands (or is `empty`)."""
        # One look: between two, another process may make the log.
        with self._transaction("DEFERRED"):
            application = self._db.execute("PRAGMA application_id").fetchone()[0]
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            objects = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application == _APPLICATION_ID and version > SCHEMA_VERSION:
            raise LogError(f"{self.path} was written by a newer Runebook (format {version})")
        fresh = empty and not (application or version or objects)
        if not fresh and (application != _APPLICATION_ID or version < 1):
            raise LogError(f"{self.path} is not a log")

    def _prepare(self) -> None:
        self._switch_to_wal()
        self._db.execute("PRAGMA synchronous = NORMAL")
        if self._db.execute("PRAGMA user_version").fetchone()[0] > 0:
            return
        with self._transaction():
            if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _switch_to_wal(self) -> None:
        """Write ahead from now on. SQLite refuses the switch at once while another process makes the log."""
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY":
                    raise
            with self._transaction("EXCLUSIVE"):  # this waits until the other is done
                pass

    @contextmanager
    def _words(self) -> Iterator[None]:
        """One thread at a time, and SQLite's errors as LogError, in words a person can act on."""
        try:
            with self._lock:
                yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", "") or ""
            advice = {
                "SQLITE_FULL": "the disk is full",
                "SQLITE_READONLY": "the file or its folder is read-only",
                "SQLITE_CANTOPEN": "the file cannot be opened",
                "SQLITE_CORRUPT": "the file is damaged",
                "SQLITE_NOTADB": "the file is not a log",
                "SQLITE_BUSY": "another process keeps it locked",
                "SQLITE_IOERR_WRITE": "the disk is full or failing",
                "SQLITE_IOERR": "the file cannot be read or written",
            }
            words = next((text for name, text in advice.items() if code.startswith(name)), str(error))
            raise LogError(f"the log {self.path}: {words}") from error

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        self._db.execute(f"BEGIN {kind}")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

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
        records = numbered(events, expected, time=time, run=run, actor=actor)
        rows = [_row(r, key if at == 0 else None) for at, r in enumerate(records)]
        with self._words():
            if durable:
                self._db.execute("PRAGMA synchronous = FULL")
            try:
                with self._transaction():
                    last = self.last_seq()
                    if key is not None and self._has_key(key):
                        raise AlreadyRecorded(key)
                    self._admit(last, expected)
                    self._db.executemany(_INSERT, rows)
            finally:
                if durable:
                    self._db.execute("PRAGMA synchronous = NORMAL")
        return records

    def _admit(self, last: int, expected: int) -> None:
        if last != expected:
            raise Conflict(f"expected {expected}, the log is at {last}")

    def forget(
        self, old: Old, *, touches: int, run: int, actor: str, expected: int, time: float
    ) -> tuple[Record, ...]:
        """See EventLog.forget."""
        with self._words(), self._transaction():
            self._admit(self.last_seq(), expected)
            runs: Counter[int] = Counter()
            for path, last in self._db.execute(_NEWEST, (old.after, old.before)).fetchall():
                # Rows that are kept are not even looked at: the index knows path and number.
                bound = (path, last + 1 if last in old.gone else last)
                runs.update(each[0] for each in self._db.execute(_FORGET, bound).fetchall())
            if not runs:
                return ()
            said = forgotten(old.before, runs, expected, touches=touches, time=time, run=run, actor=actor)
            self._db.execute(_INSERT, _row(said, None))
        return (said,)

    def compact(self) -> None:
        """See EventLog.compact."""
        with self._words():
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _has_key(self, key: str) -> bool:
        return self._db.execute("SELECT 1 FROM event WHERE key = ?", (key,)).fetchone() is not None

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
        where, values = ["seq > ?"], [after]
        arguments: list[object] = [*values]
        if before is not None:
            where.append("seq < ?")
            arguments.append(before)
        if types:
            where.append(f"type IN ({', '.join('?' * len(types))})")
            arguments.extend(types)
        if without:
            where.append(f"type NOT IN ({', '.join('?' * len(without))})")
            arguments.extend(without)
        if path is not None:
            where.append("path = ?")
            arguments.append(path_key(path, lane))
        order = "DESC" if newest_first else "ASC"
        query = (
            f"SELECT seq, time, run, actor, body FROM event WHERE {' AND '.join(where)} "
            f"ORDER BY seq {order} LIMIT ?"
        )
        return self._records(query, (*arguments, -1 if limit is None else limit))

    def _records(self, query: str, arguments: Sequence[object] = ()) -> list[Record]:
        with self._words():
            rows = self._db.execute(query, arguments).fetchall()
        return [
            Record(seq=seq, time=time, run=run, actor=actor, event=decode(body))
            for seq, time, run, actor, body in rows
        ]

    def rows(self, *, before: int) -> Iterator[Row]:
        """See EventLog.rows."""
        after = 0
        columns = "seq, time, run, actor, key, body"
        query = f"SELECT {columns} FROM event WHERE seq > ? AND seq < ? ORDER BY seq LIMIT ?"
        while True:
            with self._words():
                page = self._db.execute(query, (after, before, PAGE)).fetchall()
            yield from (Row(*each) for each in page)
            if len(page) < PAGE:
                return
            after = page[-1][0]

    def fill(self, rows: Iterable[Row]) -> int:
        """See EventLog.fill."""
        with self._words(), self._transaction():
            if last := self.last_seq():
                raise NotEmpty(last)
            self._db.executemany(
                _INSERT,
                (
                    (row.seq, row.time, row.run, row.actor, event.type, path_of(event), row.key, row.body)
                    for row in rows
                    for event in [row.record.event]
                ),
            )
            return int(self._db.execute("SELECT count(*) FROM event").fetchone()[0])

    def latest_touches(self) -> list[Record]:
        """See EventLog.latest_touches."""
        newest = "SELECT max(seq) FROM event WHERE path IS NOT NULL GROUP BY path"
        return self._records(
            f"SELECT seq, time, run, actor, body FROM event WHERE seq IN ({newest}) ORDER BY seq"
        )

    def count(self, kind: str, *, after: int = 0) -> int:
        """See EventLog.count."""
        with self._words():
            row = self._db.execute("SELECT count(*) FROM event WHERE type = ? AND seq > ?", (kind, after))
            return int(row.fetchone()[0])

    def last_seq(self) -> int:
        """See EventLog.last_seq."""
        with self._words():
            row = self._db.execute("SELECT max(seq) FROM event").fetchone()
        return int(row[0] or 0)

    def version(self) -> int:
        """A number that changes whenever another process has appended: cheap to ask (2 µs)."""
        with self._words():
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def take_lease(self, lease: Lease) -> None:
        """See EventLog.take_lease."""
        with self._words(), self._transaction():
            holder = self.holder(lease.host)
            if holder is not None and holder[:2] != lease[:2]:
                raise LeaseTaken(holder)
            self._db.execute(
                "INSERT OR REPLACE INTO lease (host, pid, started, taken_at) VALUES (?, ?, ?, ?)",
                (lease.host, lease.pid, lease.started, lease.taken_at),
            )

    def holder(self, host: str) -> Lease | None:
        """See EventLog.holder."""
        with self._words():
            row = self._db.execute(
                "SELECT pid, started, host, taken_at FROM lease WHERE host = ?", (host,)
            ).fetchone()
        lease = None if row is None else Lease(*row)
        return lease if lease is not None and is_alive(lease) else None

    def release_lease(self, pid: int) -> None:
        """See EventLog.release_lease."""
        with self._words(), self._transaction():
            self._db.execute("DELETE FROM lease WHERE pid = ?", (pid,))

    def leases(self) -> list[Lease]:
        """See EventLog.leases."""
        with self._words():
            rows = self._db.execute("SELECT pid, started, host, taken_at FROM lease ORDER BY host").fetchall()
        return [Lease(*row) for row in rows]

    def about(self) -> About:
        """See EventLog.about."""
        with self._words():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            size = self._db.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            return About("sqlite", str(self.path), version, int(size.fetchone()[0]))

    def close(self) -> None:
        """See EventLog.close."""
        with self._lock:
            self._db.close()

    def is_lost(self) -> bool:
        """See EventLog.is_lost."""
        try:
            return self.path.stat().st_ino != self._inode
        except OSError:
            return True

    def rescue(self) -> None:
        """See EventLog.rescue."""
        with self._words():
            self._db.execute("VACUUM INTO ?", (str(self.path),))
            self._db.close()
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
