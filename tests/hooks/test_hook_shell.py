"""What can be told of a shell command without running it, and what is left to the gate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.hooks.edits import Edit, Reach, Removed
from runebook_tui.hooks.shell import edits_of


def paths(command: str) -> list[str]:
    return [edit.path for edit in edits_of(command)]


@pytest.mark.parametrize(
    ("command", "written"),
    [
        ("echo hi > src/x", ["src/x"]),
        ("echo hi >src/x 2>err", ["src/x", "err"]),
        ("make &> log", ["log"]),
        ("make 2>&1 >/dev/null | tee -a out", ["out"]),
        ("cat <<'EOF' > a/b\nrm -rf z > q\nEOF\ntouch after", ["a/b", "after"]),
        ("cat <<-E >a\n\t> b\n\tE\n", ["a"]),
        ("cat <<< '> no' > yes", ["yes"]),
        ("cd src && sed -i.bak 's/a/b/' one two", ["src/one", "src/two"]),
        ("sed -i -e s/a/b/ -e s/c/d/ one", ["one"]),
        ("sed --in-place s/a/b/ one", ["one"]),
        ("perl -pi -e 's/a/b/' one", ["one"]),
        ("(cd y; rm -rf t); echo > z", ["y/t", "z"]),
        ("cd /abs; echo > x; cd ..; echo > y", ["/abs/x", "/abs/../y"]),
        ("bash -lc 'echo x >> \"b c\"'", ["b c"]),
        ("sh <<E\necho > x\nE", ["x"]),
        ("FOO=1 env BAR=2 nohup tee p q </dev/null", ["p", "q"]),
        ("cp a b dir/", ["dir/"]),
        ("cp -t dir a b", ["dir"]),
        ("mv a b", ["a", "b"]),
        ("ln -sf target link", ["link"]),
        ("truncate -s 0 log", ["log"]),
        ("dd if=a of=b bs=1", ["b"]),
        ("git mv a b && git rm -r c", ["a", "b", "c"]),
        ("git checkout HEAD~1 -- f g", ["f", "g"]),
        ("git restore f", ["f"]),
        ("git apply fix.patch", ["fix.patch"]),
        ("git apply <<E\n--- a/x\n+++ b/y\nE", ["x", "y"]),
        ("apply_patch <<'P'\n*** Update File: m.py\n*** Move to: n.py\n@@\n-a\n+b\nP", ["m.py", "n.py"]),
        ("for i in 1 2; do echo $i > out; done", ["out"]),
        ("if true; then echo > x; fi", ["x"]),
        ("echo '#!/bin/sh' > run.sh # > not", ["run.sh"]),
        ("echo a\\ b > c\\ d", ["c d"]),
        ("! { touch x; }", ["x"]),
    ],
)
def test_a_command_is_read(command: str, written: list[str]) -> None:
    assert paths(command) == written


@pytest.mark.parametrize(
    "command",
    [
        "echo > $OUT",
        'echo > "$(name)"',
        "echo > *.py",
        "rm -rf ~/x",
        "cat < in",
        "echo '> x'",
        "sed s/a/b/ file",
        "git checkout topic",
        "git restore --staged f",
        "git rm --cached f",
        "git -C elsewhere rm f",
        "python -c \"open('x', 'w')\"",
        "cd $D && touch x",
        "cd - && touch x",
        "grep -r x . 2>/dev/null",
        "ls 2>&1",
        "",
    ],
)
def test_what_cannot_be_read_is_left_to_the_gate(command: str) -> None:
    assert paths(command) == []


def test_how_far_a_path_reaches_is_told() -> None:
    assert edits_of("rm -rf d") == [Edit("d", Removed(), Reach.TREE, link=True)]
    assert edits_of("rm f") == [Edit("f", Removed(), Reach.FILE, link=True)]
    assert edits_of("cp a/b c d") == [Edit("d", reach=Reach.INTO, names=("b", "c"))]
    assert edits_of("git apply p") == [Edit("p", reach=Reach.DIFF)]


PIECES = st.sampled_from([
    "cd", "rm", "-rf", "'", '"', "`", "$(", "${", ")", "}", "<<E", "\n", "E\n", ">", ">>", "&>", "\\",
    "#", ";", "|", "sh -c", "sed -i", "git", "mv", "a", "b/c", "\0", "\udc80", "tee", "<<<", "=", "~",
    "{", "*", " ", "\t", "&&",
])  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=80))
def test_no_command_is_too_much(command: str) -> None:
    for edit in edits_of(command):
        assert edit.path


def test_a_command_without_end_is_read_in_bounded_time() -> None:
    for piece in ("(", "$(", "'", "<<E\n", "> x ", "sh -c '", "`"):
        assert len(edits_of(piece * 200_000)) <= 500
