"""Who committed each line of a content that git knows."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from runebook_tui.git.process import Git, GitError

_COMMITS = 200
"""The newest commits that changed the path are searched for the content."""
_SECONDS = 5.0
_SHORT = 8
# Nothing is fetched, and no program that the repository names is run.
_OPTIONS = ("-c", "protocol.allow=never", "-c", "log.showSignature=false", "--literal-pathspecs")
_HEAD = re.compile(rb"([0-9a-f]{40,64}) \d+ (\d+)")


@dataclass(frozen=True)
class Commit:
    """The commit that brought a line: its name's first 8 digits, and its author as git has it."""

    name: str
    author: str


def blame(root: Path, path: str, content: bytes) -> list[Commit | None] | None:
    """The commit of each line of `content`, if `path` below `root` held just that in a recent commit.

    None when it did not, or when git cannot say within seconds.
    """
    git = Git(root)
    try:
        commit = _holding(git, path, content)
        if commit is None:
            return None
        said = git.run(
            *_OPTIONS, "blame", "--porcelain", "--no-textconv", commit, "--", path, seconds=_SECONDS
        )
    except GitError:
        return None
    return _commits(said)


def _holding(git: Git, path: str, content: bytes) -> str | None:
    """The newest commit in which `path` has `content`, or has it with LF for CRLF."""
    listing = git.run(
        *_OPTIONS, "log", f"-n{_COMMITS}", "--format=%H", "--raw", "--no-abbrev", "--no-renames", "HEAD",
        "--", path,
        seconds=_SECONDS,
    )  # fmt: skip
    commit = ""
    for line in listing.decode("ascii", "replace").splitlines():
        if not line.startswith(":"):
            commit = line or commit
        elif line.split(" ")[3] in _names(content, len(commit)):
            return commit
    return None


def _names(content: bytes, digits: int) -> list[str]:
    """What git calls a blob of this content, in a repository whose names have so many digits."""
    kind = "sha1" if digits == 40 else "sha256"
    return [
        hashlib.new(kind, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        for data in (content, content.replace(b"\r\n", b"\n"))
    ]


def _commits(porcelain: bytes) -> list[Commit | None]:
    """The commits in `git blame --porcelain` (git-blame(1) of git 2.39), by line."""
    found: list[Commit | None] = []
    authors: dict[bytes, str] = {}
    name = b""
    for line in porcelain.split(b"\n"):
        head = _HEAD.match(line)
        if line.startswith(b"\t"):
            author = authors.get(name)
            found.append(None if author is None else Commit(name[:_SHORT].decode("ascii"), author))
        elif head is not None:
            name = head[1]
        elif line.startswith(b"author "):
            authors[name] = line[7:].decode("utf-8", "replace")
    return found
