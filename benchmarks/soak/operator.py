"""The scripted operator: answers every request through the engine's socket, yes and no by turns."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from benchmarks.session import Follower
from benchmarks.soak.notes import Note, NoteReader
from benchmarks.soak.wall import Wall
from runebook_tui.core.state import RequestState
from runebook_tui.core.types import RequestKind
from runebook_tui.execution.client import EngineClient, EngineDown, EngineRefused

_STEP_SECONDS = 0.05
_AUDIT_SECONDS = 1.0
_PATIENCE = 30.0


class Operator:
    """Reads the writer's notes, decides requests, and has the wall looked at once a second, in one thread."""

    def __init__(self, root: Path, log: Follower, wall: Wall, writer: NoteReader) -> None:
        self.failures: list[str] = []
        self.decided: dict[str, int] = {"approved": 0, "rejected": 0}
        self.crossed = 0
        """Requests about writes that had landed already."""
        self.own_rounds = 0
        self.opens: list[float] = []
        """Seconds of single opens since somebody took them."""
        self._root = root
        self._log = log
        self._wall = wall
        self._writer = writer
        self._seen: set[int] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="operator", daemon=True)
        self._thread.start()

    def take_opens(self) -> list[float]:
        """The seconds that opens took since the last call."""
        taken, self.opens = self.opens, []
        return taken

    def close(self) -> None:
        """Answer no more."""
        self._ended.set()
        self._thread.join(_PATIENCE)

    @property
    def alive(self) -> bool:
        """Whether it still answers."""
        return self._thread.is_alive()

    def _run(self) -> None:
        audit = time.monotonic()
        while not self._ended.is_set():
            self._log.until(lambda: self._ended.is_set() or bool(self._undecided()), _STEP_SECONDS)
            self._read()
            for request in self._undecided():
                self._decide(request)
            self._read()
            if time.monotonic() >= audit:
                self._wall.audit()
                audit = time.monotonic() + _AUDIT_SECONDS

    def _read(self) -> None:
        for note in self._writer.read():
            self._take(note)

    def _take(self, note: Note) -> None:
        if note["do"] == "own":
            self.own_rounds += 1
            self.opens += note["opens"]
            self.failures += note["failures"]
        elif note["do"] == "begin":
            self._wall.begin("writer", note["way"], note["path"], note["after"])
        else:
            self._wall.end(note["path"], ok=note["ok"], words=note["words"])

    def _undecided(self) -> list[RequestState]:
        return [each for each in self._log.state.open_requests if each.id not in self._seen]

    def _decide(self, request: RequestState) -> None:
        self._seen.add(request.id)
        if request.kind is RequestKind.CROSSED:
            self.crossed += 1
        approved = request.id % 2 == 0
        self._wall.audit()  # nothing may have landed before the answer
        self._wall.decide(request.id, request.paths, approved=approved)
        try:
            with EngineClient(self._root) as engine:
                engine.ask("approve" if approved else "reject", request=request.id, timeout=_PATIENCE)
        except EngineRefused as error:
            self.failures.append(f"request {request.id} could not be decided: {error}")
        except (EngineDown, TimeoutError) as error:
            if not self._ended.is_set():
                self.failures.append(f"the engine did not take a decision: {error!r}")
        else:
            self.decided["approved" if approved else "rejected"] += 1
