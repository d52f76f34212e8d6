"""A repository with lanes, and what agents and the operator do in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from runebook_tui.git.integration import Answers, Integration, integrate
from runebook_tui.git.lane import Lane
from runebook_tui.git.worktrees import Worktrees


class Repository:
    """A repository whose lane of alpha may take what is below `a` into it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        (root / ".runebook").mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Tester")
        self.git("config", "user.email", "tester@localhost")
        (root / ".git/info/exclude").write_text(".runebook/\nbuild/\n")
        for path, text in {"a/one": "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "a/two": "two\n", "b/one": "b\n"}.items():
            self.write(path, text)
        self.commit()
        self.worktrees = Worktrees(root)

    def git(self, *words: str, at: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *words], cwd=at or self.root, check=True, capture_output=True, text=True, errors="replace"
        )
        return done.stdout

    def write(self, path: str, text: str, at: Path | None = None) -> None:
        target = Path(os.path.join(at or self.root, path))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8", "surrogateescape"))

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def commit(self, at: Path | None = None) -> None:
        self.git("add", "-A", at=at)
        self.git("commit", "-q", "-m", "x", at=at)

    def status(self, at: Path | None = None) -> str:
        return self.git("status", "--porcelain", "--untracked-files=all", at=at)

    def subjects(self) -> list[str]:
        return self.git("log", "--format=%an: %s").splitlines()

    def open(self, agent: str = "alpha") -> Lane:
        return self.worktrees.open(agent)[0]

    def integrate(self, lane: Lane, *, settle: bool = True, **answers: object) -> Integration:
        def refused(path: str) -> str:
            return "" if path.startswith("a/") or path == "a" else "not alpha's"

        only = answers.pop("only", None)
        found = integrate(lane, Answers(refused, **answers), only=only, settle=settle, title="the parts")
        lane.reckon_from(found.base)
        return found
