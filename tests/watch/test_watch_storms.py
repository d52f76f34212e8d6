"""Storms of writes in which watchfiles alone misses files: here none may be missed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from watch_play import DEADLINE, Repository, Watching

from runebook_tui.watch.tree import TreeWatch


def pairs(root: Path, gap: float, depth: int) -> list[str]:
    """300 folders `depth` levels deep, a file written into each as soon as it is there."""
    pause, made = Event(), []
    for number in range(300):
        folder = "/".join([f"new{number}", *(f"level{level}" for level in range(1, depth))])
        os.makedirs(root / folder)
        (root / folder / "file").write_text("x")
        made.append(f"{folder}/file")
        if gap:
            pause.wait(gap)
    return made


@pytest.mark.parametrize("gap", [0.0, 0.003])
@pytest.mark.parametrize("depth", [1, 3])
async def test_files_in_just_made_folders_are_all_reported(
    repository: Repository, watching: Watching, gap: float, depth: int
) -> None:
    async with watching(repository.root) as observer:
        made = await asyncio.to_thread(pairs, repository.root, gap, depth)
        await observer.reports(made)
        assert {batch.cause for batch in observer.batches[1:]} <= {"edit", "scan"}


async def test_a_copied_tree_is_reported_in_full(
    repository: Repository, watching: Watching, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    for number in range(2000):
        place = source / f"a{number % 10}" / f"b{number % 100}" / f"file{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x")
    expected = [f"copy/{path.relative_to(source)}" for path in source.rglob("file*")]
    assert len(expected) == 2000
    async with watching(repository.root) as observer:
        await asyncio.to_thread(subprocess.run, ["cp", "-r", source, repository.root / "copy"], check=True)
        await observer.reports(expected)
        assert not [batch for batch in observer.batches[1:] if batch.cause == "sweep"]


async def test_a_checkout_is_reported_in_full_with_its_name(
    repository: Repository, watching: Watching
) -> None:
    for number in range(500):
        repository.write(f"src/d{number % 20}/file{number}", "before\n")
    repository.commit()
    repository.git("checkout", "-q", "-b", "topic")
    for number in range(500):
        repository.write(f"src/d{number % 20}/file{number}", "after, longer\n")
    for number in range(40):
        repository.write(f"fresh{number}/deep/file", "new\n")
    repository.commit()
    expected = [f"src/d{number % 20}/file{number}" for number in range(500)]
    expected += [f"fresh{number}/deep/file" for number in range(40)]
    repository.git("checkout", "-q", "main")
    async with watching(repository.root) as observer:
        await asyncio.to_thread(repository.git, "checkout", "-q", "topic")
        await observer.reports(expected)
        causes = {batch.cause for batch in observer.batches[1:] if len(batch.paths) > 50}
        assert causes == {"git"}
        assert "checkout main → topic" in {batch.detail for batch in observer.batches}
        observer.forget()
        await asyncio.to_thread(repository.git, "checkout", "-q", "main")
        await observer.reports(expected)


async def test_a_work_tree_added_below_the_root_is_reported_in_full(
    repository: Repository, watching: Watching
) -> None:
    names = [f"src/d{number % 50}/file{number}" for number in range(1000)]
    for name in names:
        repository.write(name)
    repository.commit()
    async with watching(repository.root) as observer:
        await asyncio.to_thread(repository.git, "worktree", "add", "-q", "trees/one")
        await observer.reports(f"trees/one/{name}" for name in names)
        await observer.settles()
        observer.forget()
        # edits, commits and the end of the inner work tree are seen, too
        (repository.root / "trees/one/src/d0/file0").write_text("changed\n")
        await observer.reports(["trees/one/src/d0/file0"])
        await asyncio.to_thread(repository.git, "worktree", "remove", "--force", "trees/one")
        await observer.reports(f"trees/one/{name}" for name in names)
        assert not [path for path in observer.paths if ".git" in path.split("/")]


async def test_a_renamed_folder_reports_its_files_at_both_places(
    repository: Repository, watching: Watching, tmp_path: Path
) -> None:
    names = [f"deep/d{number % 5}/file{number}" for number in range(100)]
    for name in names:
        repository.write(f"old/{name}")
    repository.commit()
    repository.write("old/deep/untracked")
    names.append("deep/untracked")
    async with watching(repository.root) as observer:
        (repository.root / "old").rename(repository.root / "new")
        await observer.reports([f"{top}/{name}" for top in ("old", "new") for name in names])
        observer.forget()
        (repository.root / "new").rename(tmp_path / "outside")
        await observer.reports([f"new/{name}" for name in names])
        observer.forget()
        (tmp_path / "outside").rename(repository.root / "back")
        await observer.reports([f"back/{name}" for name in names])
        observer.forget()
        shutil.rmtree(repository.root / "back")
        await observer.reports([f"back/{name}" for name in names])


PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from runebook_tui.git.ignore import Ignore
from runebook_tui.watch.tree import TreeWatch
async def main():
    root = Path(sys.argv[1])
    watch = TreeWatch(root, Ignore(root), sweep_seconds=600, on_blind=lambda reason: None)
    async for batch in watch.batches():
        print(json.dumps([batch.cause, batch.detail, sorted(batch.paths)]), flush=True)
asyncio.run(main())
"""


def state_of(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline
        Event().wait(0.01)


@pytest.mark.skipif(not Path("/proc/sys/fs/inotify").is_dir(), reason="needs inotify")
def test_a_queue_that_overflows_while_the_watcher_is_stopped_loses_nothing(repository: Repository) -> None:
    root = repository.root
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 20_000:
        pytest.skip(f"the kernel queues {limit} events")
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(root)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == ["sweep", "start", []]
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: state_of(process.pid) == "T")
        stopped = time.monotonic()
        expected = set()
        for number in range(limit // 2):
            repository.write(f"many/d{number % 40}/file{number}")
            expected.add(f"many/d{number % 40}/file{number}")
        # a queue takes the first events, so the folder made last is surely not among them
        repository.write("last/file")
        expected.add("last/file")
        wait_for(lambda: time.monotonic() - stopped > 2.5)
        process.send_signal(signal.SIGCONT)
        while expected:
            expected -= set(json.loads(process.stdout.readline())[2])
    finally:
        process.kill()
        process.communicate()


async def test_a_watch_is_opened_anew_after_very_many_changes_and_misses_nothing(
    repository: Repository, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runebook_tui.watch.tree._WORN", 200)
    monkeypatch.setattr("runebook_tui.watch.tree._WORN_RENEW", 0.0)
    opened, again = 0, asyncio.Event()
    real = TreeWatch._open

    def open_and_count(watch: TreeWatch) -> None:
        nonlocal opened
        opened += 1
        if opened > 1:
            again.set()
        real(watch)

    monkeypatch.setattr(TreeWatch, "_open", open_and_count)
    async with watching(repository.root) as observer:
        made = await asyncio.to_thread(pairs, repository.root, 0.0, 1)
        await observer.reports(made)
        await observer.watch.sweep()
        async with asyncio.timeout(DEADLINE):
            await again.wait()
        repository.write("last")
        await observer.reports(["last"])
    assert observer.reasons in ([], [None])
