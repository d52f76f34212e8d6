"""A scripted model on loopback: makes a coding agent edit its own and foreign files, and checks what came.

It speaks as much of the Chat Completions protocol (streamed) as opencode 1.18 uses.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.soak.wall import MOST_WORDS, Wall

AGENT = "tui"
FOREIGN_FILES = 24
CALLS_A_TURN = 24
THINK_SECONDS = 0.5
_FOREIGN_GAP = 6.0, 9.0
_OWN_FILES = 8
_OWN_BETWEEN = 2


class Call:
    """One tool call, and what must be true when its result comes."""

    def __init__(self, name: str, path: str, arguments: dict[str, str], text: str | None) -> None:
        self.name = name
        self.path = path
        self.arguments = arguments
        self.text = text
        """What the file holds afterwards; None for a call that only reads."""
        self.foreign = path.startswith("beta/")


class Script:
    """What the model says next. One conversation at a time."""

    def __init__(self, root: Path, seed: int) -> None:
        self.count: Counter[str] = Counter()
        self.faults: list[str] = []
        self.idle_since: float | None = time.monotonic()
        """When the model last ended its turn (monotonic seconds); None while it is at work."""
        self.heard = time.monotonic()
        """When the client last asked, monotonic seconds."""
        self._root = root
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._pending: Call | None = None
        self._planned: list[Call] = []
        self._calls = 0
        self._own_due = _OWN_BETWEEN
        self._foreign_due = time.monotonic() + _FOREIGN_GAP[1]

    def guard(self, wall: Wall) -> None:
        """Tell `wall` of every change of a foreign file from now on."""
        self._wall = wall

    def answer(self, message: dict[str, Any]) -> Call | None:
        """The next tool call after the conversation's last `message`, or None: the turn ends."""
        with self._lock:
            self.heard = time.monotonic()
            if self._pending is not None:
                self._check(self._pending, str(message.get("content", "")))
                self._pending = None
            if self._calls >= CALLS_A_TURN and not self._planned:
                self._calls, self.idle_since = 0, time.monotonic()
                self.count["turns"] += 1
                return None
            if not self._planned:
                self._planned = self._next()
            call = self._pending = self._planned.pop(0)
            self._calls += 1
            self.idle_since = None
            if call.foreign and call.text is not None:
                after = hashlib.sha256(call.text.encode()).hexdigest()
                self._wall.begin(AGENT, call.name, call.path, after)
            return call

    def _next(self) -> list[Call]:
        if time.monotonic() >= self._foreign_due and self.count["own"] >= self._own_due:
            self._foreign_due = time.monotonic() + self._random.uniform(*_FOREIGN_GAP)
            self._own_due = self.count["own"] + _OWN_BETWEEN
            self.count["foreign"] += 1
            return self._change(f"beta/t{self.count['foreign'] % FOREIGN_FILES}")
        self.count["own"] += 1
        return self._change(f"{AGENT}/own{self.count['own'] % _OWN_FILES}")

    def _change(self, path: str) -> list[Call]:
        file = self._root / path
        line = f"{self._random.getrandbits(64):016x}"
        text = f"{line}\nsecond line\n"
        if not file.exists():
            return [Call("write", path, {"filePath": str(file), "content": text}, text)]
        read = Call("read", path, {"filePath": str(file)}, None)
        way = self._random.choice(("write", "edit", "bash"))
        if way == "write":
            return [read, Call("write", path, {"filePath": str(file), "content": text}, text)]
        if way == "bash":
            command = f"printf '%s\\nsecond line\\n' {line} > {path}"
            return [Call("bash", path, {"command": command, "description": "Write it"}, text)]
        old = file.read_text().partition("\n")[0]
        edit = {"filePath": str(file), "oldString": old, "newString": line}
        return [read, Call("edit", path, edit, text)]

    def _check(self, call: Call, result: str) -> None:
        if call.text is None:
            return
        try:
            landed = (self._root / call.path).read_text() == call.text
        except FileNotFoundError:
            landed = False
        if call.foreign:
            self.count["loops"] += 1
            self._wall.end(call.path, ok=landed, words=result[:500])
            told = "runebook" in result or "EACCES" in result or "ermission denied" in result
            if not landed and not told:
                self._fault(f"the model was not told why {call.name} of {call.path} failed: {result[:300]}")
        elif landed:
            self.count["loops"] += 1
        else:
            self._fault(f"{call.name} of {call.path} did not land: {result[:300]}")

    def _fault(self, words: str) -> None:
        self.count["failures"] += 1
        if len(self.faults) < MOST_WORDS:
            self.faults.append(words)


class Model:
    """Serves a script on a free port of loopback until closed."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="model", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where the API begins."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        """Serve no more."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """The delta of a reply: one tool call, or a word."""
        if not request.get("tools"):
            return {"role": "assistant", "content": "A title"}
        self._ended.wait(THINK_SECONDS)
        call = self.script.answer(request["messages"][-1])
        if call is None:
            return {"role": "assistant", "content": "That is all for now."}
        function = {"name": call.name, "arguments": json.dumps(call.arguments)}
        number = f"call{time.monotonic_ns()}"
        return {
            "role": "assistant",
            "tool_calls": [{"index": 0, "id": number, "type": "function", "function": function}],
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body = streamed(model._reply(request))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *words: object) -> None:
                return

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error; others are told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def streamed(delta: dict[str, Any]) -> bytes:
    """A whole reply as server-sent events."""
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    finish = "tool_calls" if "tool_calls" in delta else "stop"
    lines = []
    for each, reason in ((delta, None), ({}, finish)):
        choice = {"index": 0, "delta": each, "finish_reason": reason}
        chunk = {"id": "soak", "object": "chat.completion.chunk", "created": 1, "model": "script"}
        lines.append(f"data: {json.dumps({**chunk, 'choices': [choice], 'usage': usage})}\n\n")
    return "".join([*lines, "data: [DONE]\n\n"]).encode()
