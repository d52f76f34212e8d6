"""Published: one file as another checkout published it, fetched from a remote and taken by its digest."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from runebook_tui.git.process import Git

FETCH_SECONDS = 60.0
MOST_REFS = 200
"""So many branches of the remote are looked through, the newest first."""
MOST_BYTES = 10_000_000
_EXECUTABLE = b"100755"


class Found(NamedTuple):
    """A file as it was published."""

    data: bytes
    executable: bool
    branch: str
    """The remote's branch that has it, such as `origin/main`."""


def fetch(root: Path, remote: str) -> None:
    """Fetch the remote's branches; asks nobody for a password. Raises GitError."""
    variables = {} if "GIT_SSH_COMMAND" in os.environ else {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes"}
    Git(root).run("fetch", "--quiet", "--no-tags", "--", remote, seconds=FETCH_SECONDS, variables=variables)


def find(root: Path, remote: str, path: str, digest: str) -> Found | None:
    """The file at `path` whose content has that SHA-256, on a fetched branch; None when none has it.

    Raises GitError.
    """
    git = Git(root)
    listed = git.run(
        "for-each-ref",
        f"--count={MOST_REFS}",
        "--sort=-committerdate",
        "--format=%(if)%(symref)%(then)%(else)%(refname)%(end)",
        f"refs/remotes/{remote}/",
    )
    seen: set[bytes] = set()
    for ref in listed.split():
        name = os.fsdecode(ref)
        entry = git.run("ls-tree", "-l", "-z", "--full-tree", name, "--", f":(literal){path}").split(b"\0")[0]
        fields = entry.partition(b"\t")[0].split()
        if len(fields) != 4 or fields[1] != b"blob" or fields[2] in seen:
            continue
        seen.add(fields[2])
        mode, _, oid, size = fields
        if mode == b"120000" or int(size) > MOST_BYTES:
            continue
        data = git.run("cat-file", "blob", os.fsdecode(oid))
        if hashlib.sha256(data).hexdigest() == digest:
            return Found(data, mode == _EXECUTABLE, name.removeprefix("refs/remotes/"))
    return None


def untouched(root: Path, path: str) -> bool:
    """Whether the tree and the index have at `path` what HEAD has: nothing of anybody's would be lost.

    Raises GitError.
    """
    git = Git(root)
    if git.run("status", "--porcelain=v1", "-z", "--ignored", "-uall", "--", f":(literal){path}"):
        return False
    tracked = git.run("ls-files", "-z", "--", f":(literal){path}")
    return bool(tracked) or not os.path.lexists(root / path)
