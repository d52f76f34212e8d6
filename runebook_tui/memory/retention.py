"""What is forgotten: by age, by size, or because the operator wants it gone."""

from __future__ import annotations

import sqlite3

from runebook_tui.memory.schema import TEXT_INDEXES
from runebook_tui.memory.store import Store

_DAY = 86_400.0
_AT_ONCE = 5_000
"""Rows that one transaction forgets: readers and the log's records wait no longer than that."""
_MERGED_PAGES = 200
_TABLES = ("suggestion", "error", "command", "session", "insight", "asked")


def retain(store: Store, *, days: float, megabytes: float, now: float) -> int:
    """Forget what is older than `days`, then the oldest until it takes at most `megabytes` (10⁶ bytes).

    How many things were forgotten. Raises StoreError.
    """
    gone = _forget(store, "time < ?", (now - days * _DAY,))
    most = megabytes * 1e6
    while store.size() > most:
        # Most of the space belongs to commands and their outputs; the rest of that time goes with them.
        border = _oldest(store)
        more = 0 if border is None else _forget(store, "time <= ?", (border,))
        if more == 0:
            break
        gone += more
        _merge(store)
    if gone:
        _merge(store)
        _shrink(store)
    return gone


def wipe(store: Store, *, agent: str = "", before: float | None = None) -> int:
    """Forget everything (of and about `agent`; until `before`, unix seconds), to the last byte of the file.

    How many things were forgotten. Raises StoreError. What a file system or disk keeps of overwritten
    blocks, SQLite cannot reach.
    """
    where, values = "1", tuple[object, ...]()
    if before is not None:
        where, values = "time < ?", (before,)
    with store.words():
        store.db.execute("PRAGMA secure_delete = ON")
    try:
        gone = _forget(store, where, values, agent)
        _rebuild(store)
        with store.words():
            store.db.execute("VACUUM")
    finally:
        with store.words():
            store.db.execute("PRAGMA secure_delete = OFF")
    return gone


def _forget(store: Store, where: str, values: tuple[object, ...], agent: str = "") -> int:
    gone = 0
    for table in _TABLES:
        condition, arguments = where, values
        if agent and table == "insight":
            condition = f"({where}) AND EXISTS (SELECT 1 FROM json_each(agents) WHERE value = ?)"
            arguments = (*values, agent)
        elif agent and table == "suggestion":
            about = "SELECT suggestion FROM provenance WHERE agent = ?"
            condition, arguments = f"({where}) AND (agent = ? OR id IN ({about}))", (*values, agent, agent)
        elif agent:
            condition, arguments = f"({where}) AND agent = ?", (*values, agent)
        key = "request" if table == "asked" else "id"
        some = f"SELECT {key} FROM {table} WHERE {condition} LIMIT {_AT_ONCE}"
        deletion = f"DELETE FROM {table} WHERE {key} IN ({some}) AND {condition}"
        more = _AT_ONCE
        while more:
            with store.transaction() as db:
                more = _deleted(db, deletion, (*arguments, *arguments))
            gone += 0 if table == "asked" else more
    return gone


def _deleted(db: sqlite3.Connection, deletion: str, values: tuple[object, ...]) -> int:
    return db.execute(deletion, values).rowcount


def _oldest(store: Store) -> float | None:
    """Until when the oldest tenth of the commands goes (of the errors, where there is no command)."""
    with store.words():
        for table in ("command", "error", "suggestion", "session", "insight"):
            count = int(store.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            if count:
                nth = f"SELECT time FROM {table} ORDER BY time LIMIT 1 OFFSET ?"
                return float(store.db.execute(nth, (count // 10,)).fetchone()[0])
    return None


def _merge(store: Store) -> None:
    """Let the text indexes forget what their rows forgot, a few pages a transaction."""
    for index in TEXT_INDEXES:
        pages = -_MERGED_PAGES
        while True:
            with store.transaction() as db:
                before = db.total_changes
                db.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('merge', ?)", (pages,))
                # By SQLite's documentation: a change of less than two says that nothing is left to merge.
                if db.total_changes - before < 2:
                    break
            pages = _MERGED_PAGES


def _rebuild(store: Store) -> None:
    """Make the text indexes anew of what is left."""
    for index in TEXT_INDEXES:
        with store.transaction() as db:
            db.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")


def _shrink(store: Store) -> None:
    """Give free pages back to the file system."""
    with store.words():
        # `execute` takes one step of a statement without columns, and this one frees a page a step.
        store.db.executescript("PRAGMA incremental_vacuum")
