"""The session of a log in PostgreSQL: made anew when it breaks, with the leases that it held."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

import psycopg

from runebook_tui.log import link as links
from runebook_tui.log import occupancy
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.lease import Lease
from runebook_tui.log.link import QUICK_SECONDS, Link, connect, is_gone, place_of
from runebook_tui.log.schema import Tables, checked, look

PAUSE_SECONDS = 5.0
"""So long a server is left alone that was silent when it was last asked for a connection."""
_SLOW_SECONDS = 1.0

T = TypeVar("T")


class Session:
    """A session on the log at `url`; one thread at a time uses it. Raises LogError when there is no log."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._url = url
        self._read_only = read_only
        self.lock = threading.RLock()
        self.leases: dict[str, Lease] = {}
        """What this session holds, by host, and a new one takes again."""
        self._link: Link | None = None
        self._closed = False
        self._away: tuple[float, LogError] | None = None
        self._known: Tables | None = None
        self.schema = ""
        self.linked()

    @property
    def tables(self) -> Tables:
        """Which log it is: the same for as long as this object lives."""
        assert self._known is not None
        return self._known

    @property
    def place(self) -> str:
        """Where the log is, for people."""
        return place_of(self._url)

    def words(self) -> AbstractContextManager[None]:
        """PostgreSQL's errors as LogError, in words."""
        return links.words(self._url)

    def linked(self) -> Link:
        """The connection, made anew when the last one broke. Raises LogError, LeaseTaken."""
        if self._link is not None and not self._link.closed:
            return self._link
        if self._closed:
            raise LogError("the log is closed")
        began = time.monotonic()
        if self._away is not None and began < self._away[0]:
            raise self._away[1]
        try:
            link, self.schema = connect(self._url, read_only=self._read_only)
        except LogError as error:
            # A server that is silent would hold up whoever asks next for as long again.
            ended = time.monotonic()
            self._away = (ended + PAUSE_SECONDS, error) if ended > began + _SLOW_SECONDS else None
            raise
        try:
            with self.words(), links.deadline(link):
                tables = checked(look(link, self.schema), self.schema, self.place)
                if self._known is not None and tables.id != self._known.id:
                    raise LogError(f"the log in {self.place} is another one than before")
                for lease in self.leases.values():
                    occupancy.take(link, tables.id, lease)
        except BaseException:
            link.close()
            raise
        self._link, self._known = link, tables
        return link

    def ask(self, question: Callable[[Link], T], seconds: float = QUICK_SECONDS) -> T:
        """The answer, within `seconds`, to what may be asked twice; a broken connection is made anew."""
        with self.lock:
            for last in (False, True):
                link = self.linked()
                try:
                    with self.words():
                        try:
                            with links.deadline(link, seconds):
                                return question(link)
                        except psycopg.Error as error:
                            if is_gone(link, error):
                                link.close()
                                if not last:
                                    continue
                            raise
                except BaseException:
                    self.abort(link)
                    raise
        raise AssertionError("the last try returns or raises")

    def abort(self, link: Link) -> None:
        """End the transaction that an error left open."""
        if link.closed or link.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            return
        try:
            link.rollback()
        except psycopg.Error:
            link.close()

    def close(self) -> None:
        """Let go of it."""
        with self.lock:
            self._closed = True
            if self._link is not None:
                self._link.close()
