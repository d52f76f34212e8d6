"""Acceptance checks: what the plan says of them, and running one."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from runebook_tui.core.pattern import compile_pattern
from runebook_tui.core.secrets import without_secrets

_GIT_SECONDS = 60.0


class Check(NamedTuple):
    """One acceptance check of the plan."""

    id: str
    title: str
    command: tuple[str, ...]
    paths: tuple[str, ...]
    seconds: float

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Check:
        """The check that the plan's `fields` describe."""
        return cls(
            fields["id"], fields["title"], tuple(fields["command"]), tuple(fields["paths"]), fields["seconds"]
        )

    @property
    def words(self) -> str:
        """Its command as a person would type it, without what looks like a secret."""
        return without_secrets(shlex.join(self.command))

    def looks_at(self, path: str) -> bool:
        """Whether a change of `path` may change what it comes to."""
        return not self.paths or any(compile_pattern(each).matches(path) for each in self.paths)


class Result(NamedTuple):
    """How a check ended."""

    passed: bool
    code: int | None
    """None where it did not end by itself."""
    seconds: float
    commit: str
    """The commit that was checked out, with "+" where files differed from it; "" for none."""
    reason: str
    """Why there is no exit code, in words."""
    time: float
    """When it began, unix seconds."""

    @property
    def evidence(self) -> str:
        """The result in words: "exit 0 in 2.1 s, 2026-11-23 11:20:05 UTC, commit 1a2b3c4"."""
        how = self.reason if self.code is None else f"exit {self.code}"
        at = datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        commit = f"commit {self.commit.removesuffix('+')}" if self.commit else "no commit"
        return f"{how} in {self.seconds:.1f} s, {at}, {commit}" + (
            " with changes" if self.commit.endswith("+") else ""
        )


def run(check: Check, root: Path, checklist: str) -> Result:
    """Run `check` at `root`, its output in this pane; the file `checklist` does not count as changed."""
    commit = _commit(root, checklist)
    began, at = time.monotonic(), time.time()
    code, reason = _ended(check, root)
    return Result(code == 0, code, time.monotonic() - began, commit, reason, at)


def _ended(check: Check, root: Path) -> tuple[int | None, str]:
    try:
        process = subprocess.Popen(check.command, cwd=root, stdin=subprocess.DEVNULL, start_new_session=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return None, f"{check.command[0]} did not start: {reason}"
    try:
        code = process.wait(check.seconds)
    except subprocess.TimeoutExpired:
        return None, f"took longer than {check.seconds:g} s"
    finally:
        _end(process)
    return (None, f"ended by signal {-code}") if code < 0 else (code, "")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End whatever the command has left behind in its session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _commit(root: Path, checklist: str) -> str:
    head = _git(root, "rev-parse", "--short", "HEAD")
    changed = _git(root, "status", "--porcelain", "--", ".", f":(exclude,literal){checklist}")
    return head + ("+" if head and changed else "")


def _git(root: Path, *words: str) -> str:
    """What git says, or "" where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", os.fspath(root), *words],
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            timeout=_GIT_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return os.fsdecode(done.stdout).strip() if done.returncode == 0 else ""
