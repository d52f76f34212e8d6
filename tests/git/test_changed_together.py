"""What the commits of a history changed, whatever the files are called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from runebook_tui.git.changes import changes
from runebook_tui.git.process import Git

NAMES = ("a/x", "with\nnewline \x01\x02", os.fsdecode(b"\xff bytes"), "é [b]")


def git(root: Path, *words: str) -> None:
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@localhost")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True, env=environment)


def commit(root: Path, message: str, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(message)
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)


def test_each_commit_has_its_paths_and_its_agent(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert list(changes(Git(tmp_path), 10)) == []
    commit(tmp_path, "First", *NAMES)
    commit(tmp_path, "Nothing")
    commit(tmp_path, "Second\n\nRunebook-Agent: alpha\nRunebook-Agent: beta", "a/x")
    git(tmp_path, "mv", "a/x", "a/y")
    commit(tmp_path, "Moved")
    moved, second, nothing, first = changes(Git(tmp_path), 10)
    assert set(first.paths) == set(NAMES)
    assert nothing.paths == ()
    assert (second.agent, second.paths) == ("alpha", ("a/x",))
    assert set(moved.paths) == {"a/x", "a/y"}
    assert moved.time >= first.time > 1e9
    assert list(changes(Git(tmp_path), 1)) == [moved]
