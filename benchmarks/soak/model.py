"""A scripted model on loopback: makes a coding agent edit its own and foreign files, and checks what came."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks.model import server, turns
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

    def answer(self, result: str) -> Call | None:
        """The next tool call after the last one's `result`, or None: the turn ends."""
        with self._lock:
            self.heard = time.monotonic()
            if self._pending is not None:
                self._check(self._pending, result)
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
        self._server = server.Model(self._answer)

    @property
    def address(self) -> str:
        """Where the API begins."""
        return f"{self._server.address}/v1"

    def close(self) -> None:
        """Serve no more."""
        self._ended.set()
        self._server.close()

    def _answer(self, asked: turns.Asked) -> turns.Say:
        if not asked.tools:
            return "A title"
        self._ended.wait(THINK_SECONDS)
        call = self.script.answer(asked.results[-1] if asked.results else "")
        return "That is all for now." if call is None else turns.Call(call.name, call.arguments)
