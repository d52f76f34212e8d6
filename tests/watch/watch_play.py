"""What the tests of the watch play with: a git repository, and an observer whose batches can be awaited."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path

from runebook_tui.watch.backlog import Batch
from runebook_tui.watch.tree import TreeWatch

DEADLINE = 60.0


class Repository:
    """A git repository in a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, at: Path | None = None) -> str:
        command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", *arguments]
        return subprocess.run(
            command, cwd=at or self.root, check=True, capture_output=True, text=True, errors="replace"
        ).stdout

    def write(self, path: str, text: str = "text\n") -> Path:
        place = Path(os.path.join(self.root, path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def write_bytes(self, path: bytes) -> str:
        """Write to a file with any name; the path as the watch reports it."""
        place = os.path.join(os.fsencode(self.root), path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "ab") as file:
            file.write(b"x")
        return os.fsdecode(path)

    def commit(self, message: str = "all") -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)


class Observer:
    """Collects what one TreeWatch says, and waits for it."""

    def __init__(self, watch: TreeWatch) -> None:
        self.watch = watch
        self.batches: list[Batch] = []
        self.reasons: list[str | None] = []
        self.changed = asyncio.Condition()

    async def consume(self) -> None:
        async with aclosing(self.watch.batches()) as batches:
            async for batch in batches:
                await self.take([batch])

    async def take(self, batches: Iterable[Batch]) -> None:
        async with self.changed:
            self.batches.extend(batches)
            self.changed.notify_all()

    @property
    def paths(self) -> set[str]:
        return {path for batch in self.batches for path in batch.paths}

    def of(self, path: str) -> list[Batch]:
        return [batch for batch in self.batches if path in batch.paths]

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until `holds`, looking again at each batch and at least twice a second."""
        deadline = time.monotonic() + DEADLINE
        while not holds():
            assert time.monotonic() < deadline, f"in vain: {what}"
            async with self.changed:
                try:
                    async with asyncio.timeout(0.5):
                        await self.changed.wait()
                except TimeoutError:
                    continue

    async def reports(self, expected: Iterable[str]) -> None:
        wanted = set(expected)
        await self.until(lambda: wanted <= self.paths, f"{len(wanted)} paths")

    async def sweeps(self) -> tuple[Batch, ...]:
        """An asked sweep; its batches are collected like the others."""
        found = await self.watch.sweep()
        await self.take(found)
        return found

    async def settles(self) -> None:
        """Ask for sweeps until one has nothing to say."""
        while await self.sweeps():
            pass

    def forget(self) -> None:
        self.batches.clear()


Watching = Callable[..., AbstractAsyncContextManager[Observer]]
