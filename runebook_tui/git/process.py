"""Git as Runebook runs it: without hooks, optional locks, or the caller's GIT_* variables."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH")
_SETTINGS = ("core.fsmonitor=false", "core.quotePath=false", "core.hooksPath=/dev/null")


class GitError(Exception):
    """Git is missing, failed, or took too long; the text is one line for people."""


def quiet_environment() -> dict[str, str]:
    """The environment of git processes: no optional locks, no questions, nobody's GIT_DIR."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT
    } | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class Git:
    """Git in the work tree whose top is `root`; it never looks for a repository above `root`."""

    def __init__(self, root: Path | str) -> None:
        self.root = os.path.realpath(root)
        self._environment = {
            **quiet_environment(),
            "GIT_CEILING_DIRECTORIES": os.path.dirname(self.root),
        }

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start git with unbuffered pipes for input and output. Raises GitError when it cannot be started."""
        return self._start(arguments, keep_errors=False)

    def run(
        self,
        *arguments: str,
        seconds: float = 60.0,
        given: bytes | None = None,
        variables: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (0,),
    ) -> bytes:
        """What git prints when it is `given` this input and these environment variables besides.

        Raises GitError when it ends with a status that is not `fine`, or after `seconds`.
        """
        with self._start(arguments, keep_errors=True, given=given, variables=variables) as process:
            try:
                output, errors = process.communicate(given, timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                raise GitError(f"git {arguments[0]} took more than {seconds:g} seconds") from None
        if process.returncode not in fine:
            raise GitError(f"git {arguments[0]} failed: {_first_line(errors)}")
        return output

    def _start(
        self,
        arguments: tuple[str, ...],
        *,
        keep_errors: bool,
        given: bytes | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        try:
            return subprocess.Popen(
                ["git", *settings, *arguments],
                cwd=self.root,
                env={**self._environment, **(variables or {})},
                stdin=subprocess.DEVNULL if keep_errors and given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if keep_errors else subprocess.DEVNULL,
                bufsize=-1 if keep_errors else 0,
                start_new_session=True,
            )
        except OSError as error:
            where = "the folder is gone" if not os.path.isdir(self.root) else error.strerror
            raise GitError(f"git cannot be started: {where}") from error

    def folder(self) -> str:
        """The git folder of this work tree, also of a linked one. Raises GitError when there is none.

        The `.git` file's form is from gitrepository-layout(5) of git 2.39.
        """
        place = os.path.join(self.root, ".git")
        if os.path.isdir(place):
            return place
        try:
            with open(place, "rb") as file:
                line = file.read(8192).rstrip(b"\n")
        except OSError as error:
            raise GitError("not the top of a git work tree") from error
        if not line.startswith(b"gitdir: "):
            raise GitError("the .git file names no git folder")
        return os.path.normpath(os.path.join(self.root, os.fsdecode(line[8:])))

    def common_folder(self) -> str:
        """The git folder that all linked work trees of this repository share. Raises GitError as `folder`."""
        folder = self.folder()
        try:
            with open(os.path.join(folder, "commondir"), "rb") as file:
                shared = os.fsdecode(file.read(8192).rstrip(b"\n"))
        except OSError:
            return folder
        return os.path.normpath(os.path.join(folder, shared))

    def environment_of(self, name: str) -> str | None:
        """The value of the environment variable `name` as git sees it."""
        return self._environment.get(name)


def printable(raw: bytes, limit: int) -> str:
    """`raw` as one line of at most `limit` characters, control characters and bad bytes shown as `�`."""
    text = raw[: limit * 4].decode("utf-8", "replace")
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _first_line(errors: bytes) -> str:
    lines = errors.strip().splitlines()
    return printable(lines[0], 200) if lines else "no reason given"
