"""Wiping the memory on the command line: it asks first, and what is gone is gone."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from memory_play import Memory, ran, record

PROGRAM = [sys.executable, "-P", "-m", "runebook_tui"]
PLAN = """
[plan]
name = "wiped"
[[phases]]
id = "one"
[[agents]]
id = "storage"
phase = "one"
builtin = "storage"
"""


@pytest.fixture
def root(tmp_path: Path, plain_git: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in which two agents have run a command each; no engine runs."""
    monkeypatch.delenv("RUNEBOOK_ROOT", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    root = tmp_path / "repo"
    folder = root / ".runebook" / "agents" / "storage"
    folder.mkdir(parents=True)
    (root / "runebook.toml").write_text(PLAN)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    memory = Memory(folder / "memory.sqlite")
    memory.take(record(1, "RunStarted"), ran(2, "make apples"), ran(3, "make pears", agent="beta"))
    memory.store.close()
    return root


def wipe(root: Path, *words: str, answer: str | None = None) -> subprocess.CompletedProcess[str]:
    """`memory wipe` without a terminal, or at one where `answer` is typed."""
    ours, theirs = pty.openpty()
    try:
        if answer is not None:
            os.write(ours, answer.encode())
        return subprocess.run(
            [*PROGRAM, "memory", "wipe", *words],
            cwd=root,
            stdin=subprocess.DEVNULL if answer is None else theirs,
            capture_output=True,
            text=True,
            timeout=120,
        )
    finally:
        os.close(ours)
        os.close(theirs)


def commands(root: Path) -> list[str]:
    done = subprocess.run(
        [*PROGRAM, "memory", "export", "--kind", "command"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["command"] for line in done.stdout.splitlines()]


def test_without_a_terminal_nothing_is_wiped(root: Path) -> None:
    done = wipe(root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "runebook-tui: nobody can be asked here: give --yes\n"
    assert commands(root) == ["make apples", "make pears"]


@pytest.mark.parametrize("answer", ["n\n", "\n", "yes please\n", "\x04"])
def test_only_a_yes_wipes(root: Path, answer: str) -> None:
    done = wipe(root, answer=answer)
    assert done.returncode == 1
    assert "Forget everything? It cannot be brought back. [y/N] nothing was forgotten\n" in done.stdout
    assert done.stderr == ""
    assert commands(root) == ["make apples", "make pears"]


def test_a_yes_at_a_terminal_wipes_what_was_asked_about(root: Path) -> None:
    done = wipe(root, "--agent", "beta", answer="y\n")
    assert done.returncode == 0, done.stderr
    assert "Forget everything of beta?" in done.stdout
    assert commands(root) == ["make apples"]


def test_a_script_says_yes_before(root: Path) -> None:
    done = wipe(root, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["forgotten"] > 0
    assert commands(root) == []
    content = (root / ".runebook/agents/storage/memory.sqlite").read_bytes()
    assert b"apples" not in content
    assert b"pears" not in content


def test_a_wipe_with_words_is_wrong_usage(root: Path) -> None:
    done = wipe(root, "apples", "--yes")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert commands(root) == ["make apples", "make pears"]
