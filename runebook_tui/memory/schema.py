"""The tables of the memory, and how a file of an earlier Runebook becomes one of this.

A migration is never changed once it was released; tests/memory/schemas has a file of each version.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

_FIRST = """
-- A log that was followed, by the time of its first record, and how far.
CREATE TABLE origin (
    id       INTEGER PRIMARY KEY,
    began    REAL NOT NULL UNIQUE,
    position INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One stretch of an agent's program in its pane, or of a client or shell within it.
CREATE TABLE session (
    id      INTEGER PRIMARY KEY,
    origin  INTEGER NOT NULL REFERENCES origin,
    seq     INTEGER NOT NULL,
    run     INTEGER NOT NULL,
    time    REAL NOT NULL,
    agent   TEXT NOT NULL,
    kind    TEXT NOT NULL,
    name    TEXT NOT NULL DEFAULT '',
    ended   REAL,
    code    INTEGER,
    reason  TEXT NOT NULL DEFAULT '',
    UNIQUE (origin, seq)
) STRICT;
CREATE INDEX session_open ON session (origin, agent, kind) WHERE ended IS NULL;
CREATE INDEX session_time ON session (time);

CREATE TABLE command (
    id        INTEGER PRIMARY KEY,
    origin    INTEGER NOT NULL REFERENCES origin,
    seq       INTEGER NOT NULL,
    run       INTEGER NOT NULL,
    time      REAL NOT NULL,
    session   INTEGER REFERENCES session ON DELETE SET NULL,
    agent     TEXT NOT NULL,
    source    TEXT NOT NULL DEFAULT '',
    command   TEXT NOT NULL,
    arguments TEXT NOT NULL DEFAULT '[]',
    folder    TEXT NOT NULL DEFAULT '',
    environment TEXT NOT NULL DEFAULT '{}',
    started   REAL,
    seconds   REAL,
    code      INTEGER,
    failed    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (origin, seq)
) STRICT;
CREATE INDEX command_time ON command (time);
CREATE INDEX command_agent ON command (agent, id);
CREATE INDEX command_session ON command (session) WHERE session IS NOT NULL;

CREATE TABLE output (
    command INTEGER PRIMARY KEY REFERENCES command ON DELETE CASCADE,
    text    TEXT NOT NULL,
    cut     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE error (
    id      INTEGER PRIMARY KEY,
    origin  INTEGER NOT NULL REFERENCES origin,
    seq     INTEGER NOT NULL,
    run     INTEGER NOT NULL,
    time    REAL NOT NULL,
    agent   TEXT NOT NULL,
    kind    TEXT NOT NULL,
    command INTEGER REFERENCES command ON DELETE CASCADE,
    code    INTEGER,
    words   TEXT NOT NULL,
    UNIQUE (origin, seq)
) STRICT;
CREATE INDEX error_time ON error (time);
CREATE INDEX error_command ON error (command) WHERE command IS NOT NULL;

-- A stopped write or a question, for what becomes of it.
CREATE TABLE asked (
    origin  INTEGER NOT NULL REFERENCES origin,
    request INTEGER NOT NULL,
    time    REAL NOT NULL,
    agent   TEXT NOT NULL,
    words   TEXT NOT NULL,
    PRIMARY KEY (origin, request)
) STRICT, WITHOUT ROWID;

CREATE TABLE insight (
    id      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    agents  TEXT NOT NULL DEFAULT '[]',
    count   INTEGER NOT NULL,
    first   REAL NOT NULL,
    time    REAL NOT NULL,
    words   TEXT NOT NULL,
    UNIQUE (kind, subject)
) STRICT;
CREATE INDEX insight_time ON insight (time);

CREATE TABLE suggestion (
    id          INTEGER PRIMARY KEY,
    origin      INTEGER NOT NULL REFERENCES origin,
    number      INTEGER NOT NULL,
    run         INTEGER NOT NULL,
    first       REAL NOT NULL,
    time        REAL NOT NULL,
    agent       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    priority    TEXT NOT NULL,
    title       TEXT NOT NULL,
    words       TEXT NOT NULL,
    snippet     TEXT NOT NULL,
    confidence  REAL NOT NULL,
    fingerprint TEXT NOT NULL,
    count       INTEGER NOT NULL DEFAULT 1,
    status      TEXT NOT NULL DEFAULT 'open',
    by          TEXT NOT NULL DEFAULT '',
    UNIQUE (origin, number)
) STRICT;
CREATE INDEX suggestion_time ON suggestion (time);

-- What each occasion of a suggestion rests on.
CREATE TABLE provenance (
    id         INTEGER PRIMARY KEY,
    suggestion INTEGER NOT NULL REFERENCES suggestion ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    time       REAL NOT NULL,
    rule       TEXT NOT NULL DEFAULT '',
    layer      TEXT NOT NULL DEFAULT '',
    agent      TEXT NOT NULL DEFAULT '',
    command    INTEGER REFERENCES command ON DELETE SET NULL,
    file       TEXT NOT NULL DEFAULT '',
    line       INTEGER,
    UNIQUE (suggestion, seq)
) STRICT;
CREATE INDEX provenance_command ON provenance (command) WHERE command IS NOT NULL;

CREATE VIRTUAL TABLE command_text USING fts5 (
    command, agent, content = 'command', content_rowid = 'id', tokenize = 'unicode61', prefix = '2 3'
);
CREATE TRIGGER command_in AFTER INSERT ON command BEGIN
    INSERT INTO command_text (rowid, command, agent) VALUES (new.id, new.command, new.agent);
END;
CREATE TRIGGER command_out AFTER DELETE ON command BEGIN
    INSERT INTO command_text (command_text, rowid, command, agent)
    VALUES ('delete', old.id, old.command, old.agent);
END;

CREATE VIRTUAL TABLE output_text USING fts5 (
    text, content = 'output', content_rowid = 'command', tokenize = 'unicode61', prefix = '2 3'
);
CREATE TRIGGER output_in AFTER INSERT ON output BEGIN
    INSERT INTO output_text (rowid, text) VALUES (new.command, new.text);
END;
CREATE TRIGGER output_out AFTER DELETE ON output BEGIN
    INSERT INTO output_text (output_text, rowid, text) VALUES ('delete', old.command, old.text);
END;

CREATE VIRTUAL TABLE error_text USING fts5 (
    words, agent, content = 'error', content_rowid = 'id', tokenize = 'unicode61', prefix = '2 3'
);
CREATE TRIGGER error_in AFTER INSERT ON error BEGIN
    INSERT INTO error_text (rowid, words, agent) VALUES (new.id, new.words, new.agent);
END;
CREATE TRIGGER error_out AFTER DELETE ON error BEGIN
    INSERT INTO error_text (error_text, rowid, words, agent)
    VALUES ('delete', old.id, old.words, old.agent);
END;

CREATE VIRTUAL TABLE suggestion_text USING fts5 (
    title, words, snippet, agent, content = 'suggestion', content_rowid = 'id', tokenize = 'unicode61',
    prefix = '2 3'
);
CREATE TRIGGER suggestion_in AFTER INSERT ON suggestion BEGIN
    INSERT INTO suggestion_text (rowid, title, words, snippet, agent)
    VALUES (new.id, new.title, new.words, new.snippet, new.agent);
END;
CREATE TRIGGER suggestion_out AFTER DELETE ON suggestion BEGIN
    INSERT INTO suggestion_text (suggestion_text, rowid, title, words, snippet, agent)
    VALUES ('delete', old.id, old.title, old.words, old.snippet, old.agent);
END;
CREATE TRIGGER suggestion_changed AFTER UPDATE OF title, words, snippet ON suggestion BEGIN
    INSERT INTO suggestion_text (suggestion_text, rowid, title, words, snippet, agent)
    VALUES ('delete', old.id, old.title, old.words, old.snippet, old.agent);
    INSERT INTO suggestion_text (rowid, title, words, snippet, agent)
    VALUES (new.id, new.title, new.words, new.snippet, new.agent);
END;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST,)
"""What makes version n + 1 of version n, from an empty file on."""

SCHEMA_VERSION = len(MIGRATIONS)

TEXT_INDEXES = ("command_text", "output_text", "error_text", "suggestion_text")
"""The full-text indexes."""


def version_of(db: sqlite3.Connection) -> int:
    """The version of the tables in `db`; 0 for an empty file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrate(db: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring `db` (in autocommit mode) to the newest version, one transaction a step.

    Raises sqlite3.Error; the file has the version of the last step that was finished then.
    """
    while version_of(db) < len(migrations):
        db.execute("BEGIN IMMEDIATE")
        try:
            version = version_of(db)
            if version < len(migrations):
                for statement in _statements(migrations[version]):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {version + 1}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, each on lines of its own."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if line.rstrip().endswith(";") and sqlite3.complete_statement(statement):
            yield statement
            statement = ""
