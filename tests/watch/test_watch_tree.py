"""What the live watch reports, what it keeps quiet about, and how it comes back when it went blind."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from watch_play import Repository, Watching

from runebook_tui.git.ignore import Ignore
from runebook_tui.watch.tree import TreeWatch

NOT_UTF8 = b"caf\xe9"


async def test_the_first_batch_holds_what_was_changed_before(
    repository: Repository, watching: Watching
) -> None:
    repository.write("README.md", "changed\n")
    repository.write("new/file")
    repository.write("build/output")
    async with watching(repository.root) as observer:
        first = observer.batches[0]
        assert (first.paths, first.cause, first.detail) == ({"README.md", "new/file"}, "sweep", "start")
        assert await observer.sweeps() == ()
        assert observer.watch.blind_since is None


async def test_edits_removals_and_modes_are_reported(repository: Repository, watching: Watching) -> None:
    repository.write("gone")
    repository.write("mode")
    repository.commit()
    async with watching(repository.root) as observer:
        repository.write("README.md", "changed\n")
        await observer.reports(["README.md"])
        (repository.root / "gone").unlink()
        await observer.reports(["gone"])
        (repository.root / "mode").chmod(0o755)
        await observer.reports(["mode"])
        repository.write("one\ntwo")
        repository.write("app/[slug]/" + "n" * 250)
        await observer.reports(["one\ntwo", "app/[slug]/" + "n" * 250])
        assert all(batch.cause in ("edit", "scan") for batch in observer.batches[1:])
        assert await observer.sweeps() == ()


async def test_ignored_output_is_silent(repository: Repository, watching: Watching) -> None:
    async with watching(repository.root) as observer:
        for number in range(200):
            repository.write(f"build/deep{number}/file")
            repository.write(f"src/{number}.log")
            repository.write(f"src/__pycache__/{number}.pyc")
            repository.write(f".runebook/{number}")
        repository.write("src/end")
        await observer.reports(["src/end"])
        await observer.settles()
        assert observer.paths == {"src/end"}


async def test_a_tracked_file_in_an_ignored_folder_is_reported(
    repository: Repository, watching: Watching
) -> None:
    repository.write("build/kept")
    repository.git("add", "-f", "build/kept")
    repository.commit()
    async with watching(repository.root) as observer:
        repository.write("build/kept", "changed\n")
        await observer.reports(["build/kept"])


async def test_an_atomic_save_reports_its_target_only(repository: Repository, watching: Watching) -> None:
    async with watching(repository.root) as observer:
        for number in range(20):
            swap = repository.write(f".README.md.{number}.swp", f"version {number}\n")
            swap.rename(repository.root / "README.md")
            await observer.until(lambda: bool(observer.of("README.md")), "the target")
            observer.forget()
        repository.write("end")
        await observer.reports(["end"])
        await observer.settles()
        assert observer.paths <= {"README.md", "end"}


async def test_symbolic_links_are_paths_of_their_own(
    repository: Repository, watching: Watching, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repository.root / "before").symlink_to(outside)
    async with watching(repository.root) as observer:
        (repository.root / "link").symlink_to(outside)
        (repository.root / "dangling").symlink_to("nowhere")
        await observer.reports(["link", "dangling"])
        (outside / "file").write_text("x")
        repository.write("end")
        await observer.reports(["end"])
        await observer.settles()
        assert observer.paths == {"before", "link", "dangling", "end"}


async def test_a_name_that_is_not_utf8_is_reported_and_ends_nothing(
    repository: Repository, watching: Watching
) -> None:
    async with watching(repository.root) as observer:
        for number in range(3):
            odd = repository.write_bytes(NOT_UTF8 + b"%d" % number)
            repository.write(f"after{number}")
            await observer.reports([odd, f"after{number}"])
        inner = repository.write_bytes(NOT_UTF8 + b"/deep/" + NOT_UTF8)
        await observer.reports([inner])
        await observer.until(lambda: observer.watch.blind_since is None, "sight")
        assert observer.reasons == ["a file name that is not UTF-8 stopped the watcher", None]
        await observer.settles()
        observer.forget()
        repository.write_bytes(NOT_UTF8 + b"/deep/" + NOT_UTF8)
        await observer.reports([inner])
        assert {batch.cause for batch in observer.batches} == {"edit"}


async def test_with_a_folder_that_is_not_utf8_storms_are_seen_as_well(
    repository: Repository, watching: Watching, tmp_path: Path
) -> None:
    repository.write_bytes(NOT_UTF8 + b"/file")
    async with watching(repository.root) as observer:
        await observer.until(lambda: None in observer.reasons, "sight")
        made = [repository.write(f"new{number}/deep/file") for number in range(200)]
        await observer.reports(str(path.relative_to(repository.root)) for path in made)
        (repository.root / "new0").rename(repository.root / "moved")
        await observer.reports(["moved/deep/file"])
        observer.forget()
        repository.write("moved/deep/file", "changed\n")
        await observer.reports(["moved/deep/file"])
        assert observer.reasons[-1] is None
        (repository.root / "link").symlink_to(tmp_path)
        (repository.root / "moved/deep/file").unlink()
        await observer.reports(["link"])
        assert {batch.cause for batch in observer.batches} <= {"edit", "scan"}


async def test_a_root_that_comes_back_is_watched_again(
    repository: Repository, watching: Watching, tmp_path: Path
) -> None:
    root = repository.root
    async with watching(root) as observer:
        root.rename(tmp_path / "moved")
        await observer.until(lambda: observer.watch.blind_since is not None, "blindness")
        assert "removed or replaced" in str(observer.reasons[0])
        shutil.copytree(tmp_path / "moved", root)
        (root / "meanwhile").write_text("x")
        await observer.until(lambda: observer.watch.blind_since is None, "sight")
        await observer.reports(["meanwhile"])
        observer.forget()
        (root / "README.md").write_text("changed again\n")
        (root / "ignored.log").write_text("x")
        await observer.reports(["README.md"])
        assert observer.of("README.md")[0].cause == "edit"
        await observer.settles()
        assert observer.paths <= {"README.md", "meanwhile"}


async def test_without_git_events_go_on_and_the_reason_is_told(tmp_path: Path, watching: Watching) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    async with watching(root) as observer:
        await observer.until(lambda: observer.watch.blind_since is not None, "blindness")
        assert observer.reasons == ["not the top of a git work tree"]
        (root / "file").write_text("x")
        await observer.reports(["file"])
        await asyncio.to_thread(Repository, root)
        await observer.sweeps()
        assert observer.watch.blind_since is None


async def test_a_commit_is_told_once_and_then_all_is_quiet(
    repository: Repository, watching: Watching
) -> None:
    async with watching(repository.root) as observer:
        repository.write("README.md", "changed\n")
        repository.write("new")
        await observer.reports(["README.md", "new"])
        await observer.settles()
        observer.forget()
        await asyncio.to_thread(repository.commit, "told\x1b[31m")
        await observer.settles()
        [batch] = observer.batches
        assert (batch.paths, batch.cause) == ({"README.md", "new"}, "git")
        assert batch.detail.startswith("commit: told")
        assert batch.detail.isprintable()


async def test_an_edit_that_was_committed_at_once_is_found(
    repository: Repository, watching: Watching
) -> None:
    async with watching(repository.root) as observer:
        other = repository.root.parent / "other"
        await asyncio.to_thread(repository.git, "worktree", "add", "-q", "-b", "side", str(other))
        (other / "README.md").write_text("side\n")
        await asyncio.to_thread(repository.git, "commit", "-q", "-am", "side", at=other)
        await asyncio.to_thread(repository.git, "merge", "-q", "--ff-only", "side")
        await observer.reports(["README.md"])
        await observer.settles()
        assert [batch.cause for batch in observer.of("README.md")] == ["git"]
        assert observer.of("README.md")[0].detail == "merge side: Fast-forward"


async def test_a_linked_work_tree_sees_its_own_git_operations(
    repository: Repository, watching: Watching
) -> None:
    repository.git("checkout", "-q", "-b", "topic")
    names = [f"file{number}" for number in range(50)]
    for name in names:
        repository.write(name)
    repository.commit()
    repository.git("checkout", "-q", "main")
    other = repository.root.parent / "other"
    repository.git("worktree", "add", "-q", "-b", "side", str(other))
    async with watching(other) as observer:
        await asyncio.to_thread(repository.git, "merge", "-q", "--ff-only", "topic", at=other)
        await observer.reports(names)
        assert "merge topic: Fast-forward" in {batch.detail for batch in observer.batches}


async def test_an_edit_beside_a_commit_stays_an_edit(repository: Repository, watching: Watching) -> None:
    async with watching(repository.root) as observer:
        repository.write("staged")
        await observer.reports(["staged"])
        await asyncio.to_thread(repository.commit)
        repository.write("README.md", "changed\n")
        await observer.reports(["README.md"])
        assert observer.of("README.md")[0].cause == "edit"


async def test_a_crashed_git_does_not_hold_the_watch_up(repository: Repository, watching: Watching) -> None:
    (repository.root / ".git/index.lock").touch()
    async with watching(repository.root) as observer:
        repository.write("README.md", "changed\n")
        await observer.reports(["README.md"])
        await observer.settles()
        assert observer.watch.blind_since is None


async def test_sweeps_come_by_themselves(repository: Repository, watching: Watching, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    os.link(repository.root / "README.md", outside)
    async with watching(repository.root, sweep_seconds=0.2) as observer:
        # a write by an outside hard link is an event of no folder of the tree
        outside.write_text("changed from elsewhere\n")
        await observer.reports(["README.md"])
        assert observer.of("README.md")[0].cause == "sweep"


async def test_an_asked_sweep_leaves_nothing_out(repository: Repository, watching: Watching) -> None:
    async with watching(repository.root) as observer:
        for number in range(20):
            repository.write(f"new{number}/file")
            await observer.sweeps()
            assert f"new{number}/file" in observer.paths


async def test_a_watch_is_used_once_and_ends_cleanly(repository: Repository, ignore: Ignore) -> None:
    watch = TreeWatch(repository.root, ignore, on_blind=lambda reason: None)
    batches = watch.batches()
    assert (await anext(batches)).detail == "start"
    await batches.aclose()
    with pytest.raises(RuntimeError, match="watches once"):
        await anext(watch.batches())


LIMITED = """
import asyncio, sys
from pathlib import Path
from runebook_tui.git.ignore import Ignore
from runebook_tui.watch.tree import TreeWatch
async def main():
    root, reasons = Path(sys.argv[1]), []
    watch = TreeWatch(root, Ignore(root), sweep_seconds=0.2, on_blind=reasons.append)
    async for batch in watch.batches():
        if batch.detail == "start":
            (root / "unseen").write_text("x")
        if "unseen" in batch.paths:
            print(batch.cause, watch.blind_since is not None, reasons[0])
            return
asyncio.run(main())
"""


def test_at_the_watch_limit_sweeps_go_on_and_the_way_out_is_told(repository: Repository) -> None:
    for number in range(40):
        repository.write(f"d{number}/file")
    limited = 'echo 10 > /proc/sys/user/max_inotify_watches && exec "$@"'
    command = [
        "unshare",
        "-Ur",
        "sh",
        "-c",
        limited,
        "sh",
        sys.executable,
        "-c",
        LIMITED,
        str(repository.root),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    if "unshare" in done.stderr or "max_inotify_watches" in done.stderr:
        pytest.skip("user namespaces are not to be had")
    assert done.stdout.startswith("sweep True the limit of file watches is reached"), done.stderr
    assert "sysctl fs.inotify.max_user_watches" in done.stdout
