-- The memory of version 1, as that version made it, with one row of each kind. Never changed.

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

PRAGMA application_id = 0x52756E4D;
PRAGMA user_version = 1;
INSERT INTO origin (id, began, position) VALUES (1, 1000.0, 4);
INSERT INTO session (id, origin, seq, run, time, agent, kind, name) VALUES (1, 1, 1, 1, 1001.0, 'alpha', 'program', '%1');
INSERT INTO command (id, origin, seq, run, time, session, agent, source, command, code, failed)
VALUES (1, 1, 2, 1, 1002.0, 1, 'alpha', 'hook', 'make kept', 2, 1);
INSERT INTO output (command, text) VALUES (1, 'kept words');
INSERT INTO error (id, origin, seq, run, time, agent, kind, command, code, words)
VALUES (1, 1, 2, 1, 1002.0, 'alpha', 'command', 1, 2, 'make kept');
INSERT INTO insight (kind, subject, agents, count, first, time, words)
VALUES ('fails', 'make it', '["alpha"]', 1, 1002.0, 1002.0, 'failed once, by alpha');
INSERT INTO suggestion (id, origin, number, run, first, time, agent, kind, priority, title, words, snippet, confidence, fingerprint)
VALUES (1, 1, 1, 1, 1003.0, 1003.0, 'analysis', 'fix', 'normal', 'Do it', '', '', 0.5, 'f');
INSERT INTO provenance (suggestion, seq, time, rule, layer, agent, command) VALUES (1, 3, 1003.0, 'kept-rule', 'heuristics', 'alpha', 1);
