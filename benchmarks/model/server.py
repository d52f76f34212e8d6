"""The server: one free port of loopback, on which every protocol is spoken at its own address.

It is a proxy that refuses, too: a client that is told to use it for everything else never waits for a host
that it cannot reach, and whom it wanted is known.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Protocol
from urllib.parse import urlsplit

from benchmarks.model import chat, contents, messages, responses
from benchmarks.model.turns import Answer, Asked, Say


class _Speech(Protocol):
    """One protocol's module."""

    read: Callable[[Mapping[str, Any]], Asked]

    def write(self, say: Say, number: int, *, streamed: bool) -> bytes: ...


class Model:
    """Serves what `answer` says until closed; `answer` runs in a thread of its own for each request."""

    def __init__(self, answer: Answer) -> None:
        self.strangers: list[str] = []
        """What clients wanted besides: other hosts, and addresses of this server that it does not know."""
        self._answer = answer
        self._numbers = count(1)
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="model", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    def reply(self, address: str, body: Mapping[str, Any]) -> tuple[bytes, bool] | None:
        """The answer to a request and whether it is streamed; None when nothing is known at `address`."""
        path = urlsplit(address).path
        name, _, verb = path.rpartition("/")[2].partition(":")
        if name == "count_tokens":
            return b'{"input_tokens": 10}', False
        if verb == "countTokens":
            return b'{"totalTokens": 10}', False
        speech: _Speech | None = {
            "messages": messages,
            "responses": responses,
            "completions": chat,
        }.get(name)
        if verb in ("generateContent", "streamGenerateContent"):
            speech = contents
        if speech is None:
            return None
        asked = speech.read(body)
        if verb:
            asked = replace(asked, streamed=verb == "streamGenerateContent")
        say = self._answer(asked)
        return speech.write(say, next(self._numbers), streamed=asked.streamed), asked.streamed

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                given = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = None
                if self.path.startswith("/"):
                    answer = model.reply(self.path, json.loads(given or b"{}"))
                if answer is None:
                    self._refuse()
                    return
                body, streamed = answer
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream" if streamed else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _refuse(self) -> None:
                model.strangers.append(f"{self.command} {self.path}")
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()

            do_GET = do_HEAD = do_PUT = do_CONNECT = _refuse

            def log_message(self, format: str, *words: object) -> None:
                return

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error; others are told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
