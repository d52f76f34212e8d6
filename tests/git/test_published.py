"""A published file is found by its digest on a remote's branches, and its taking is no loss to anybody."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from runebook_tui.git.process import GitError
from runebook_tui.git.published import fetch, find, untouched

pytestmark = pytest.mark.usefixtures("plain_git")


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Path, Path]:
    """A repository with one commit, and a clone of it."""
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    git(there, "init", "-q", "-b", "main")
    (there / "kept").write_text("as it was\n")
    (there / ".gitignore").write_text("*.log\n")
    git(there, "add", "-A")
    git(there, "commit", "-q", "-m", "First")
    git(tmp_path, "clone", "-q", str(there), str(here))
    return there, here


def test_a_file_is_found_on_whatever_branch_has_it(clones: tuple[Path, Path]) -> None:
    there, here = clones
    git(there, "checkout", "-q", "-b", "topic")
    (there / "src").mkdir()
    (there / "src" / "[a] b.py").write_text("published\n")
    (there / "src" / "[a] b.py").chmod(0o755)
    git(there, "add", "-A")
    git(there, "commit", "-q", "-m", "Publish")
    git(there, "checkout", "-q", "main")
    assert find(here, "origin", "src/[a] b.py", digest("published\n")) is None
    fetch(here, "origin")
    found = find(here, "origin", "src/[a] b.py", digest("published\n"))
    assert found == (b"published\n", True, "origin/topic")
    assert find(here, "origin", "src/[a] b.py", digest("another\n")) is None
    assert find(here, "origin", "src", digest("published\n")) is None


def test_a_remote_that_is_not_there_is_told_in_one_line(clones: tuple[Path, Path]) -> None:
    with pytest.raises(GitError, match="git fetch failed"):
        fetch(clones[1], "nowhere")


@pytest.mark.parametrize(
    ("path", "content", "free"),
    [
        ("kept", None, True),
        ("kept", "mine\n", False),
        ("new", None, True),
        ("new", "mine\n", False),
        ("ignored.log", "mine\n", False),
    ],
)
def test_only_what_is_as_in_head_is_free_to_be_replaced(
    clones: tuple[Path, Path], path: str, content: str | None, free: bool
) -> None:
    here = clones[1]
    if content is not None:
        (here / path).write_text(content)
    assert untouched(here, path) is free


def test_what_was_removed_or_staged_is_somebodys(clones: tuple[Path, Path]) -> None:
    here = clones[1]
    (here / "kept").unlink()
    assert not untouched(here, "kept")
    (here / "kept").write_text("staged\n")
    git(here, "add", "kept")
    (here / "kept").write_text("as it was\n")
    assert not untouched(here, "kept")
