"""A running engine on a scratch repository: orders to an agent's pane, and what a follower sees."""

from __future__ import annotations

import asyncio
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import start
from benchmarks.scratch import Scratch
from benchmarks.writer import Note
from runebook_tui.core.events import CoordinationRequest, RequestGrew
from runebook_tui.core.state import State
from runebook_tui.core.types import Crossing
from runebook_tui.execution.client import EngineClient, EngineDown, EngineRefused
from runebook_tui.execution.follow import follow
from runebook_tui.log.eventlog import LogError
from runebook_tui.place import tmux_socket_name

DEADLINE = 120.0
PROGRAM = [sys.executable, "-P", "-m", "runebook_tui"]


class BenchmarkError(Exception):
    """Something did not come about, so that there is nothing to measure."""


class Seen(NamedTuple):
    """A crossing in the log: its content, when it was decided and when a follower had it (unix seconds)."""

    digest: str | None
    decided: float
    followed: float
    named: bool
    """Whether the request names its author for certain."""


class Follower:
    """Follows the log in a thread, as the TUI and `log --follow` do, and notes every crossing."""

    def __init__(self, root: Path) -> None:
        self.state = State()
        self.seen: dict[str, list[Seen]] = {}
        self._root = root
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._follow())
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(asyncio.gather(self._task, return_exceptions=True))
        finally:
            self._loop.close()

    async def _follow(self) -> None:
        async for update in follow(self._root):
            now = time.time()
            with self._changed:
                self.state = update.state
                for record in update.records:
                    if isinstance(record.event, CoordinationRequest | RequestGrew):
                        request = update.state.requests[record.event.request]
                        named = request.requester is not None
                        for crossing in record.event.crossings:
                            self._note(crossing, record.time, now, named)
                self._changed.notify_all()

    def _note(self, crossing: Crossing, decided: float, now: float, named: bool) -> None:
        digest = None if crossing.change is None else crossing.change.after.digest
        self.seen.setdefault(crossing.path, []).append(Seen(digest, decided, now, named))

    def until(self, holds: Callable[[], bool], patience: float = DEADLINE) -> bool:
        """Wait until `holds`; False when nothing at all was logged for `patience` seconds."""
        with self._changed:
            while not holds():
                if self._task.done() or not self._changed.wait(patience):
                    return holds()
        return True

    def close(self) -> None:
        """Stop following."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join()


class Session:
    """The engine (`runebook-tui run --keep`) with alpha's writer in its pane, ready to be told."""

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.root = scratch.root
        self._report = scratch.folder / "engine.out"
        self._orders = os.open(scratch.orders, os.O_RDWR)
        self._answers = os.open(scratch.answers, os.O_RDWR)
        self.follower: Follower | None = None
        self.engine: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Session:
        try:
            with self._report.open("wb") as report:
                self.engine = start(
                    [*PROGRAM, "run", "--keep"],
                    cwd=self.root, stdin=subprocess.DEVNULL, stdout=report, stderr=report,
                )  # fmt: skip
            self._answer()
            self.follower = Follower(self.root)
            if not self.follower.until(self._observed):
                raise BenchmarkError(f"the agents are not observed here: {self._words()}")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def log(self) -> Follower:
        """The follower of the log."""
        assert self.follower is not None
        return self.follower

    def start(self, do: str, **order: object) -> Path:
        """Have the writer begin; the path of the notes that it is going to write."""
        notes = self.scratch.folder / "notes.json"
        notes.unlink(missing_ok=True)
        file = self.scratch.folder / "order.json"
        file.write_text(json.dumps({"do": do, "notes": str(notes), **order}))
        os.write(self._orders, f"{file}\n".encode())
        return notes

    def finish(self, notes: Path, patience: float = DEADLINE) -> list[Note]:
        """What the writer noted, when it is done. Raises BenchmarkError after `patience` seconds."""
        self._answer(patience)
        return [
            (path, opened, begun, digest) for path, opened, begun, digest in json.loads(notes.read_text())
        ]

    def tell(self, do: str, **order: object) -> list[Note]:
        """Have the writer do something, and wait until it is done."""
        return self.finish(self.start(do, **order))

    def done(self) -> bool:
        """Whether the writer has answered."""
        return bool(select.select([self._answers], [], [], 0)[0])

    def reject_all(self) -> int:
        """Reject every open request, so that the next crossing opens a new one; how many there were."""
        with EngineClient(self.root) as engine:
            open_requests = [request.id for request in self.log.state.open_requests]
            for number in open_requests:
                try:
                    engine.ask("reject", request=number)
                except EngineRefused:
                    continue
        return len(open_requests)

    def _observed(self) -> bool:
        agents = self.log.state.agents.values()
        off = {"alpha"} if self.scratch.gate == "off" else set()
        return bool(agents) and all(agent.gate_holds is (agent.id not in off) for agent in agents)

    def _answer(self, patience: float = DEADLINE) -> None:
        deadline = time.monotonic() + patience
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if not select.select([self._answers], [], [], min(1.0, max(0.0, left)))[0]:
                if left <= 0 or self.engine is None or self.engine.poll() is not None:
                    raise BenchmarkError(f"the agent's pane does not answer: {self._words()}")
                continue
            line += os.read(self._answers, 1)

    def _words(self) -> str:
        return self._report.read_text(errors="replace").strip()[-2000:] or "the engine said nothing"

    def close(self) -> None:
        """End the engine, the panes and their tmux server."""
        try:
            self._down()
        finally:
            if self.follower is not None:
                self.follower.close()
            if self.engine is not None:
                self.engine.kill()
                self.engine.wait()
            subprocess.run(
                ["tmux", "-L", tmux_socket_name(self.root), "kill-server"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            )  # fmt: skip
            os.close(self._orders)
            os.close(self._answers)

    def _down(self) -> None:
        if self.engine is None:
            return
        try:
            with EngineClient(self.root) as engine:
                engine.ask("down")
            self.engine.wait(30)
        except (EngineDown, EngineRefused, TimeoutError, LogError, subprocess.TimeoutExpired):
            return


class RawWatch:
    """Raw watchfiles in a process of its own, on the same tree at the same time."""

    def __init__(self, scratch: Scratch, debounce: int, step: int) -> None:
        self._prefix = f"{scratch.root}/"
        self._file = scratch.folder / f"raw-{debounce}-{step}"
        with self._file.open("wb") as out:
            self.process = start(
                [sys.executable, "-I", str(Path(__file__).with_name("raw_watch.py")), str(scratch.root),
                 str(debounce), str(step)],
                stdin=subprocess.DEVNULL, stdout=out,
            )  # fmt: skip

    def size(self) -> int:
        """Bytes told so far: as long as it grows, more is coming."""
        return self._file.stat().st_size

    def seen(self) -> dict[str, list[float]]:
        """When each path was yielded (unix seconds), by path relative to the root."""
        found: dict[str, list[float]] = {}
        for line in self._file.read_text(errors="surrogateescape").splitlines(keepends=True):
            if line.endswith("\n"):
                when, paths = json.loads(line)
                for path in paths:
                    found.setdefault(path.removeprefix(self._prefix), []).append(when)
        return found

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def warm_up(session: Session, raws: Sequence[RawWatch]) -> None:
    """Write until the engine and every raw watcher have seen something: all of them watch then."""
    deadline = time.monotonic() + DEADLINE
    number = 0
    while True:
        path = f"beta/warm-{number}.py"
        session.tell("steady", paths=[path], gap=0.0)
        number += 1
        if not session.log.until(lambda path=path: path in session.log.seen, 5.0):  # type: ignore[misc]
            continue
        if all(raw.size() for raw in raws):
            return
        if time.monotonic() > deadline:
            raise BenchmarkError("a watcher never saw anything")
        time.sleep(0.2)
