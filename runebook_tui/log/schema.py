"""The tables of a log in PostgreSQL: how they are made, and who may do what with them."""

from __future__ import annotations

import uuid
from typing import NamedTuple

import psycopg
from psycopg import sql

from runebook_tui.log.eventlog import LogError
from runebook_tui.log.link import Link, connect, deadline, words

MIGRATIONS = (
    # An index holds 2,700 bytes of a value at most, a path may have 4,000: so touches are found by a digest.
    """
    CREATE TABLE store (
        format  integer NOT NULL,
        id      text NOT NULL
    );
    CREATE TABLE event (
        seq     bigint PRIMARY KEY,
        time    double precision NOT NULL,
        run     bigint NOT NULL,
        actor   text NOT NULL,
        type    text NOT NULL,
        path    bytea,
        key     bytea,
        body    text NOT NULL,
        batch   uuid
    );
    CREATE INDEX event_type ON event (type, seq);
    CREATE INDEX event_path ON event (sha256(path), seq) WHERE path IS NOT NULL;
    CREATE UNIQUE INDEX event_key ON event (sha256(key)) WHERE key IS NOT NULL;
    CREATE TABLE lease (
        host     text PRIMARY KEY,
        pid      bigint NOT NULL,
        started  double precision NOT NULL,
        taken_at double precision NOT NULL
    );
    """,
    # What the engine of one host has that of another do; nothing here is kept for long.
    """
    CREATE TABLE errand (
        id       text PRIMARY KEY,
        sender   text NOT NULL,
        host     text NOT NULL,
        question text NOT NULL,
        left_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
        until    timestamptz NOT NULL,
        taken    boolean NOT NULL DEFAULT false,
        answer   text
    );
    CREATE INDEX errand_host ON errand (host, until);
    """,
)
"""What brings the tables from format n to n + 1, in order. What was released stays as it is."""

FORMAT = len(MIGRATIONS)

_CHANGES = "SELECT, INSERT, UPDATE, DELETE"
_GRANTS = {"store": "SELECT", "event": "SELECT, INSERT", "lease": _CHANGES, "errand": _CHANGES}
"""What the role may do: add to the log and read it, never change or remove what is in it."""


class Made(NamedTuple):
    """What `make` found and did."""

    schema: str
    before: int
    """The format that was there, 0 where there was no log."""
    format: int
    """The format that is there now."""
    role: str
    """The role that may use the log, "" where none was asked for."""
    role_made: bool


class Tables(NamedTuple):
    """Which log a schema holds."""

    format: int
    id: str


def look(link: Link, schema: str) -> Tables | None:
    """The log in `schema`, None where there is none. Raises LogError for tables of something else."""
    found = link.execute("SELECT to_regclass('store')::text, to_regclass('event')::text").fetchone()
    if found == (None, None):
        return None
    try:
        row = link.execute("SELECT format, id FROM store").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        row = None
    if row is None:
        raise LogError(f"the schema {schema} holds tables that are not a log")
    return Tables(*row)


def checked(tables: Tables | None, schema: str, place: str) -> Tables:
    """The tables that this program understands. Raises LogError with what to do about others."""
    if tables is None:
        raise LogError(f"there is no log in {place} (schema {schema}); `runebook-tui store init` makes it")
    if tables.format > FORMAT:
        raise LogError(f"the log in {place} was written by a newer Runebook (format {tables.format})")
    if tables.format < FORMAT:
        raise LogError(
            f"the log in {place} has format {tables.format}; "
            f"`runebook-tui store init` brings it to format {FORMAT}"
        )
    return tables


def make(url: str, *, role: str = "") -> Made:
    """Make the schema, the tables and `role`, or bring older ones up to date; twice is once.

    Raises LogError; then nothing was changed.
    """
    with words(url):
        link, schema = connect(url)
        try:
            with deadline(link), link.transaction():
                return _make(link, schema, role)
        finally:
            link.close()


def _make(link: Link, schema: str, role: str) -> Made:
    encoding = link.execute("SELECT current_setting('server_encoding')").fetchone()
    if encoding != ("UTF8",):
        said = encoding[0] if encoding else "unknown"
        raise LogError(f"the database's encoding is {said}; a log needs one made with ENCODING 'UTF8'")
    # Two hosts may begin at the same instant.
    link.execute("SELECT pg_advisory_xact_lock(hashtextextended('runebook store init', 0))")
    name = sql.Identifier(schema)
    if link.execute("SELECT to_regnamespace(quote_ident(%s))", (schema,)).fetchone() == (None,):
        link.execute(sql.SQL("CREATE SCHEMA {}").format(name))
    tables = look(link, schema)
    before = 0 if tables is None else tables.format
    if before > FORMAT:
        raise LogError(f"the log was written by a newer Runebook (format {before})")
    for migration in MIGRATIONS[before:]:
        link.execute(migration)
    if tables is None:
        link.execute("INSERT INTO store (format, id) VALUES (%s, %s)", (FORMAT, uuid.uuid4().hex))
    elif before < FORMAT:
        link.execute("UPDATE store SET format = %s", (FORMAT,))
    return Made(schema, before, FORMAT, role, bool(role) and _grant(link, schema, role))


def _grant(link: Link, schema: str, role: str) -> bool:
    """Let `role` use the log, and nothing more; whether the role was made."""
    owner = link.execute(
        "SELECT tableowner FROM pg_tables WHERE schemaname = %s AND tablename = 'event'", (schema,)
    )
    if owner.fetchone() == (role,):
        return False
    who = sql.Identifier(role)
    made = link.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None
    if made:
        link.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION").format(who)
        )
    # Naming them all keeps what an earlier format gave from being kept for ever.
    space = sql.Identifier(schema)
    link.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(space, who))
    for table, rights in _GRANTS.items():
        each = sql.Identifier(schema, table)
        if not made:
            link.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(each, who))
        link.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), each, who))
    return made
