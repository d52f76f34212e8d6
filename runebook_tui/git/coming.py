"""What is about to be committed, as git's hooks see it: paths staged, and paths in commits that are new.

Git is asked in the hook's own environment: there the index may be a temporary one. Standard library only.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable

from runebook_tui.git.process import GitError, printable

_KNOWN = ("--exclude=refs/stash", "--exclude=refs/notes/*", "--all")
"""The refs whose commits were looked at when they got there, or came from elsewhere (refs/remotes)."""

_OPTIONS = ("-z", "--name-only", "--no-renames", "--no-relative", "--ignore-submodules=none")


def git(*arguments: str, given: bytes = b"") -> bytes:
    """What git prints. Raises GitError."""
    try:
        done = subprocess.run(["git", *arguments], input=given, capture_output=True, check=False)
    except OSError as error:
        raise GitError(f"git cannot be started: {error.strerror}") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise GitError(f"git {arguments[0]} failed: {printable(lines[0], 200) if lines else 'no reason'}")
    return done.stdout


def staged() -> list[str]:
    """The paths that the index has otherwise than HEAD; while merging, otherwise than every parent.

    Raises GitError.
    """
    names = _differing(_head())
    for parent in _merged():
        names &= _differing(parent)
    return sorted(names)


def _differing(tree: str) -> set[str]:
    return _names(git("diff-index", "--cached", "--ita-invisible-in-index", *_OPTIONS, tree, "--"))


def _head() -> str:
    try:
        return os.fsdecode(git("rev-parse", "-q", "--verify", "HEAD^{tree}").strip())
    except GitError:  # nothing was committed yet
        return os.fsdecode(git("hash-object", "-t", "tree", "--stdin").strip())


def _merged() -> list[str]:
    try:
        with open(git("rev-parse", "--git-path", "MERGE_HEAD").rstrip(b"\n"), encoding="ascii") as file:
            return file.read().split()
    except FileNotFoundError:
        return []


def entering(lines: Iterable[bytes]) -> list[str]:
    """The paths changed by commits that a reference transaction brings in, and no ref had before.

    `lines` are the hook's input, `old new ref` each; refs/remotes, the stash and notes are passed over, as is
    a commit by another committer than this process would be: it was made elsewhere. Of a merge those paths
    count that differ from every parent. Raises GitError.
    """
    new = set()
    for line in lines:
        _, value, ref = line.decode("utf-8", "surrogateescape").rstrip("\n").split(" ", 2)
        passed = ref.startswith(("refs/remotes/", "refs/notes/")) or ref == "refs/stash"
        watched = ref.startswith("refs/") or ref == "HEAD"
        if watched and not passed and not value.startswith("ref:") and value.strip("0"):
            new.add(value)
    if not new:
        return []
    listed = git("rev-list", "--format=%ce", *sorted(new), "--not", *_KNOWN).split(b"\n")[:-1]
    if not listed:
        return []
    ours = _committer()
    commits = [
        head.split()[1]
        for head, email in zip(listed[0::2], listed[1::2], strict=True)
        if ours is None or email == ours
    ]
    if not commits:
        return []
    given = b"".join(commit + b"\n" for commit in commits)
    command = ("diff-tree", "--stdin", "-r", "-c", "--root", "--no-commit-id", *_OPTIONS)
    return sorted(_names(git(*command, given=given)))


def _committer() -> bytes | None:
    """The address that a commit by this process would bear; None when git knows none."""
    try:
        identity = git("var", "GIT_COMMITTER_IDENT")
    except GitError:
        return None
    return identity[identity.find(b"<") + 1 : identity.rfind(b">")]


def _names(listing: bytes) -> set[str]:
    return {os.fsdecode(name) for name in listing.split(b"\0") if name}
