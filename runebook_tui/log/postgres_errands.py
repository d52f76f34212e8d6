"""Errands in PostgreSQL: a small table beside the log, told on the log's channel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from runebook_tui.log.errands import MOST_WAITING, Errand, TooManyErrandsError
from runebook_tui.log.link import Link, connect, deadline, is_gone, place_of, words
from runebook_tui.log.postgres_append import channel
from runebook_tui.log.schema import checked, look

T = TypeVar("T")

_SECONDS = 10.0
"""How long one step may take: nobody waits much longer for an errand."""
_TELL = "SELECT pg_notify(%s, 'errand')"


class PostgresErrands:
    """An ErrandBox in the database at `url`; times are the server's. One thread at a time does something."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._channel = ""

    def put(self, errand: Errand, seconds: float) -> None:
        """See ErrandBox.put."""

        def put(link: Link) -> bool:
            link.execute("DELETE FROM errand WHERE until < clock_timestamp()")
            done = link.execute(
                "INSERT INTO errand (id, sender, host, question, until)"
                " SELECT %s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s)"
                " WHERE (SELECT count(*) FROM errand WHERE host = %s) < %s",
                (*errand, seconds, errand.host, MOST_WAITING),
            )
            link.execute(_TELL, (self._channel,))
            return done.rowcount == 1

        if not self._asked(put):
            raise TooManyErrandsError(f"too many errands wait for host {errand.host}")

    def take(self, host: str) -> list[Errand]:
        """See ErrandBox.take."""

        def take(link: Link) -> list[Errand]:
            rows = link.execute(
                "UPDATE errand SET taken = true WHERE host = %s AND NOT taken AND until > clock_timestamp()"
                " RETURNING id, sender, host, question, left_at",
                (host,),
            ).fetchall()
            return [Errand(*row[:4]) for row in sorted(rows, key=lambda row: row[4])]

        return self._asked(take)

    def answer(self, errand: str, answer: str) -> None:
        """See ErrandBox.answer."""

        def leave(link: Link) -> None:
            link.execute("UPDATE errand SET answer = %s WHERE id = %s", (answer, errand))
            link.execute(_TELL, (self._channel,))

        self._asked(leave)

    def collect(self, errand: str) -> str | None:
        """See ErrandBox.collect."""
        row = self._asked(
            lambda link: link.execute(
                "DELETE FROM errand WHERE id = %s AND answer IS NOT NULL RETURNING answer", (errand,)
            ).fetchone()
        )
        return None if row is None else str(row[0])

    def withdraw(self, errand: str) -> None:
        """See ErrandBox.withdraw."""
        self._asked(lambda link: link.execute("DELETE FROM errand WHERE id = %s", (errand,)))

    def close(self) -> None:
        """See ErrandBox.close."""
        with self._lock:
            if self._link is not None:
                self._link.close()

    def _linked(self) -> Link:
        if self._link is None or self._link.closed:
            link, schema = connect(self._url)
            try:
                with words(self._url), deadline(link, _SECONDS):
                    tables = checked(look(link, schema), schema, place_of(self._url))
            except BaseException:
                link.close()
                raise
            self._link, self._channel = link, channel(tables.id)
        return self._link

    def _asked(self, step: Callable[[Link], T]) -> T:
        """One step, in a transaction; on a new session when the old one is found broken."""
        with self._lock:
            for last in (False, True):
                link = self._linked()
                try:
                    with words(self._url), deadline(link, _SECONDS), link.transaction():
                        return step(link)
                except BaseException as error:
                    if last or not is_gone(link, error):
                        raise
                    link.close()
        raise AssertionError("the last try returns or raises")
