"""The server's way to the engine: records, questions and answers over a socket that never blocks."""

from __future__ import annotations

import json
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping

from runebook_tui import mark
from runebook_tui.gate.loop import GONE, READ, WRITE, Loop
from runebook_tui.gate.record import Record
from runebook_tui.gate.wire import MOST_BYTES, frame

MOST_RECORDS = 20_000
MOST_QUESTIONS = 1000
_LINE_RECORDS = 500
_LINES_AHEAD = 1024
_SEND_BUFFER = 1 << 20  # bytes; the kernel gives what it allows, often twice 208 KiB
_RETRY_SECONDS = 0.5
_PLAIN = b'{"ok":true}'  # the reply to records

Message = Mapping[str, object]
Take = Callable[[Message], None]


class _Line:
    """A line that was sent, or is to be: records, or a question whose reply `done` takes."""

    __slots__ = ("done", "lasting", "message", "records")

    def __init__(
        self, records: list[Record], message: Message | None, done: Take | None, *, lasting: bool
    ) -> None:
        self.records = records
        self.message = message
        self.done = done
        self.lasting = lasting


class Link:
    """Delivers records to the engine, in order, at least once, without ever waiting for it.

    It keeps 20,000 records at most: then the oldest that was not sent goes, and `dropped` counts it (a total
    that only grows). Records whose line had no reply when a connection broke are sent again. Their numbers
    go on after `last`. Questions overtake records. `attached` gets the reply to every attach, `pushed` what
    the engine says unasked; `connections` counts how often it was reached.
    """

    def __init__(
        self, loop: Loop, path: str, agent: str, hello: Callable[[], dict[str, object]], last: int = 0
    ) -> None:
        self.dropped = 0
        self.attached: Take | None = None
        self.connections = 0
        self.engine = 0
        """The process that was reached last, 0 before the first."""
        self.pushed: Take | None = None
        self._loop = loop
        self._path = path
        self._agent = agent
        self._hello = hello
        self._count = last
        self._waiting: deque[Record] = deque()
        self._questions: deque[_Line] = deque()
        self._sent: deque[_Line] = deque()  # lines that wait for their replies
        self._sent_records = 0
        self._out = b""
        self._in = bytearray()
        self._socket: socket.socket | None = None

    @property
    def connected(self) -> bool:
        """Whether the engine is there, as far as anybody knows."""
        return self._socket is not None

    @property
    def delivered(self) -> bool:
        """Whether the engine has answered every line and nothing waits."""
        waits = self._waiting or self._questions or self._sent or self._out
        return self._socket is not None and not waits

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

    def ask(self, message: dict[str, object], done: Take | None = None, *, lasting: bool = True) -> None:
        """Send one message soon; `done` takes the reply.

        A `lasting` message whose connection breaks before the reply is sent again, any other is forgotten. At
        most 1,000 wait; then the oldest goes.
        """
        message["agent"] = self._agent
        self._questions.append(_Line([], message, done, lasting=lasting))
        if len(self._questions) > MOST_QUESTIONS:
            self._questions.popleft()
        self.flush()

    def flush(self) -> None:
        """Hand over to the socket what it takes now."""
        while self._socket is not None:
            if not self._out and not self._next_line():
                return
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

    def _next_line(self) -> bool:
        if self._questions:
            line = self._questions.popleft()
            self._out = frame(dict(line.message or {}))
        elif self._waiting and len(self._sent) < _LINES_AHEAD:
            records = [self._waiting.popleft() for _ in range(min(_LINE_RECORDS, len(self._waiting)))]
            line = _Line(records, None, None, lasting=True)
            self._sent_records += len(records)
            message = {"do": "writes", "agent": self._agent, "records": records, "dropped": self.dropped}
            self._out = frame(message)
        else:
            return False
        self._sent.append(line)
        return True

    def _connect(self) -> None:
        candidate = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        candidate.setblocking(False)
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        try:
            candidate.connect(self._path)
            if not mark.leads(candidate.getsockopt):
                raise OSError("what answers there is an agent's process")
        except OSError:
            candidate.close()
            self._loop.later("connect", _RETRY_SECONDS, self._connect)
            return
        self._socket = candidate
        credentials = candidate.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        self.engine = struct.unpack("=iII", credentials)[0]
        self.connections += 1
        self._loop.watch(candidate.fileno(), READ, self._ready)
        self._sent.append(_Line([], None, self.attached, lasting=False))
        self._out = frame(self._hello())
        self.flush()

    def _ready(self, events: int) -> None:
        if self._socket is None:
            return
        if events & (READ | GONE):
            try:
                answer = self._socket.recv(65536)
            except BlockingIOError:
                answer = None
            except OSError:
                answer = b""
            if answer is not None:
                self._in += answer
                if not answer or len(self._in) > MOST_BYTES:
                    self._lost()
                    return
                self._read()
        if self._socket is None:
            return
        if events & WRITE:
            self._loop.watch(self._socket.fileno(), READ, self._ready)
        self.flush()

    def _read(self) -> None:
        """Take every whole line that has come."""
        lines = self._in.split(b"\n")
        self._in = lines.pop()
        for line in lines:
            if line == _PLAIN:
                self._take({})
                continue
            said: object = None
            with self._loop.guard:
                said = json.loads(line)
            message = said if isinstance(said, dict) else {}
            with self._loop.guard:
                self._take(message)

    def _take(self, message: Message) -> None:
        if "push" in message:
            if self.pushed is not None:
                self.pushed(message)
        elif self._sent:
            line = self._sent.popleft()
            self._sent_records -= len(line.records)
            if line.done is not None:
                line.done(message)

    def _lost(self) -> None:
        """The connection broke: what had no reply waits again, in order, and the attach is sent anew."""
        self.close()
        while self._sent:
            line = self._sent.pop()
            self._waiting.extendleft(reversed(line.records))
            if line.message is not None and line.lasting:
                self._questions.appendleft(line)
        self._questions = deque(line for line in self._questions if line.lasting)
        self._sent_records = 0
        self._out = b""
        self._in.clear()
        self._loop.later("connect", _RETRY_SECONDS, self._connect)
