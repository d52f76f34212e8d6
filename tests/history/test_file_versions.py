"""What is known of a path, and what changed, on a real tree with git."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from runebook_tui.core.types import Change, Version
from runebook_tui.history.errors import GitError, StoreError
from runebook_tui.history.versions import History
from tests.history.repositories import Repository

HOSTILE = [
    "plain.txt",
    "app/[slug]/page.tsx",
    "line\nbreak\n.txt",
    'quote"back\\slash\ttab',
    "  blanks  ",
    "caf\udce9-\udcff.txt",
    "-rf",
    ":(glob)*",
    "n" * 250,
    "/".join(["d" * 200] * 12) + "/deep",
]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def changed(history: History, path: str) -> Change:
    change = history.observe(path)
    assert change is not None
    return change


@pytest.mark.parametrize("path", HOSTILE)
def test_a_clean_file_is_known_from_git_and_its_first_change_is_seen(
    repository: Repository, history: History, path: str
) -> None:
    repository.write(path, b"one\ntwo\n")
    repository.commit()
    assert history.baseline() == 0
    known = history.known(path)
    assert (known.kind, known.digest, known.size, known.mode) == ("file", digest(b"one\ntwo\n"), 8, 0o644)
    assert history.observe(path) is None
    repository.write(path, b"one\n2\nthree\n")
    change = changed(history, path)
    assert change.before == known
    assert change.after.digest == digest(b"one\n2\nthree\n")
    assert (change.added, change.removed) == (2, 1)
    assert history.content(change.before) == b"one\ntwo\n"
    assert history.content(change.after) == b"one\n2\nthree\n"
    assert history.observe(path) is None
    assert "-two\n+2\n+three\n" in history.diff(change)


@pytest.mark.parametrize("path", HOSTILE)
def test_uncommitted_work_is_kept_before_anybody_touches_it(
    repository: Repository, history: History, path: str
) -> None:
    repository.write("modified", b"old")
    repository.write("deleted", b"gone soon")
    repository.commit()
    repository.write("modified", b"my work")
    repository.write(path, b"untracked work")
    repository.write("ignored/x", b"no")
    (repository.root / "deleted").unlink()
    assert history.baseline() == 2
    assert history.known("deleted") == Version(kind="absent")
    (repository.root / "modified").write_bytes(b"agent")
    os.unlink(os.path.join(repository.root, path))
    change = changed(history, "modified")
    assert history.content(change.before) == b"my work"
    change = changed(history, path)
    assert history.content(change.before) == b"untracked work"
    assert change.after == Version(kind="absent")
    assert (change.added, change.removed) == (0, 1)


def test_a_change_that_is_staged_and_committed_at_once_is_still_seen(
    repository: Repository, history: History
) -> None:
    repository.write("a", b"old\n")
    repository.commit()
    history.baseline()
    repository.write("a", b"new\n")
    repository.commit()
    change = changed(history, "a")
    assert history.content(change.before) == b"old\n"


def test_what_is_remembered_wins_over_git_and_the_baseline(repository: Repository, history: History) -> None:
    repository.write("a", b"old\n")
    repository.commit()
    repository.write("a", b"while the engine was down\n")
    history.store.put(b"as logged\n")
    logged = Version(kind="file", digest=digest(b"as logged\n"), size=10, mode=0o644, stored=True)
    history.remember("a", logged)
    history.baseline()
    assert history.known("a") == logged
    assert changed(history, "a").before == logged


def test_a_mode_change_is_a_change_and_other_mode_bits_are_not(
    repository: Repository, history: History
) -> None:
    repository.write("tool.sh", b"#!/bin/sh\n")
    repository.commit()
    history.baseline()
    (repository.root / "tool.sh").chmod(0o600)
    assert history.observe("tool.sh") is None
    (repository.root / "tool.sh").chmod(0o755)
    change = changed(history, "tool.sh")
    assert (change.added, change.removed) == (0, 0)
    assert "mode 644 → 755" in history.diff(change)


def test_links_are_looked_at_and_never_followed(
    repository: Repository, history: History, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "private").write_bytes(b"not ours")
    (repository.root / "link").symlink_to("old\ntarget")
    repository.commit()
    history.baseline()
    assert history.known("link").kind == "symlink"
    (repository.root / "link").unlink()
    (repository.root / "link").symlink_to(os.fsdecode(b"new\xfftarget"))
    change = changed(history, "link")
    assert 'symbolic link to "old\\ntarget" → symbolic link to new\udcfftarget' in history.diff(change)
    (repository.root / "link").unlink()
    (repository.root / "link").symlink_to(outside)
    assert history.content(changed(history, "link").after) == os.fsencode(outside)
    assert history.observe("link/private") is None
    assert history.observe("../outside/private") is None
    assert history.observe("/etc/passwd") is None
    assert history.observe("a\0b") is None
    (repository.root / "link").unlink()
    repository.write("link", b"a file\n")
    change = changed(history, "link")
    assert change.after.kind == "file"
    assert "→ a file of 7 bytes" in history.diff(change)


def test_special_files_never_block(repository: Repository, history: History) -> None:
    repository.write("pipe", b"was a file\n")
    repository.write("socket", b"was a file\n")
    repository.write("folder", b"was a file\n")
    repository.commit()
    history.baseline()
    for name in ("pipe", "socket", "folder"):
        (repository.root / name).unlink()
    os.mkfifo(repository.root / "pipe")
    (repository.root / "folder").mkdir()
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        folder = tempfile.mkdtemp(prefix="rb")
        try:
            listener.bind(f"{folder}/s")
            os.rename(f"{folder}/s", repository.root / "socket")
        finally:
            shutil.rmtree(folder)
        for name in ("pipe", "socket", "folder"):
            change = changed(history, name)
            assert change.after.kind == "other"
            assert history.observe(name) is None
            assert "a file of 11 bytes → " in history.diff(change)
    (repository.root / "new folder").mkdir()
    assert history.observe("new folder") is None
    os.mkfifo(repository.root / "new pipe")
    assert changed(history, "new pipe").after.kind == "other"


def test_a_file_that_may_not_be_read_is_other() -> None:
    root = Path(tempfile.mkdtemp(prefix="runebook-"))
    history = History(root, root / ".runebook" / "history")
    try:
        repository = Repository(root)
        root.chmod(0o755)
        repository.write("a", b"x", 0o000)
        uid = os.geteuid()
        if uid == 0:
            os.seteuid(65534)
        try:
            seen = history.observe("a")
        finally:
            if uid == 0:
                os.seteuid(uid)
        assert seen is not None
        assert seen.after.kind == "other"
        (root / "a").chmod(0o644)
        assert changed(history, "a").after.digest == digest(b"x")
    finally:
        history.close()
        shutil.rmtree(root)


def test_a_large_file_is_hashed_and_not_kept(repository: Repository, history: History) -> None:
    history.store.file_limit_bytes = 2 << 20
    block = bytes(range(256)) * 4096
    repository.write("large", block * 5)
    change = changed(history, "large")
    assert change.after.digest == digest(block * 5)
    assert (change.after.size, change.after.stored, change.added) == (5 << 20, False, None)
    assert history.content(change.after) is None
    assert "too large" in history.diff(change)
    assert history.observe("large") is None
    with (repository.root / "large").open("r+b") as file:
        file.write(b"!")
    assert changed(history, "large").before == change.after


def test_a_large_committed_file_is_known_and_not_kept(repository: Repository, history: History) -> None:
    history.store.file_limit_bytes = 100_000
    repository.write("large", b"0123456789" * 50_000)
    repository.write("small", b"small\n")
    repository.commit()
    known = history.known("large")
    assert (known.digest, known.stored) == (digest(b"0123456789" * 50_000), False)
    assert history.known("small").stored
    assert history.observe("large") is None


def test_a_large_file_at_rest_is_not_read_again(repository: Repository, history: History) -> None:
    repository.write("large", b"x" * (3 << 20))
    path = repository.root / "large"
    changed(history, "large")
    # Rewritten with its old times: only reading it would show that; a changed ctime must be enough.
    before = path.stat()
    path.write_bytes(b"y" * (3 << 20))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert changed(history, "large").after.digest == digest(b"y" * (3 << 20))


def test_files_that_grow_shrink_and_vanish_while_they_are_read(
    repository: Repository, history: History
) -> None:
    path = repository.root / "busy"
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            for size in (10, 300_000, 1_000, 0):
                path.write_bytes(b"z" * size)
            with path.open("ab") as file:
                for _ in range(20):
                    file.write(b"z" * 10_000)
            path.unlink()

    writer = threading.Thread(target=churn)
    writer.start()
    try:
        seen = [each for each in (history.observe("busy") for _ in range(200)) if each is not None]
    finally:
        stop.set()
        writer.join()
    assert seen
    for change in seen:
        if change.after.kind == "file":
            assert change.after.digest == digest(b"z" * change.after.size)
        else:
            assert change.after.kind == "absent"
    assert [a.after for a in seen][:-1] == [b.before for b in seen][1:]


def test_secrets_are_known_by_hash_only(repository: Repository, history: History) -> None:
    repository.write(".env", b"TOKEN=committed-secret\n")
    repository.write("deploy.pem", b"x")
    repository.commit()
    repository.write("deploy.pem", b"modified-secret\n")
    history.baseline()
    repository.write(".env", b"TOKEN=new-secret\n")
    change = changed(history, ".env")
    assert (change.before.digest, change.before.stored) == (digest(b"TOKEN=committed-secret\n"), False)
    assert not change.after.stored
    assert (change.added, change.removed) == (None, None)
    text = history.diff(change)
    assert "named like a secret" in text
    assert "TOKEN" not in text
    assert not history.known("deploy.pem").stored
    assert [each for each in history.store.folder.rglob("*") if each.is_file()] == []


def test_checked_out_line_ends_are_known_as_git_writes_them(repository: Repository, history: History) -> None:
    repository.write(".gitattributes", b"*.bat eol=crlf\n*.bin filter=lfs\n")
    repository.write("a.bat", b"one\r\ntwo\r\n")
    repository.write("b\n.bat", b"three\r\n")
    repository.write("c.txt", b"four\n")
    repository.write("d.bin", b"pointer\n")
    repository.commit()
    assert repository.git("cat-file", "-p", "HEAD:a.bat") == "one\ntwo\n"
    assert [history.observe(path) for path in ("a.bat", "b\n.bat", "c.txt")] == [None, None, None]
    # What a filter program makes of a blob is not known: the first look says so, and from then on it is.
    assert history.known("d.bin").digest is None
    change = changed(history, "d.bin")
    assert "not known" in history.diff(change)
    assert history.observe("d.bin") is None


def test_automatic_line_ends(repository: Repository, history: History) -> None:
    repository.write("a.txt", b"one\r\ntwo\r\n")
    repository.git("config", "core.autocrlf", "true")
    repository.commit()
    assert repository.git("cat-file", "-p", "HEAD:a.txt") == "one\ntwo\n"
    assert history.baseline() == 0
    assert history.observe("a.txt") is None


def test_a_repository_below_and_a_plan_in_a_subfolder(tmp_path: Path) -> None:
    outer = Repository(tmp_path)
    outer.write("part/tracked", b"old\n")
    outer.write("elsewhere", b"old\n")
    outer.commit()
    outer.write("part/tracked", b"new\n")
    outer.write("part/untracked", b"u\n")
    outer.write("elsewhere", b"new\n")
    (tmp_path / "part" / "nested").mkdir()
    Repository(tmp_path / "part" / "nested").write("x", b"x")
    history = History(tmp_path / "part", tmp_path / "part" / ".runebook" / "history")
    with contextlib.closing(history):
        assert history.baseline() == 2
        assert history.known("tracked").digest == digest(b"new\n")
        assert history.known("untracked").digest == digest(b"u\n")
        assert history.observe("elsewhere") is None


def test_the_git_process_is_started_again_when_it_dies(repository: Repository, history: History) -> None:
    for name in "abc":
        repository.write(name, name.encode())
    repository.commit()
    assert history.known("a").digest == digest(b"a")
    process = history._git._blobs._process
    assert process is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert history.known("b").digest == digest(b"b")
    objects = repository.root / ".git" / "objects"
    shutil.rmtree(objects)
    objects.mkdir()
    assert history.known("c") == Version(kind="file", mode=0o644)


def test_without_git_there_are_no_earlier_versions(tmp_path: Path) -> None:
    with contextlib.closing(History(tmp_path, tmp_path / ".runebook" / "history")) as history:
        with pytest.raises(GitError, match="git ls-files failed"):
            history.baseline()
        (tmp_path / "a").write_bytes(b"x")
        assert changed(history, "a").before.kind == "absent"


def test_a_first_commit_is_not_needed(repository: Repository, history: History) -> None:
    repository.write("staged", b"s")
    repository.git("add", "staged")
    assert history.baseline() == 2
    assert history.known("staged").stored


def test_a_conflict_is_kept_as_it_lies_there(repository: Repository, history: History) -> None:
    repository.write("a", b"base\n")
    repository.commit()
    repository.git("checkout", "-q", "-b", "topic")
    repository.write("a", b"theirs\n")
    repository.commit()
    repository.git("checkout", "-q", "-")
    repository.write("a", b"ours\n")
    repository.commit()
    with contextlib.suppress(Exception):
        repository.git("merge", "topic")
    history.baseline()
    content = history.content(history.known("a"))
    assert content is not None
    assert b"<<<<<<<" in content


def test_a_git_environment_of_somebody_else_has_no_say(
    repository: Repository, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("a", b"x")
    repository.commit()
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent")
    assert history.baseline() == 0
    assert history.known("a").digest == digest(b"x")


def test_looking_takes_no_git_lock(repository: Repository, history: History) -> None:
    repository.write("a", b"x")
    repository.commit()
    (repository.root / ".git" / "index.lock").touch()
    repository.write("a", b"y")
    assert history.baseline() == 1


def test_a_store_that_cannot_be_written_is_the_one_error(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_bytes(b"a file, not a folder")
    history = History(repository.root, tmp_path / "blocked" / "history")
    with contextlib.closing(history):
        repository.write("a", b"x")
        with pytest.raises(StoreError):
            history.observe("a")
        assert history.known("a").kind == "absent"
