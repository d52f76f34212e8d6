"""Reading the memory: what there is, one thing of it whole, what words are found in, all of it in order."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

from runebook_tui.memory.query import match_of
from runebook_tui.memory.schema import version_of
from runebook_tui.memory.store import Store, StoreError

KINDS = ("session", "command", "error", "insight", "suggestion")
"""What the memory holds, beside the outputs, which belong to their commands."""
SEARCHED = ("command", "output", "error", "suggestion")
"""Where words are searched."""

Row = dict[str, Any]

_PAGE = 500
_SNIPPET_WORDS = 24
_COLUMNS = {
    "command": "command",
    "output": "text",
    "error": "words",
    "suggestion": "title words snippet",
}
_ROWS = {
    "command": ("command", "command"),
    "output": ("command", "command"),
    "error": ("error", "words"),
    "suggestion": ("suggestion", "title"),
}


class Found(NamedTuple):
    """One hit of a search."""

    id: str
    """Such as "command/12": what `one` takes."""
    kind: str
    """Where the words were found, one of SEARCHED."""
    time: float
    """Unix seconds."""
    agent: str
    words: str
    """The command, the error's or suggestion's words."""
    near: str
    """The words around the hit, for an output; else ""."""


class Reader:
    """Reads a store. Every method raises StoreError; none keeps the writer waiting for long."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def overview(self) -> Row:
        """How much there is of everything, since when, how large it is, and how far the log was followed."""
        with self._store.words():
            db = self._store.db
            counts = {kind: _count(db, kind) for kind in (*KINDS, "output")}
            oldest, newest = db.execute("SELECT min(time), max(time) FROM command").fetchone()
            agents = db.execute(
                "SELECT agent, count(*), sum(failed) FROM command GROUP BY agent ORDER BY agent"
            ).fetchall()
            position = db.execute("SELECT position FROM origin ORDER BY began DESC LIMIT 1").fetchone()
            version = version_of(db)
        return {
            "format": version,
            "size": self._store.size(),
            "position": 0 if position is None else position[0],
            "oldest": oldest,
            "newest": newest,
            "counts": counts,
            "agents": [{"id": name, "commands": ran, "failed": failed} for name, ran, failed in agents],
        }

    def search(
        self,
        words: str,
        kinds: tuple[str, ...] = SEARCHED,
        *,
        agent: str = "",
        since: float = 0.0,
        limit: int = 20,
    ) -> list[Found]:
        """Where all of `words` are found, the newest first; see `query.match_of` for the words.

        `since` (unix seconds) is the earliest time, `agent` whose, "" for all.
        """
        found: list[Found] = []
        for kind in kinds:
            found += self._search(kind, words, agent, since, limit)
        return sorted(found, key=lambda each: (-each.time, each.id))[:limit]

    def _search(self, kind: str, words: str, agent: str, since: float, limit: int) -> Iterator[Found]:
        table, column = _ROWS[kind]
        index = f"{kind}_text"
        match = match_of(words, _COLUMNS[kind], agent if kind != "output" else "")
        if not match:
            return
        near = f"snippet({index}, 0, '', '', '…', {_SNIPPET_WORDS})" if kind == "output" else "''"
        first = f"(SELECT id FROM {table} WHERE time >= :since ORDER BY time, id LIMIT 1)" if since else "0"
        query = (
            f"SELECT row.id, row.time, row.agent, row.{column}, {near} FROM {index}"
            f" JOIN {table} AS row ON row.id = {index}.rowid"
            f" WHERE {index} MATCH :match AND {index}.rowid >= {first}"
            f" AND (:agent = '' OR row.agent = :agent)"
            f" ORDER BY {index}.rowid DESC LIMIT :limit"
        )
        values = {"match": match, "since": since, "agent": agent, "limit": limit}
        with self._store.words():
            rows = self._store.db.execute(query, values).fetchall()
        for row, time, by, text, around in rows:
            yield Found(f"{table}/{row}", kind, time, by, text, around)

    def one(self, name: str) -> Row:
        """The thing of the id `name`, such as "command/12", whole. Raises StoreError when there is none."""
        kind, _, number = name.partition("/")
        if kind not in KINDS or not number.isascii() or not number.isdigit() or len(number) > 18:
            raise StoreError(f"{name!r} names nothing: write it as command/12 ({', '.join(KINDS)})")
        with self._store.words():
            rows = _rows(self._store.db, kind, f"SELECT * FROM {kind} WHERE id = ?", (int(number),))
        if not rows:
            raise StoreError(f"there is no {name} (any more)")
        return rows[0]

    def everything(
        self, kinds: tuple[str, ...] = KINDS, *, agent: str = "", since: float = 0.0
    ) -> Iterator[Row]:
        """All of the kinds, kind by kind and in order; page by page, so that the writer can go on."""
        for kind in kinds:
            after = 0
            whose = "" if kind == "insight" else " AND (:agent = '' OR agent = :agent)"
            query = (
                f"SELECT * FROM {kind} WHERE id > :after AND time >= :since{whose} ORDER BY id LIMIT {_PAGE}"
            )
            while True:
                values = {"after": after, "since": since, "agent": agent}
                with self._store.words():
                    rows = _rows(self._store.db, kind, query, values)
                yield from (row for row in rows if not agent or kind != "insight" or agent in row["agents"])
                if len(rows) < _PAGE:
                    break
                after = int(rows[-1]["id"].partition("/")[2])


def _count(db: sqlite3.Connection, kind: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {kind}").fetchone()[0])


def _rows(db: sqlite3.Connection, kind: str, query: str, values: Any) -> list[Row]:
    """Rows of a table as people and programs read them; other rows are named by their ids."""
    cursor = db.execute(query, values)
    names = [column[0] for column in cursor.description]
    return [_row(db, kind, dict(zip(names, each, strict=True))) for each in cursor.fetchall()]


def _row(db: sqlite3.Connection, kind: str, row: Row) -> Row:
    number = row.pop("id")
    row.pop("origin", None)
    shaped: Row = {"id": f"{kind}/{number}", "type": kind, **row}
    for name, of in (("session", "session"), ("command", "command")):
        if name in row and not isinstance(row[name], str):
            shaped[name] = None if row[name] is None else f"{of}/{row[name]}"
    for name in ("arguments", "agents", "environment"):
        if name in row:
            shaped[name] = json.loads(row[name])
    if kind == "command":
        shaped["failed"] = bool(row["failed"])
        printed = db.execute("SELECT text, cut FROM output WHERE command = ?", (number,)).fetchone()
        shaped["output"] = None if printed is None else printed[0]
        shaped["output_cut"] = printed is not None and bool(printed[1])
    if kind == "suggestion":
        shaped["provenance"] = _provenance(db, number)
    return shaped


def _provenance(db: sqlite3.Connection, suggestion: int) -> list[Row]:
    cursor = db.execute(
        "SELECT seq, time, rule, layer, agent, command, file, line FROM provenance"
        " WHERE suggestion = ? ORDER BY seq",
        (suggestion,),
    )
    names = [column[0] for column in cursor.description]
    found = [dict(zip(names, each, strict=True)) for each in cursor.fetchall()]
    for each in found:
        each["command"] = None if each["command"] is None else f"command/{each['command']}"
    return found
