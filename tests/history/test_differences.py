"""Differences are right, as git would take them, and found in bounded time."""

from __future__ import annotations

import hashlib
import random
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runebook_tui.core.types import Change, Version
from runebook_tui.history import differences
from runebook_tui.history.differences import Difference, compare
from runebook_tui.history.patches import patch, quoted

LINES = st.lists(
    st.sampled_from([b"a", b"b", b"", b"-x", b"+y", b"\\ z", b"\x0c\x85\r", b"\xff"]), max_size=30
)


def version(data: bytes | None, *, stored: bool = True, mode: int = 0o644) -> Version:
    if data is None:
        return Version(kind="absent")
    digest = hashlib.sha256(data).hexdigest()
    return Version(kind="file", digest=digest, size=len(data), mode=mode, stored=stored)


def text_of(path: str, before: bytes | None, after: bytes | None, limit: int = 65_536) -> str:
    change = Change(path=path, before=version(before), after=version(after))
    return patch(change, before, after, limit=limit)


def applied(before: bytes, difference: Difference) -> bytes:
    """`before` with the hunks applied, checking every line number and every line that they speak of."""
    old = differences.lines_of(before)
    new: list[bytes] = []
    at = 0
    hunks = list(difference.hunks)
    for index, line in enumerate(hunks):
        ended = b"" if hunks[index + 1 : index + 2] == [b"\\ No newline at end of file"] else b"\n"
        if line.startswith(b"@@"):
            start, _, count = line.split()[1][1:].partition(b",")
            begin = int(start) - (count != b"0")
            new += old[at:begin]
            at = begin
        elif line[:1] in b" -":
            assert old[at] == line[1:] + ended
            at += 1
        if line[:1] in (b" ", b"+"):
            new.append(line[1:] + ended)
    return b"".join(new + old[at:])


@given(LINES, LINES, st.booleans(), st.booleans())
@settings(deadline=None)
def test_hunks_turn_one_text_into_the_other(
    old: list[bytes], new: list[bytes], ended: bool, also: bool
) -> None:
    before = b"\n".join(old) + b"\n" * ended
    after = b"\n".join(new) + b"\n" * also
    found = compare(before, after)
    assert found is not None
    assert applied(before, found) == after
    signs = [line[:1] for line in found.hunks if not line.startswith(b"@@")]
    assert (signs.count(b"+"), signs.count(b"-")) == (found.added, found.removed)


@given(
    st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=20),
    st.integers(0, 19),
    st.integers(0, 9),
)
@settings(deadline=None, max_examples=30)
def test_git_applies_what_is_shown(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], at: int, extra: int
) -> None:
    folder = tmp_path_factory.mktemp("apply")
    new = [*lines[:at], *[b"new"] * extra, *lines[at + 1 :]]
    before, after = b"\n".join(lines), b"\n".join(new)
    if before == after:
        return
    (folder / "odd [x].txt").write_bytes(before)
    shown = text_of("odd [x].txt", before, after).encode("utf-8", "surrogateescape")
    subprocess.run(["git", "apply", "--unidiff-zero", "-"], cwd=folder, input=shown, check=True)
    assert (folder / "odd [x].txt").read_bytes() == after


def test_large_differences_are_taken_by_git_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(4)
    before = b"".join(b"line %d\n" % number for number in range(8_000))
    lines = differences.lines_of(before)
    for _ in range(900):
        lines[chance.randrange(len(lines))] = b"- changed %d\n" % chance.randrange(1_000)
    after = b"".join(lines[:-1]) + b"no end"
    by_git = compare(before, after)
    assert by_git is not None
    assert applied(before, by_git) == after
    monkeypatch.setattr(differences, "_CORE_LINES", 1_000_000)
    monkeypatch.setattr(differences, "_CORE_WORK", 1_000_000)
    by_difflib = compare(before, after)
    assert by_difflib is not None
    assert applied(before, by_difflib) == after
    assert abs(by_git.added - by_difflib.added) <= 20


def test_no_difference_takes_the_processor_for_long() -> None:
    chance = random.Random(7)
    some = [b"%d\n" % number for number in range(100)]
    cases = {
        "few distinct lines": [b"".join(chance.choices(some, k=19_000)) for _ in range(2)],
        "every other line": [
            b"".join(b"%s%d\ncommon %d\n" % (name, n, n) for n in range(9_000)) for name in (b"x", b"y")
        ],
        "reversed": [b"".join(b"%d\n" % n for n in order) for order in (range(9_000), range(9_000, 0, -1))],
        "short, few distinct lines": [b"".join(chance.choices(some[:9], k=1_400)) for _ in range(2)],
        "short, every other line": [
            b"".join(b"%s%d\ncommon %d\n" % (name, n, n) for n in range(700)) for name in (b"x", b"y")
        ],
    }
    for name, (before, after) in cases.items():
        start = time.process_time()
        found = compare(before, after)
        assert time.process_time() - start < 10, name  # without the limits: minutes
        assert found is None or applied(before, found) == after, name


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b"\0" * 10, b"\0" * 1_234, "binary (10 bytes → 1,234 bytes)"),
        (b"x\n" * 20_001, b"x\n", "too large to compare (40,002 bytes → 2 bytes)"),
        (b"x" * 2_000_001, b"y", "too large to compare"),
        (None, b"\0", "binary (nothing → 1 byte)"),
        (None, b"", "an empty file"),
    ],
)  # fmt: skip
def test_words_where_there_is_no_text(before: bytes | None, after: bytes, words: str) -> None:
    assert words in text_of("x", before, after)


def test_new_and_removed_files() -> None:
    assert text_of("a b", None, b"x\n") == "--- /dev/null\n+++ b/a b\n@@ -0,0 +1 @@\n+x\n"
    assert text_of("a b", b"x", None) == (
        "--- a/a b\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n"
    )


def test_what_is_not_at_hand_is_said() -> None:
    large = version(b"x" * 10, stored=False)
    gone = version(b"y" * 11)
    unknown = Version(kind="file", mode=0o644)
    shown = patch(Change(path="p", before=large, after=gone), None, None, limit=10_000)
    assert "what was in it before was not kept (too large)" in shown
    assert "what was in it after is no longer kept" in shown
    shown = patch(Change(path="p", before=unknown, after=gone), None, b"y" * 11, limit=10_000)
    assert "what was in it before is not known" in shown
    assert "unknown → 11 bytes" in shown


def test_a_long_diff_says_how_much_is_cut() -> None:
    after = b"".join(b"line %d\n" % number for number in range(1_000))
    shown = text_of("x", b"", after, limit=500)
    assert len(shown) < 600
    whole = text_of("x", b"", after)
    kept = shown.rsplit("\n", 2)[0]
    assert whole.startswith(kept)
    rest = whole.count("\n") - kept.count("\n")
    assert shown.splitlines()[-1].startswith("… cut here: ")
    assert shown.splitlines()[-1].endswith(f"in {rest} lines")
    assert len(text_of("x", None, b"y" * 100_000, limit=300)) < 400
    assert "cut here" in text_of("x", None, b"y", limit=0)


@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(0, 300))
@settings(deadline=None)
def test_odd_content_never_raises(before: bytes, after: bytes, limit: int) -> None:
    path = "odd\n\udcff"
    assert text_of(path, before, after, limit).encode("utf-8", "surrogateescape")


def test_paths_are_quoted_as_git_does(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    names = [
        b"plain [x].txt",
        b"caf\xc3\xa9",
        b"a\nb",
        b"tab\t",
        b'q"',
        b"back\\",
        b"bell\x07\x1b[0m",
        b"\xff",
    ]
    for name in names:
        with open(bytes(tmp_path) + b"/" + name, "wb"):
            pass
    command = ["git", "-c", "core.quotePath=false", "ls-files", "-o"]
    listed = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    shown = {quoted(name.decode("utf-8", "surrogateescape")) for name in names}
    ours = {each.encode("utf-8", "surrogateescape") for each in shown}
    # git has names for a few more control characters; an octal escape means the same.
    theirs = set(listed.replace(b"\\a", b"\\007").splitlines())
    assert ours == theirs
