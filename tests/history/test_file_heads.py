"""What the operator sees of a stopped write: the file as it is now, or what would take its place."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from runebook_tui.core.types import Crossing, Version
from runebook_tui.history import heads
from runebook_tui.history.diffs import request_diff
from runebook_tui.history.store import ContentStore
from runebook_tui.place import lanes_folder


def crossings(*paths: str, source: str | None = None) -> dict[str, Crossing]:
    return {path: Crossing(path=path, owner="beta", source=source) for path in paths}


def head(root: Path, path: str) -> heads.FileHead:
    (found,) = heads.heads(root, crossings(path))
    return found


def test_a_file_is_shown_as_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"one\ntwo\xff\n")
    assert head(tmp_path, "x") == heads.FileHead("x", ("one", "two\udcff"))


def test_what_cannot_be_shown_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\0\1")
    (tmp_path / "empty").touch()
    (tmp_path / ".env").write_text("TOKEN=1")
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").symlink_to("/etc")
    said = {
        path: head(tmp_path, path).more
        for path in ("binary", "empty", ".env", "link", "pipe", "none", "folder/passwd", "../up")
    }
    assert said == {
        "binary": "binary (2 bytes)",
        "empty": "an empty file",
        ".env": "named like a secret: not shown (7 bytes)",
        "link": "a symbolic link to /etc/passwd",
        "pipe": "a folder, a special file or one that cannot be read",
        "none": "there is no such file yet",
        "folder/passwd": "there is no such file yet",
        "../up": "there is no such file yet",
    }


def test_a_long_file_is_cut_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "long").write_text("line\n" * (heads.LINES + 7))
    (tmp_path / "wide").write_text("x" * (heads.CHARACTERS + 1))
    (tmp_path / "huge").write_bytes(b"x" * 2_000_001)
    assert (len(head(tmp_path, "long").lines), head(tmp_path, "long").more) == (
        heads.LINES,
        "and 7 more lines",
    )
    assert (len(head(tmp_path, "wide").lines[0]), head(tmp_path, "wide").more) == (
        heads.CHARACTERS,
        "its last line is cut",
    )
    assert head(tmp_path, "huge").more == "too large to show (2,000,001 bytes)"
    assert len(heads.heads(tmp_path, crossings(*"abcdefgh"))) == heads.FILES


def test_what_would_take_the_place_is_a_diff(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("one\ntwo\n")
    (tmp_path / "x.new").write_text("one\n2\n")
    about = crossings("x", source="x.new")
    assert (
        request_diff(tmp_path, about, ahead=tmp_path) == "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
    )
    assert heads.heads(tmp_path, about) == ()
    assert request_diff(tmp_path, about) == "", "once it is decided, nobody knows what was there"


def test_without_a_readable_source_the_file_itself_is_shown(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("one\n")
    (tmp_path / ".env").write_text("TOKEN=1")
    for source in ("gone", ".env", "../up"):
        about = crossings("x", source=source)
        assert request_diff(tmp_path, about, ahead=tmp_path) == ""
        assert [each.lines for each in heads.heads(tmp_path, about)] == [("one",)]


def test_in_a_lane_the_files_of_its_worktree_are_shown(tmp_path: Path) -> None:
    lane = lanes_folder(tmp_path) / "alpha"
    lane.mkdir(parents=True)
    (lane / "x").write_text("in the lane\n")
    (found,) = heads.heads(heads.tree(tmp_path, "alpha"), crossings("x"))
    assert found.lines == ("in the lane",)
    assert heads.tree(tmp_path, "") == tmp_path


def test_what_a_client_proposes_is_a_diff_while_its_request_is_open(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("one\ntwo\n")
    store = ContentStore(tmp_path / ".runebook" / "history")
    store.put(b"one\n2\n")
    digest = hashlib.sha256(b"one\n2\n").hexdigest()
    coming = Version(kind="file", digest=digest, size=6, mode=0o644, stored=True)
    absent = Version(kind="absent")
    proposed = {
        "x": Crossing(path="x", owner="beta", proposed=coming),
        "new": Crossing(path="new", owner="beta", proposed=coming),
        ".env": Crossing(path=".env", owner="beta", proposed=coming),
    }
    diff = request_diff(tmp_path, proposed, ahead=tmp_path)
    assert "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n" in diff
    assert "--- /dev/null\n+++ b/new\n@@ -0,0 +1,2 @@\n+one\n+2\n" in diff
    assert "named like a secret" in diff
    assert request_diff(tmp_path, proposed) == ""
    assert heads.heads(tmp_path, proposed) == ()
    gone = {"x": Crossing(path="x", owner="beta", proposed=absent)}
    assert "-one\n-two\n" in request_diff(tmp_path, gone, ahead=tmp_path)
