"""The memory's file: opened for the one who writes it, or for reading, with SQLite's errors in words.

A rollback journal, not WAL: who reads it in a pane under the gate can make no files beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runebook_tui.memory.schema import SCHEMA_VERSION, migrate, version_of

FILE_NAME = "memory.sqlite"
"""The file's name in the folder of the agent that keeps it."""

_APPLICATION_ID = 0x52756E4D  # "RunM"
_BUSY_MILLISECONDS = 10_000

_WORDS = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY_ROLLBACK": "its last writer was killed; whoever may write there opens it next",
    "SQLITE_READONLY": "the file or its folder is read-only",
    "SQLITE_CANTOPEN": "the file cannot be opened",
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_NOTADB": "the file is no memory",
    "SQLITE_BUSY": "another process keeps it locked",
    "SQLITE_IOERR_WRITE": "the disk is full or failing",
    "SQLITE_IOERR": "the file cannot be read or written",
}


class StoreError(Exception):
    """The memory cannot be used; the message is one line for people."""


class Busy(StoreError):
    """Another process keeps the memory locked: try again."""


class Store:
    """A connection to the memory in the file `path`. Raises StoreError.

    `write` makes the file where there is none and brings an earlier version up to date.
    """

    def __init__(self, path: Path, *, write: bool = False) -> None:
        self.path = path
        self.writable = write
        mode = "rwc" if write else "ro"
        with self.words():
            self.db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            with self.words():
                self.db.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
                self._check()
                if write:
                    self._prepare()
        except BaseException:
            self.db.close()
            raise

    def _check(self) -> None:
        """Raise StoreError unless the file is a memory that this program understands, or is to become one."""
        application = self.db.execute("PRAGMA application_id").fetchone()[0]
        version = version_of(self.db)
        empty = not (application or version or self.db.execute("PRAGMA schema_version").fetchone()[0])
        if application != _APPLICATION_ID and not (empty and self.writable):
            raise StoreError(f"{self.path} is no memory")
        if version > SCHEMA_VERSION:
            raise StoreError(f"{self.path} was written by a newer Runebook (format {version})")
        if version < SCHEMA_VERSION and not self.writable:
            raise StoreError(f"{self.path} is of an earlier Runebook: the storage agent brings it up to date")

    def _prepare(self) -> None:
        if version_of(self.db) == 0:
            self.db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self.db.execute("PRAGMA journal_mode = TRUNCATE")
        self.db.execute("PRAGMA foreign_keys = ON")
        self.db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        migrate(self.db)
        self.path.chmod(0o600)

    @contextmanager
    def words(self) -> Iterator[None]:
        """SQLite's errors as StoreError, in words a person can act on."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", "") or ""
            why = next((text for name, text in _WORDS.items() if code.startswith(name)), str(error))
            kind = Busy if code.startswith("SQLITE_BUSY") else StoreError
            raise kind(f"the memory {self.path}: {why}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what is done inside. Raises StoreError."""
        with self.words():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise

    def size(self) -> int:
        """Bytes that the memory takes, without what is free inside the file."""
        with self.words():
            pages, free, size = (
                int(self.db.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "page_size")
            )
        return (pages - free) * size

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
