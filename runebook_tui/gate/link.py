"""The server's way to the engine: a stream of records that never blocks."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable

from runebook_tui.gate.loop import GONE, READ, WRITE, Loop
from runebook_tui.gate.record import Record
from runebook_tui.gate.wire import frame

MOST_RECORDS = 20_000
_LINE_RECORDS = 500
_LINES_AHEAD = 64
_RETRY_SECONDS = 0.5


class Link:
    """Delivers records to the engine, in order, at least once, without ever waiting for it.

    It keeps 20,000 records at most: then the oldest that was not sent goes, and `dropped` counts it (a total
    that only grows). Records whose line had no reply when a connection broke are sent again. Their numbers
    go on after `last`.
    """

    def __init__(
        self, loop: Loop, path: str, agent: str, hello: Callable[[], dict[str, object]], last: int = 0
    ) -> None:
        self.dropped = 0
        self._loop = loop
        self._path = path
        self._agent = agent
        self._hello = hello
        self._count = last
        self._waiting: deque[Record] = deque()
        self._sent: deque[list[Record]] = deque()  # one list a line that waits for its reply
        self._sent_records = 0
        self._out = b""
        self._socket: socket.socket | None = None

    @property
    def delivered(self) -> bool:
        """Whether the engine has answered every line and nothing waits."""
        return self._socket is not None and not (self._waiting or self._sent or self._out)

    def attach(self) -> None:
        """Connect and say who we are, now and after every loss; until that works, records wait."""
        self._connect()

    def offer(self, record: Record) -> None:
        """Take one record over; `flush` sends it."""
        self._count += 1
        record["n"] = self._count
        self._waiting.append(record)
        if len(self._waiting) + self._sent_records > MOST_RECORDS:
            self._waiting.popleft()
            self.dropped += 1

    def flush(self) -> None:
        """Hand over to the socket what it takes now."""
        while self._socket is not None:
            if not self._out:
                if not self._waiting or len(self._sent) >= _LINES_AHEAD:
                    return
                self._next_line()
            try:
                taken = self._socket.send(self._out)
            except BlockingIOError:
                self._loop.watch(self._socket.fileno(), READ | WRITE, self._ready)
                return
            except OSError:
                self._lost()
                return
            self._out = self._out[taken:]

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._loop.forget(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _next_line(self) -> None:
        records = [self._waiting.popleft() for _ in range(min(_LINE_RECORDS, len(self._waiting)))]
        self._sent.append(records)
        self._sent_records += len(records)
        message = {"do": "writes", "agent": self._agent, "records": records, "dropped": self.dropped}
        self._out = frame(message)

    def _connect(self) -> None:
        candidate = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        candidate.setblocking(False)
        try:
            candidate.connect(self._path)
        except OSError:
            candidate.close()
            self._loop.later("connect", _RETRY_SECONDS, self._connect)
            return
        self._socket = candidate
        self._loop.watch(candidate.fileno(), READ, self._ready)
        self._sent.append([])
        self._out = frame(self._hello())
        self.flush()

    def _ready(self, events: int) -> None:
        if self._socket is None:
            return
        if events & (READ | GONE):
            try:
                answer = self._socket.recv(65536)
            except BlockingIOError:
                answer = b"-"
            except OSError:
                answer = b""
            if not answer:
                self._lost()
                return
            for _ in range(min(answer.count(b"\n"), len(self._sent))):
                self._sent_records -= len(self._sent.popleft())
        if events & WRITE:
            self._loop.watch(self._socket.fileno(), READ, self._ready)
        self.flush()

    def _lost(self) -> None:
        """The connection broke: what had no reply waits again, in order, and the attach is sent anew."""
        self.close()
        while self._sent:
            self._waiting.extendleft(reversed(self._sent.pop()))
        self._sent_records = 0
        self._out = b""
        self._loop.later("connect", _RETRY_SECONDS, self._connect)
