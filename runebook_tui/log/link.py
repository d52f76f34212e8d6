"""A session on PostgreSQL: made with bounds on every wait, its errors told in words.

Everything about *how* to connect (host, TLS, service, password file) is libpq's, by the address:
https://www.postgresql.org/docs/current/libpq-connect.html. A password is never part of a message.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import conninfo, errors, sql
from psycopg.rows import TupleRow

from runebook_tui.core.printable import visible
from runebook_tui.log.eventlog import LogError

DEFAULT_SCHEMA = "runebook"
CONNECT_SECONDS = 5
LOCK_SECONDS = 10
STATEMENT_SECONDS = 60
"""A statement that takes longer is ended, by the server and then by this side."""
QUICK_SECONDS = LOCK_SECONDS + 5
"""What asks for a little takes that long at the most; the engine waits for it with everything it does."""
_IDLE_SECONDS = 15
"""So long a transaction may do nothing: one whose client was cut off keeps nobody waiting for longer."""
SLOW_SECONDS = STATEMENT_SECONDS + 5
"""What asks for the whole log."""
_LONGEST = 240

_UNLESS_SAID = {
    "connect_timeout": str(CONNECT_SECONDS),
    "application_name": "runebook",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "8000",
}

_SETTINGS = {
    "lock_timeout": f"{LOCK_SECONDS}s",
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{_IDLE_SECONDS}s",
    # The server's side of a cut line: its session, and with it the lease, ends after half a minute.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
    "client_min_messages": "error",
}

_ADVICE = {
    "28": "the server refuses the user or the password",
    "3D000": "there is no such database",
    "53": "the server has run out of room or of connections",
    "25006": "the server takes no writes",
    "42501": "the database user may not do that; docs/store.md says what it needs",
    "55P03": "another writer keeps it locked",
    "57014": "the server takes too long",
    "57P": "the server is stopping or starting",
}

Link = psycopg.Connection[TupleRow]


class LinkError(LogError):
    """The session is lost or could not be made; nothing is known to have been done."""


def place_of(url: str) -> str:
    """Where `url` leads, for people: host and database, without user, password or options."""
    try:
        asked = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        return "the PostgreSQL store"
    service = asked.get("service")
    if service:
        return f"PostgreSQL service {_word(service)}"
    host = asked.get("host") or asked.get("hostaddr") or os.environ.get("PGHOST") or "localhost"
    port = asked.get("port")
    where = f"{host}:{port}" if port and not str(host).startswith("/") else host
    database = asked.get("dbname") or os.environ.get("PGDATABASE") or asked.get("user") or ""
    return f"PostgreSQL {_word(where)}/{_word(database)}".rstrip("/")


def _word(text: object) -> str:
    return visible(str(text))[:120]


def connect(url: str, *, read_only: bool = False) -> tuple[Link, str]:
    """A session on `url` in autocommit, and the schema that holds the log. Raises LinkError."""
    with words(url):
        try:
            asked = conninfo.conninfo_to_dict(url)
        except psycopg.Error as error:
            # The message of libpq holds the address, and with it a password.
            raise LinkError("the store's address cannot be understood; docs/store.md has examples") from error
        told = {name: text for name, text in _UNLESS_SAID.items() if name not in asked}
        whole = conninfo.make_conninfo(url, **told, client_encoding="utf8")
        link = psycopg.connect(whole, autocommit=True)
        try:
            return link, _settle(link, read_only)
        except BaseException:
            link.close()
            raise


def _settle(link: Link, read_only: bool) -> str:
    """Set what every session goes by; the schema's name."""
    with deadline(link, CONNECT_SECONDS):
        row = link.execute(
            "SELECT setting, source, current_user::text FROM pg_settings WHERE name = 'search_path'"
        ).fetchone()
        assert row is not None
        said = row[1] in ("client", "user", "database", "database user")
        first = row[0].split(",")[0].strip().strip('"').replace("$user", row[2]) if said else ""
        schema = first or DEFAULT_SCHEMA
        durable = link.execute("SELECT current_setting('synchronous_commit')").fetchone()
        settings = dict(_SETTINGS)
        if durable == ("off",):
            # An acknowledged event outlives a crash of the server, whatever the server's own habit.
            settings["synchronous_commit"] = "on"
        if read_only:
            settings["default_transaction_read_only"] = "on"
        link.execute(
            "SELECT set_config(name, text, false) FROM unnest(%s::text[], %s::text[]) AS s (name, text)",
            (list(settings), list(settings.values())),
        )
        link.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
    return schema


@contextmanager
def deadline(link: Link, seconds: float = QUICK_SECONDS) -> Iterator[None]:
    """Cut the line when the block takes longer than `seconds`: a server that is stopped never answers.

    The block then raises `psycopg.OperationalError`, and the session is over.
    """
    line = socket.socket(fileno=os.dup(link.fileno()))
    done = threading.Event()

    def watch() -> None:
        if not done.wait(seconds):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        line.close()


def is_gone(link: Link, error: BaseException) -> bool:
    """Whether `error` means that the session is over, rather than that a statement was refused."""
    return link.closed or link.broken or isinstance(error, psycopg.InterfaceError)


@contextmanager
def words(url: str) -> Iterator[None]:
    """PostgreSQL's errors as LogError, in one line for people."""
    try:
        yield
    except psycopg.Error as error:
        message = f"the log in {place_of(url)}: {_reason(error)}"
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        raise (LinkError if lost else LogError)(message) from error


def _reason(error: psycopg.Error) -> str:
    if isinstance(error, errors.ConnectionTimeout):
        return "the server does not answer"
    state = error.sqlstate or ""
    advice = next((text for code, text in _ADVICE.items() if state.startswith(code)), "")
    told = error.diag.message_primary or str(error) or type(error).__name__
    if unmade := re.match(r"connection .*failed: +(.+)", told):
        advice, told = "the server cannot be reached", unmade[1]
    told = visible(" ".join(told.split()))[:_LONGEST]
    return f"{advice} ({told})" if advice else told
