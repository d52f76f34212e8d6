"""Writing the log's records into the memory: each once, whatever is killed in between.

How far the log was followed is kept in the same transaction as what its records brought. So a record
that is given again, by the same writer or another one, changes nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from runebook_tui.core.secrets import without_secrets
from runebook_tui.memory.insights import note_command
from runebook_tui.memory.outputs import MOST_OUTPUT, Output
from runebook_tui.memory.store import Store

Fields = Mapping[str, Any]
"""A record as the verb `records` gives it."""

TYPES = (
    "RunStarted",
    "RunEnded",
    "AgentStarted",
    "AgentExited",
    "ActivityChanged",
    "CommandRan",
    "ShellStarted",
    "ShellEnded",
    "AttemptRefused",
    "CoordinationRequest",
    "CoordinationResponse",
    "HoldEnded",
    "SuggestionAdded",
    "SuggestionDismissed",
    "SuggestionApplied",
)
"""The events that bring something; others are passed over."""
_MOST_WORDS = 8_000


class Writer:
    """Writes into a store that was opened for writing. Every method raises StoreError.

    `output_of` reads what a record says that a command has printed; None for nothing.
    """

    def __init__(self, store: Store, output_of: Callable[[Fields], Output | None] = lambda record: None):
        self._store = store
        self._output_of = output_of
        self._takes: dict[str, Callable[[sqlite3.Connection, int, Fields], None]] = {
            "RunStarted": _run_over,
            "RunEnded": _run_over,
            "AgentStarted": _agent_started,
            "AgentExited": _agent_exited,
            "ActivityChanged": _activity,
            "CommandRan": self._command,
            "ShellStarted": _shell_started,
            "ShellEnded": _shell_ended,
            "AttemptRefused": _attempt,
            "CoordinationRequest": _asked,
            "CoordinationResponse": _answered,
            "HoldEnded": _hold_ended,
            "SuggestionAdded": _suggested,
            "SuggestionDismissed": _closed,
            "SuggestionApplied": _closed,
        }

    def position(self, began: float) -> int:
        """How far the log was followed whose first record is of the time `began`; 0 for a new one."""
        with self._store.words():
            row = self._store.db.execute("SELECT position FROM origin WHERE began = ?", (began,)).fetchone()
        return 0 if row is None else int(row[0])

    def take(self, began: float, records: Iterable[Fields], upto: int) -> int:
        """Write the records of a log, in order, up to number `upto`; how many of them were new."""
        taken = 0
        with self._store.transaction() as db:
            db.execute("INSERT OR IGNORE INTO origin (began) VALUES (?)", (began,))
            query = "SELECT id, position FROM origin WHERE began = ?"
            origin, position = db.execute(query, (began,)).fetchone()
            for record in records:
                take = self._takes.get(str(record["type"]))
                if take is not None and position < int(record["seq"]) <= upto:
                    take(db, origin, record)
                    taken += 1
            db.execute("UPDATE origin SET position = ? WHERE id = ?", (max(position, upto), origin))
        return taken

    def _command(self, db: sqlite3.Connection, origin: int, record: Fields) -> None:
        arguments = [_clean(str(each)) for each in record.get("arguments") or ()]
        command = _clean(str(record.get("command") or " ".join(arguments)))
        failed = bool(record.get("failed") or record.get("code"))
        seconds, started = record.get("seconds"), record.get("started")
        if started is None and seconds is not None:
            started = float(record["time"]) - float(seconds)
        row = db.execute(
            "INSERT INTO command (origin, seq, run, time, session, agent, source, command, arguments, folder,"
            " environment, started, seconds, code, failed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *_place(origin, record),
                _session_of(db, origin, record),
                _text(record["agent"]),
                _text(record.get("source") or "hook"),
                command,
                json.dumps(arguments),
                _text(record.get("folder") or ""),
                json.dumps(_environment(record)),
                started,
                seconds,
                record.get("code"),
                failed,
            ),
        ).lastrowid
        printed = self._output_of(record)
        text = "" if printed is None else _clean(printed.text, MOST_OUTPUT)
        if printed is not None and text:
            cut = printed.cut or len(text) > MOST_OUTPUT
            db.execute("INSERT INTO output (command, text, cut) VALUES (?, ?, ?)", (row, text, cut))
        if failed:
            end = _clean(str(record.get("error") or "")) or "\n".join(text.strip().splitlines()[-5:])
            words = f"{command}\n{end}" if end else command
            _error(db, origin, record, "command", words, command=row)
        note_command(db, _text(record["agent"]), command, row or 0, float(record["time"]), failed=failed)


# ── sessions ────────────────────────────────────────────────────────────────────────────────────


def _run_over(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    """No session outlives its run."""
    db.execute(
        "UPDATE session SET ended = ?, reason = 'the run is over' WHERE origin = ? AND ended IS NULL",
        (record["time"], origin),
    )


def _agent_started(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    _end_sessions(db, origin, record, "it was started again")
    _begin_session(db, origin, record, "program", f"{record.get('pane', '')} pid {record.get('pid', '')}")


def _agent_exited(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    code, killed = record.get("code"), record.get("signal")
    reason = _clean(str(record.get("reason") or (f"signal {killed}" if killed else "")))
    _end_sessions(db, origin, record, reason, code)
    if code or killed:
        last = "\n".join(str(line) for line in record.get("last_lines") or ())
        why = f"its program ended with {f'signal {killed}' if killed else f'exit code {code}'}"
        _error(db, origin, record, "program", _clean("\n".join(filter(None, (why, reason, last)))))


def _activity(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    """A client's session is told by its own id, as often as its activity changes."""
    name = _text(record.get("session") or "")
    query = (
        "SELECT id, name FROM session WHERE origin = ? AND agent = ? AND kind = 'client' AND ended IS NULL"
    )
    known = db.execute(query, (origin, _text(record["agent"]))).fetchone()
    over = record.get("activity") == "done"
    if known is not None and (over or (name and known[1] != name)):
        ended = "UPDATE session SET ended = ?, reason = ? WHERE id = ?"
        db.execute(ended, (record["time"], _clean(str(record.get("about") or "")) if over else "", known[0]))
        known = None
    if known is None and name and not over:
        _begin_session(db, origin, record, "client", name)


def _shell_started(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    _begin_session(db, origin, record, "shell", str(record.get("session") or ""))


def _shell_ended(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    db.execute(
        "UPDATE session SET ended = ? WHERE origin = ? AND agent = ? AND kind = 'shell' AND name = ?"
        " AND ended IS NULL",
        (record["time"], origin, _text(record["agent"]), _text(record.get("session") or "")),
    )


def _begin_session(db: sqlite3.Connection, origin: int, record: Fields, kind: str, name: str) -> None:
    db.execute(
        "INSERT INTO session (origin, seq, run, time, agent, kind, name) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*_place(origin, record), _text(record["agent"]), kind, _text(name)),
    )


def _end_sessions(
    db: sqlite3.Connection, origin: int, record: Fields, reason: str, code: int | None = None
) -> None:
    db.execute(
        "UPDATE session SET ended = ?, reason = ?, code = ? WHERE origin = ? AND agent = ? AND ended IS NULL",
        (record["time"], reason, code, origin, _text(record["agent"])),
    )


def _session_of(db: sqlite3.Connection, origin: int, record: Fields) -> int | None:
    """The open session that a command belongs to: the one that it names, else the newest of its agent."""
    query = (
        "SELECT id FROM session WHERE origin = ? AND agent = ? AND ended IS NULL"
        " ORDER BY name = ? DESC, id DESC LIMIT 1"
    )
    found = db.execute(query, (origin, _text(record["agent"]), _text(record.get("session") or ""))).fetchone()
    return None if found is None else int(found[0])


def _environment(record: Fields) -> dict[str, str | None]:
    changed = record.get("environment") or {}
    return {
        _text(name): None if value is None else _clean(f"{name}={value}").removeprefix(f"{name}=")
        for name, value in changed.items()
    }


# ── errors ──────────────────────────────────────────────────────────────────────────────────────


def _error(
    db: sqlite3.Connection,
    origin: int,
    record: Fields,
    kind: str,
    words: str,
    *,
    command: int | None = None,
    agent: str = "",
) -> None:
    db.execute(
        "INSERT INTO error (origin, seq, run, time, agent, kind, command, code, words)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *_place(origin, record),
            agent or _text(record["agent"]),
            kind,
            command,
            record.get("code"),
            words,
        ),
    )


def _attempt(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    words = _clean(f"{record['attempt']} was refused: {record['reason']}")
    _error(db, origin, record, "refusal", words, agent=_text(record["speaker"]))


def _asked(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    agent = _text(record.get("requester") or "")
    if not agent:
        return
    paths = [str(each["path"]) for each in record["crossings"]]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    owner = next((each["owner"] for each in record["crossings"] if each["owner"]), None)
    words = f"{paths[0] if paths else '?'}{more}" + (f", {owner}'s" if owner else "")
    db.execute(
        "INSERT OR REPLACE INTO asked (origin, request, time, agent, words) VALUES (?, ?, ?, ?, ?)",
        (origin, record["request"], record["time"], agent, _clean(words)),
    )


def _answered(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    if record["decision"] == "rejected":
        _refused(db, origin, record, "was rejected")


def _hold_ended(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    _refused(db, origin, record, "was not let through")


def _refused(db: sqlite3.Connection, origin: int, record: Fields, what: str) -> None:
    query = "SELECT agent, words FROM asked WHERE origin = ? AND request = ?"
    known = db.execute(query, (origin, record["request"])).fetchone()
    if known is not None:
        reason = f": {record['reason']}" if record.get("reason") else ""
        words = _clean(f"request {record['request']} ({known[1]}) {what}{reason}")
        _error(db, origin, record, "refusal", words, agent=known[0])


# ── suggestions ─────────────────────────────────────────────────────────────────────────────────


def _suggested(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    """The same again counts up, and is open again."""
    row = {
        "origin": origin,
        "number": record["suggestion"],
        "run": record["run"],
        "time": record["time"],
        "confidence": record["confidence"],
        **{name: _text(record.get(name) or "") for name in ("agent", "kind", "priority", "fingerprint")},
        **{name: _clean(str(record.get(name) or "")) for name in ("title", "words", "snippet")},
    }
    found = db.execute(
        "INSERT INTO suggestion (origin, number, run, first, time, agent, kind, priority, title, words,"
        " snippet, confidence, fingerprint) VALUES (:origin, :number, :run, :time, :time, :agent, :kind,"
        " :priority, :title, :words, :snippet, :confidence, :fingerprint)"
        " ON CONFLICT (origin, number) DO UPDATE SET count = count + 1, time = :time, status = 'open',"
        " priority = :priority, title = :title, words = :words, snippet = :snippet,"
        " confidence = :confidence RETURNING id",
        row,
    ).fetchone()[0]
    from_ = record.get("provenance") or {}
    failure = db.execute(
        "SELECT id FROM command WHERE origin = ? AND seq = ?", (origin, from_.get("command"))
    ).fetchone()
    db.execute(
        "INSERT INTO provenance (suggestion, seq, time, rule, layer, agent, command, file, line)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            found,
            record["seq"],
            record["time"],
            *(_text(from_.get(name) or "") for name in ("rule", "layer", "agent")),
            None if failure is None else failure[0],
            _text(from_.get("file") or ""),
            from_.get("line"),
        ),
    )


def _closed(db: sqlite3.Connection, origin: int, record: Fields) -> None:
    status = "dismissed" if record["type"] == "SuggestionDismissed" else "applied"
    db.execute(
        "UPDATE suggestion SET status = ?, by = ? WHERE origin = ? AND number = ?",
        (status, _text(record["by"]), origin, record["suggestion"]),
    )


# ── texts ───────────────────────────────────────────────────────────────────────────────────────


def _place(origin: int, record: Fields) -> tuple[int, int, int, float]:
    """Where in which log a row comes from, and when."""
    return origin, int(record["seq"]), int(record["run"]), float(record["time"])


def _clean(text: str, limit: int = _MOST_WORDS) -> str:
    """A text without secrets, bounded, as SQLite takes it."""
    return _text(without_secrets(text, limit))


def _text(value: object) -> str:
    """A text as SQLite takes it: what is no character (bytes of a file name) is written out."""
    return str(value).encode("utf-8", "backslashreplace").decode()
