"""Git as whoever called runs it: with their identity, their configuration and the repository's hooks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from runebook_tui.git.process import GitError, printable

_ELSEWHERE = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
)  # fmt: skip
"""What binds git to another repository or index: `git rev-parse --local-env-vars` of git 2.39."""


class CallersGit:
    """Git in the work tree whose top is `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE} | {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LITERAL_PATHSPECS": "1",
            "LC_ALL": "C",
        }

    def run(
        self,
        *arguments: str,
        given: bytes = b"",
        variables: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (0,),
    ) -> bytes:
        """What git prints when it is `given` this input. Raises GitError when its status is not `fine`."""
        try:
            done = subprocess.run(
                ["git", "-c", "core.quotePath=false", *arguments],
                cwd=self.root,
                env={**self.environment, **(variables or {})},
                input=given,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise GitError(f"git cannot be started: {error.strerror}") from error
        if done.returncode not in fine:
            lines = done.stderr.strip().splitlines()
            said = printable(lines[0], 300) if lines else f"exit status {done.returncode}"
            raise GitError(f"git {arguments[0]} failed: {said}")
        return done.stdout

    def line(self, *arguments: str, fine: tuple[int, ...] = (0,)) -> str:
        """The one line that git prints, without its end. Raises GitError."""
        return os.fsdecode(self.run(*arguments, fine=fine).removesuffix(b"\n"))

    def path(self, name: str) -> Path:
        """Where the file `name` of git's folder is, as `index` or `hooks/pre-commit`. Raises GitError."""
        return self.root / self.line("rev-parse", "--git-path", name)
