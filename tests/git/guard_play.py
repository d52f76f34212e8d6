"""A repository with a plan of two agents, real git, and the real commit guard in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from runebook_tui.git.hooks import GuardHooks

INTERPRETER = (sys.executable, "-E", "-P", "-m", "runebook_tui")

PLAN = """
[plan]
name = "guarded"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["true"]
claims = ["alpha/**"]

[[agents]]
id = "beta"
phase = "build"
command = ["true"]
claims = ["beta/**"]
"""


class Guarded:
    """What people and agents do in one repository."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "-q", "-b", "main")
        for path, text in (("runebook.toml", PLAN), ("alpha/a", "1\n"), ("beta/b", "1\n"), ("free", "1\n")):
            self.write(path, text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Begin")

    @property
    def hooks(self) -> GuardHooks:
        return GuardHooks(self.root, INTERPRETER)

    def write(self, path: str, text: str, *, mode: int = 0o644) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)
        return target

    def try_git(
        self, *words: str, agent: str = "", cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RUNEBOOK_")}
        if agent:
            environment["RUNEBOOK_AGENT"] = agent
        return subprocess.run(
            ["git", *words],
            cwd=cwd or self.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    def git(self, *words: str, agent: str = "", cwd: Path | None = None) -> str:
        done = self.try_git(*words, agent=agent, cwd=cwd)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout.strip()

    def refused(self, *words: str, agent: str = "alpha", cwd: Path | None = None) -> list[str]:
        """What an agent is told whom git refuses."""
        head = self.git("rev-parse", "--branches", "HEAD")
        done = self.try_git(*words, agent=agent, cwd=cwd)
        assert done.returncode != 0, (words, done.stderr)
        assert self.git("rev-parse", "--branches", "HEAD") == head
        return [line for line in done.stderr.splitlines() if line.startswith("runebook: ")]
