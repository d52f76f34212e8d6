"""What is ignored is what git ignores, whatever the names and however the rules change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from watch_play import Repository

from runebook_tui.git.ignore import Ignore

ODD_NAMES = [
    "line\nbreak",
    "[brackets]*?",
    ":(glob)magic",
    "!mark",
    "#hash",
    "back\\slash",
    " space ",
    "n" * 250,
]


def test_nested_rules_and_exceptions_count(repository: Repository, ignore: Ignore) -> None:
    repository.write("sub/.gitignore", "*.tmp\n!keep.log\n")
    paths = ["sub/a.tmp", "a.tmp", "sub/keep.log", "keep.log", "build/x/y", "sub/build/z", "README.md"]
    assert ignore.among(paths) == {"sub/a.tmp", "keep.log", "build/x/y", "sub/build/z"}


def test_excludes_files_outside_the_tree_count(repository: Repository, ignore: Ignore) -> None:
    assert ignore.among(["a.own", "a.mine"]) == set()
    (repository.root / ".git/info").mkdir(exist_ok=True)
    (repository.root / ".git/info/exclude").write_text("*.own\n")
    assert ignore.among(["a.own", "a.mine"]) == {"a.own"}
    excludes = repository.root.parent / "excludes"
    excludes.write_text("*.mine\n")
    repository.git("config", "core.excludesFile", str(excludes))
    assert ignore.among(["a.own", "a.mine"]) == {"a.own", "a.mine"}


def test_a_tracked_file_is_never_ignored(repository: Repository, ignore: Ignore) -> None:
    paths = ["build/kept", "build/other", "lib/__pycache__/kept.pyc", "lib/other.pyc"]
    for path in paths:
        repository.write(path)
    assert ignore.among(paths) == set(paths)
    repository.git("add", "-f", "build/kept", "lib/__pycache__/kept.pyc")
    assert ignore.among(paths) == {"build/other", "lib/other.pyc"}
    repository.git("rm", "-q", "--cached", "build/kept")
    assert ignore.among(paths) == {"build/kept", "build/other", "lib/other.pyc"}


def test_changed_rules_count_at_once(repository: Repository, ignore: Ignore) -> None:
    assert ignore.among(["sub/a.txt", "b.log"]) == {"b.log"}
    repository.write("sub/.gitignore", "*.txt\n")
    assert ignore.among(["sub/a.txt", "b.log"]) == {"sub/a.txt", "b.log"}
    repository.write(".gitignore", "*.txt\n")
    (repository.root / "sub/.gitignore").unlink()
    assert ignore.among(["sub/a.txt", "b.log"]) == {"sub/a.txt"}


def test_folders_without_end_are_not_remembered_and_their_rules_count(
    repository: Repository, ignore: Ignore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runebook_tui.git.ignore._MOST_FOLDERS", 20)
    repository.write("sub/.gitignore", "*.txt\n")
    for number in range(30):
        paths = [f"made{number}/{part}/x.log" for part in range(4)]
        assert ignore.among([*paths, "sub/a.txt", f"made{number}/kept"]) == {*paths, "sub/a.txt"}
        assert len(ignore._rules) < 40
    repository.write("sub/.gitignore", "*.md\n")
    assert ignore.among(["sub/a.txt", "sub/a.md"]) == {"sub/a.md"}


def test_git_and_runebook_need_no_rule(ignore: Ignore) -> None:
    private = {".git/HEAD", ".git", "inner/.git/index", ".runebook/log.db", ".runebook"}
    assert ignore.among(private | {"x/.runebook", ".gitignore"}) == private


@pytest.mark.parametrize("folder", ["", "build/", "open/"])
def test_hostile_names_are_only_names(repository: Repository, ignore: Ignore, folder: str) -> None:
    names = [folder + name for name in ODD_NAMES] + [os.fsdecode(b"not\xffutf8")]
    names[-1] = folder + names[-1]
    expected = set(names) if folder == "build/" else set()
    assert ignore.among(names) == expected
    assert ignore.among([f"{name}.log" for name in names if len(name) < 200]) == {
        f"{name}.log" for name in names if len(name) < 200
    }


def test_a_question_that_ends_git_spoils_no_other_answer(repository: Repository, ignore: Ignore) -> None:
    (repository.root / "link").symlink_to("sub")
    repository.write("sub/a.log")
    many = [f"d{number}/file.log" for number in range(100)]
    assert ignore.among(["a.log", "link/a.log", "b.log", "c.txt"]) >= {"a.log", "b.log"}
    assert ignore.among([*many, "link/x/y", "sub/a.txt"]) >= set(many)


def test_many_questions_are_answered_as_git_answers_them(repository: Repository, ignore: Ignore) -> None:
    repository.write("a/.gitignore", "x*\n!x1*\nd3/\n")
    names = [
        f"{top}/d{n % 7}/{letter}{n}{end}"
        for top in "ab"
        for n in range(500)
        for letter in "xy"
        for end in ("", ".log")
    ]
    for name in names:
        repository.write(name)
    listed = repository.git("ls-files", "-z", "-o", "-i", "--exclude-standard")
    expected = set(listed.split("\0")) - {""}
    assert 0 < len(expected) < len(names)
    assert ignore.among(names) == expected


def test_a_name_of_4000_bytes_is_answered(repository: Repository, ignore: Ignore) -> None:
    long = "/".join(["n" * 199] * 20)
    assert len(long) == 3999
    assert ignore.among([long, f"build/{long[:3000]}"]) == {f"build/{long[:3000]}"}


def test_without_git_only_the_plain_rules_hold(tmp_path: Path) -> None:
    ignore = Ignore(tmp_path / "nothing")
    assert ignore.among(["a.log", "a.pyc", ".git/x"]) == {"a.pyc", ".git/x"}
    ignore.close()


def children() -> list[str]:
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return [child for task in tasks for child in (task / "children").read_text().split()]


def command_of(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_text()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")
def test_a_git_that_was_killed_is_started_again(repository: Repository, ignore: Ignore) -> None:
    assert ignore.among(["a.log"]) == {"a.log"}
    [process] = [int(line) for line in children() if "check-ignore" in command_of(int(line))]
    os.kill(process, 9)
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    assert ignore.among(["a.log", "b.log", "c"]) == {"a.log", "b.log"}
