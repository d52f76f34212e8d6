"""The way to the engine: one question for the front, a never-blocking stream of records for the server.

Frames are JSON objects, one a line, at most 4 MiB; every line gets one line in reply.
"""

from __future__ import annotations

import json
import socket
import time
from collections import deque
from collections.abc import Callable

from runebook_tui.gate.loop import GONE, READ, WRITE, Loop
from runebook_tui.gate.record import Record

MOST_BYTES = 4 << 20
MOST_RECORDS = 20_000
_LINE_RECORDS = 500
_LINES_AHEAD = 64
_RETRY_SECONDS = 0.5


class LinkError(Exception):
    """The engine cannot be reached, or what it says makes no sense; the words say which."""


class HungUp(LinkError):
    """The engine that we were connected to is gone."""


class Question:
    """A blocking connection to the engine for one request at a time."""

    def __init__(self, path: str, *, patience: float) -> None:
        """Connects, trying again for `patience` seconds. Raises LinkError."""
        end = time.monotonic() + patience
        while True:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(max(patience, 0.2))
            try:
                self._socket.connect(path)
                return
            except OSError as error:
                self._socket.close()
                if time.monotonic() >= end:
                    words = error.strerror or str(error)
                    raise LinkError(f"no engine answers at {path}: {words}") from error
                time.sleep(0.05)  # nothing announces a socket that does not exist yet

    def ask(self, request: dict[str, object], *, seconds: float) -> dict[str, object]:
        """Sends one request and returns the reply. Raises LinkError."""
        end = time.monotonic() + seconds
        answer = bytearray()
        try:
            self._socket.settimeout(seconds)
            self._socket.sendall(frame(request))
            while not answer.endswith(b"\n"):
                self._socket.settimeout(max(0.001, end - time.monotonic()))
                chunk = self._socket.recv(65536)
                if not chunk:
                    raise HungUp("the engine hung up without an answer")
                answer += chunk
                if len(answer) > MOST_BYTES:
                    raise LinkError("the engine's answer is longer than 4 MiB")
            reply = json.loads(answer)
        except TimeoutError as error:
            raise LinkError(f"the engine did not answer within {seconds:g} s") from error
        except OSError as error:
            raise HungUp(f"the engine hung up: {error.strerror or error}") from error
        except ValueError as error:
            raise LinkError(f"the engine's answer is not JSON: {error}") from error
        if not isinstance(reply, dict):
            raise LinkError("the engine's answer is not an object")
        return reply

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def frame(message: dict[str, object]) -> bytes:
    """One message as a line; lone surrogates (bytes that are not UTF-8) stay as escapes."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


class Link:
    """Delivers records to the engine, in order, at least once, without ever waiting for it.

    It keeps 20,000 records at most: then the oldest that was not sent goes, and `dropped` counts it (a total
    that only grows). Records whose line had no reply when a connection broke are sent again.
    """

    def __init__(self, loop: Loop, path: str, agent: str, hello: Callable[[], dict[str, object]]) -> None:
        self.dropped = 0
        self._loop = loop
        self._path = path
        self._agent = agent
        self._hello = hello
        self._count = 0
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
