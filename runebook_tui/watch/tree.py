"""The live watch over one working tree: events, scans of new folders, and sweeps by git, as batches."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from runebook_tui.git.ignore import Ignore
from runebook_tui.git.process import Git, GitError
from runebook_tui.watch.backlog import Backlog, Batch
from runebook_tui.watch.blind import Blindness
from runebook_tui.watch.eye import Eye, Glimpse, News, Opened, Shut
from runebook_tui.watch.inotify import InotifyEye
from runebook_tui.watch.operation import Operations
from runebook_tui.watch.pending import Pending
from runebook_tui.watch.sight import Differences, Reading, Sight
from runebook_tui.watch.survey import Status, Survey

_SLOW = "watching is slow to begin: does a symbolic link lead to a very large folder?"

P = ParamSpec("P")
T = TypeVar("T")

_TICK = 0.5
_STALL = 1.0
_RESCAN = 0.25
_MANY = 2000
_SETTLED = 1.2
_RENEW = 10.0
_WORN = 20_000  # changes: watchfiles keeps about 200 bytes of every folder that it ever watched
_WORN_RENEW = 60.0
_RETRY = 0.02
_RETRY_MOST = 2.0
_SETUP = 15.0


class TreeWatch:
    """Watches the working tree whose top is `root`, once: one `batches()` per object.

    Sweeps come every `sweep_seconds`, slower where git takes long. `on_blind(reason)` is called in the event
    loop when sight is lost or the reason changes, `on_blind(None)` when it is back; sweeps go on meanwhile.
    """

    def __init__(
        self,
        root: Path,
        ignore: Ignore,
        *,
        sweep_seconds: float = 3.0,
        on_blind: Callable[[str | None], None],
    ) -> None:
        self._root = os.path.realpath(root)
        self._sweep_seconds = sweep_seconds
        self._blindness = Blindness(on_blind)
        self._operations = Operations(Git(self._root))
        self._sight = Sight(self._root, ignore)
        self._survey = Survey(self._root)
        self._threads = ThreadPoolExecutor(3, "watch")
        self._out = Backlog()
        self._news: deque[tuple[Eye, News]] = deque()
        self._woken = asyncio.Event()
        self._turn = asyncio.Lock()
        self._sweeping = asyncio.Lock()
        self._sweep_task: asyncio.Task[None] | None = None
        self._make_eye: type[Eye] = Eye
        self._eye: Eye | None = None
        self._opened: Eye | None = None
        self._pending = Pending(self._root, self._operations)
        self._rescans: deque[tuple[float, set[str]]] = deque()
        self._used = self._started = False
        self._setup_due = self._retry_at = float("inf")
        self._retries: deque[float] = deque(maxlen=8)
        self._sweep_at = float("inf")
        self._sweep_detail = "start"
        self._renewed = float("-inf")
        self._told = 0

    @property
    def blind_since(self) -> float | None:
        """When sight was lost (unix seconds), or None while the watch sees."""
        return self._blindness.since

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """What changes, from now on. The first batch, perhaps without paths, tells that the watch is open.

        A path may come again without a further change. Close the iterator (`contextlib.aclosing`) to stop.
        Raises RuntimeError when called twice.
        """
        if self._used:
            raise RuntimeError("a TreeWatch watches once")
        self._used = True
        run = asyncio.create_task(self._run(), name="watch")
        run.add_done_callback(lambda _: self._out.end())
        try:
            while (batch := await self._out.get()) is not None:
                yield batch
            await run
        finally:
            run.cancel()
            await asyncio.wait([run])
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def sweep(self) -> tuple[Batch, ...]:
        """Everything seen or found by git up to now that `batches()` has not handed out, in order.

        What is returned here does not come from `batches()` again: handle it as if it did. So, after that and
        after the batch that is perhaps being handled, nothing that happened before the call is left out.
        """
        self._receive_all()
        async with self._turn:
            flushed = await self._flush()
        found = await self._sweep("asked")
        return (*self._out.take(), *flushed, *found)

    # --- the loop -----------------------------------------------------------------------------------------

    async def _run(self) -> None:
        self._open()
        try:
            while True:
                now = time.monotonic()
                planned = max(now, min(self._next_due(), now + _TICK))
                await self._wait_until(planned)
                if time.monotonic() - planned > _STALL:
                    self._want_sweep("stall", 0.0)
                self._receive_all()
                await self._act(time.monotonic())
        finally:
            self._close()
            if self._sweep_task is not None:
                self._sweep_task.cancel()
                await asyncio.wait([self._sweep_task])

    async def _wait_until(self, planned: float) -> None:
        if not self._news:
            self._woken.clear()
            try:
                async with asyncio.timeout(max(0.0, planned - time.monotonic())):
                    await self._woken.wait()
            except TimeoutError:
                return

    def _next_due(self) -> float:
        due = min(self._retry_at, self._setup_due, self._pending.due())
        if self._sweep_task is None:
            due = min(due, self._sweep_at)
        if self._rescans:
            due = min(due, self._rescans[0][0])
        return due

    async def _act(self, now: float) -> None:
        if self._sweep_task is not None and self._sweep_task.done():
            self._sweep_task.result()
            self._sweep_task = None
        if now >= self._retry_at:
            self._reopen()
        if now >= self._setup_due:
            self._setup_due = float("inf")
            self._blindness.lose("watch", _SLOW)
        async with self._turn:
            if now >= self._pending.due():
                self._out.put(await self._flush())
            while self._rescans and now >= self._rescans[0][0]:
                self._out.put(await self._rescan(self._rescans.popleft()[1]))
        if now >= self._sweep_at and self._sweep_task is None:
            self._sweep_task = asyncio.create_task(self._sweep_by_itself(), name="watch-sweep")
            self._sweep_task.add_done_callback(lambda _: self._woken.set())

    async def _in_thread(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*arguments, **named))

    # --- the eye ------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._operations.find()
        folder = self._operations.folder
        below = folder.startswith(self._root + os.sep)
        extra = [folder] if folder and not below else []
        self._eye = self._make_eye(self._root, extra, self._tell)
        self._opened = None
        self._told = 0
        self._setup_due = time.monotonic() + _SETUP
        self._retry_at = float("inf")
        self._eye.open()

    def _close(self) -> None:
        if self._eye is not None:
            self._eye.close()
        self._eye = self._opened = None

    def _reopen(self) -> None:
        if os.path.isdir(self._root):
            self._close()
            self._open()
        else:
            self._retry_at = time.monotonic() + _RESCAN

    def _tell(self, eye: Eye, news: News) -> None:
        self._news.append((eye, news))
        self._woken.set()

    def _receive_all(self) -> None:
        while self._news:
            self._receive(*self._news.popleft())

    def _receive(self, eye: Eye, news: News) -> None:
        if eye is not self._eye:
            return
        match news:
            case Opened():
                self._opened = eye
                self._setup_due = float("inf")
                self._want_sweep("restart", 0.0)
            case Glimpse(changes, seen):
                self._told += len(changes)
                self._pending.add(changes, seen)
                if len(changes) > _MANY:
                    self._want_sweep("many changes", _SETTLED)
            case Shut(reason, by_name):
                self._close()
                if by_name and InotifyEye.is_available():
                    self._make_eye = InotifyEye
                self._setup_due = float("inf")
                self._blindness.lose("watch", reason)
                self._retry_at = time.monotonic() + self._patience()
                self._want_sweep("blind", 0.0)

    def _patience(self) -> float:
        """Seconds until the next try: soon after a lone failure, 2 s when there were many of late."""
        now = time.monotonic()
        recent = sum(1 for when in self._retries if now - when < 30.0)
        self._retries.append(now)
        return min(_RETRY * 2.0**recent, _RETRY_MOST)

    # --- events -------------------------------------------------------------------------------------------

    async def _flush(self) -> list[Batch]:
        burst = self._pending.burst()
        if burst is None:
            return []
        reading = await self._in_thread(self._sight.read, burst.changes)
        return self._batches_of(reading, burst.seen, burst.operation)

    async def _rescan(self, folders: set[str]) -> list[Batch]:
        reading = await self._in_thread(self._sight.rescan, folders)
        return self._batches_of(reading, time.time(), None)

    def _batches_of(self, reading: Reading, seen: float, operation: str | None) -> list[Batch]:
        if reading.folders:
            self._rescans.append((time.monotonic() + _RESCAN, reading.folders))
        paths = frozenset(reading.named | reading.scanned)
        if not paths:
            return []
        if operation is not None:
            return [Batch(paths, "git", operation, seen)]
        return [Batch(paths, "edit" if reading.named else "scan", "", seen)]

    # --- sweeps -------------------------------------------------------------------------------------------

    def _want_sweep(self, detail: str, delay: float) -> None:
        self._sweep_at = min(self._sweep_at, time.monotonic() + delay)
        if self._started:
            self._sweep_detail = detail

    async def _sweep_by_itself(self) -> None:
        detail, self._sweep_detail = self._sweep_detail, ""
        self._sweep_at = float("inf")
        self._out.put(await self._sweep(detail))

    async def _sweep(self, detail: str) -> list[Batch]:
        async with self._sweeping:
            eye, begun, seen = self._opened, time.monotonic(), time.time()
            try:
                status = await self._in_thread(self._survey.take)
            except GitError as error:
                self._blindness.lose("git", str(error))
                batches: list[Batch] = []
            else:
                batches = await self._compare(status, detail, seen)
                self._blindness.regain("git")
            if not self._started:
                self._started = True
                batches = batches or [Batch(frozenset(), "sweep", "start", seen)]
            if eye is not None and eye is self._opened:
                self._blindness.regain("watch")
            now = time.monotonic()
            pause = max(self._sweep_seconds, min(5 * (now - begun), 60.0))
            self._sweep_at = min(self._sweep_at, now + pause)
            return batches

    async def _compare(self, status: Status, detail: str, seen: float) -> list[Batch]:
        first = not self._started
        if first:
            detail = "start"
            await self._in_thread(self._sight.meet, status.arrived)
        differences = await self._in_thread(self._sight.compare, status)
        batches: list[Batch] = []
        if differences.moved:
            batches.append(Batch(frozenset(differences.moved), "git", self._operations.latest(), seen))
        if differences.found:
            batches.append(Batch(frozenset(differences.found), "sweep", detail, seen))
        if status.arrived and not first:
            batches += await self._rescan({prefix.rstrip("/") for prefix in status.arrived})
        if not first:
            self._renew_after(differences)
        return batches

    def _renew_after(self, differences: Differences) -> None:
        """Set the watch up again when it was silent about a change, since folders may have been lost to it.

        After very many changes, too: what it keeps of folders that are gone is given back by that alone.
        """
        now = time.monotonic()
        since = now - self._renewed
        wanted = since > _RENEW if differences.missed else self._told > _WORN and since > _WORN_RENEW
        if wanted and self._opened is not None:
            self._renewed = self._retry_at = now
            self._woken.set()
