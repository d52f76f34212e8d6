"""Hearing at once that a log in PostgreSQL has grown, whichever host appended."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from typing import NamedTuple

import psycopg

from runebook_tui.log.eventlog import LogError
from runebook_tui.log.link import CONNECT_SECONDS, Link, connect, deadline, place_of, words
from runebook_tui.log.postgres_append import channel
from runebook_tui.log.schema import checked, look

_RETRY_SECONDS = 1.0


class PostgresEar:
    """The receiving side of NOTIFY, for asyncio, with the same use as `nudge.Ear`.

    While the server cannot be reached it hears nothing, and tries again as often as it is waited with.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._session: _Session | None = None
        self._tried = -_RETRY_SECONDS
        self._closed = False

    async def wait(self, seconds: float) -> bool:
        """Wait for an append, `seconds` at the most; whether one came, or may have. Several count as one."""
        ends = time.monotonic() + seconds
        while self._session is None:
            # A server that cannot be reached is tried now and then, however long the wait.
            now = time.monotonic()
            again = self._tried + _RETRY_SECONDS
            if now >= again:
                self._tried = now
                if await asyncio.to_thread(self._listen):
                    return True
            elif now >= ends:
                return False
            else:
                await asyncio.sleep(min(again, ends) - now)
        return await self._hear(self._session, ends)

    async def _hear(self, session: _Session, ends: float) -> bool:
        """Wait until something is heard or the time `ends` has come; whether something was."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(session.line, readable.set)
        try:
            async with asyncio.timeout(max(ends - time.monotonic(), 0.0)):
                while not self._heard(session):
                    await readable.wait()
                    readable.clear()
            return True
        except TimeoutError:
            return False
        finally:
            if session.line.fileno() >= 0:
                loop.remove_reader(session.line)
            if self._session is not session:
                session.close()

    def _heard(self, session: _Session) -> bool:
        """Whether anything was heard; a line that broke may have held something."""
        try:
            return bool(list(session.link.notifies(timeout=0)))
        except psycopg.Error:
            self._session = None
            return True

    def _listen(self) -> bool:
        """A new session that listens; what came before it may have been missed."""
        try:
            link, schema = connect(self._url, read_only=True)
        except LogError:
            return False
        try:
            with words(self._url), deadline(link, CONNECT_SECONDS):
                tables = checked(look(link, schema), schema, place_of(self._url))
                link.execute(f'LISTEN "{channel(tables.id)}"')
        except LogError:
            link.close()
            return False
        session = _Session(link, socket.socket(fileno=os.dup(link.fileno())))
        with self._lock:
            if not self._closed:
                self._session = session
                return True
        session.close()
        return False

    def close(self) -> None:
        """Let go of the session."""
        with self._lock:
            self._closed = True
            session, self._session = self._session, None
        if session is not None:
            session.close()


class _Session(NamedTuple):
    """A session that listens. libpq closes its socket when the line breaks; `line` stays until `close`."""

    link: Link
    line: socket.socket

    def close(self) -> None:
        self.link.close()
        self.line.close()
