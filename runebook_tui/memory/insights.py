"""Insights: what several commands say together. A command that failed again, and what came before it worked.

Kept as they come, one row a command's text; nothing is searched for afterwards.
"""

from __future__ import annotations

import json
import sqlite3

FAILS = "fails"
"""A command has failed, so often; it may have worked since."""
WORKS_AGAIN = "works-again"
"""A command worked after it had failed; the words say what its agent ran in between."""

_BETWEEN = 3
_SUBJECT = 500
_WORDS = 200


def note_command(
    db: sqlite3.Connection, agent: str, command: str, row: int, time: float, *, failed: bool
) -> None:
    """Remember what the command in row `row`, which ran just now, adds to those before it."""
    subject = " ".join(command.split())[:_SUBJECT]
    before = db.execute(
        "SELECT agents, count, time FROM insight WHERE kind = ? AND subject = ?", (FAILS, subject)
    ).fetchone()
    if failed:
        agents = sorted({agent, *(json.loads(before[0]) if before else ())})
        count = 1 + (before[1] if before else 0)
        times = "once" if count == 1 else f"{count} times"
        _put(db, FAILS, subject, agents, time, f"failed {times}, by {', '.join(agents)}")
    elif before is not None and not _worked_since(db, subject, before[2]):
        between = _between(db, agent, subject, before[2], row)
        words = f"worked after {'a failure' if before[1] == 1 else f'{before[1]} failures'}"
        if between:
            words += "; before it ran " + "; ".join(each[:_WORDS] for each in between)
        _put(db, WORKS_AGAIN, subject, [agent], time, words)


def _put(db: sqlite3.Connection, kind: str, subject: str, agents: list[str], time: float, words: str) -> None:
    db.execute(
        "INSERT INTO insight (kind, subject, agents, count, first, time, words)"
        " VALUES (:kind, :subject, :agents, 1, :time, :time, :words) ON CONFLICT (kind, subject)"
        " DO UPDATE SET agents = :agents, count = count + 1, time = :time, words = :words",
        {"kind": kind, "subject": subject, "agents": json.dumps(agents), "time": time, "words": words},
    )


def _worked_since(db: sqlite3.Connection, subject: str, failed: float) -> bool:
    """Whether it is known already that it works again after its last failure."""
    row = db.execute(
        "SELECT time FROM insight WHERE kind = ? AND subject = ?", (WORKS_AGAIN, subject)
    ).fetchone()
    return row is not None and row[0] > failed


def _between(db: sqlite3.Connection, agent: str, subject: str, failed: float, row: int) -> list[str]:
    """What `agent` ran, other than the command itself, after its last failure: the last few."""
    rows = db.execute(
        "SELECT command FROM command WHERE agent = ? AND id < ? AND time >= ? AND command <> ?"
        " ORDER BY id DESC LIMIT ?",
        (agent, row, failed, subject, _BETWEEN),
    )
    return [" ".join(each[0].split()) for each in rows][::-1]
