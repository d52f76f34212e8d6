"""A git repository, and a watch over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from watch_play import Observer, Repository, Watching

from runebook_tui.git.ignore import Ignore
from runebook_tui.watch.tree import TreeWatch


@pytest.fixture(autouse=True)
def _own_git_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "tree")
    made.write("README.md")
    made.write(".gitignore", "build/\n*.log\n")
    made.commit()
    return made


@pytest.fixture
def ignore(repository: Repository) -> Iterator[Ignore]:
    made = Ignore(repository.root)
    yield made
    made.close()


@pytest.fixture
def watching() -> Watching:
    """`async with watching(root) as observer`: it sees; sweeps come only when asked for or needed."""

    @asynccontextmanager
    async def run(root: Path, *, sweep_seconds: float = 600.0) -> AsyncIterator[Observer]:
        own = Ignore(root)
        watch = TreeWatch(
            root, own, sweep_seconds=sweep_seconds, on_blind=lambda reason: observer.reasons.append(reason)
        )
        observer = Observer(watch)
        task = asyncio.create_task(observer.consume())
        try:
            await observer.until(lambda: task.done() or bool(observer.batches), "the first batch")
            yield observer
            if task.done():
                task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])
            own.close()

    return run
