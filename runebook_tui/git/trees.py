"""Git's trees as values: what differs between two, and new ones made through a private index."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from runebook_tui.git.process import Git

SYMLINK, SUBMODULE = "120000", "160000"

_NOTHING = "000000"


class Entry(NamedTuple):
    """What a tree holds at a path: the mode as git writes it, and the object's name."""

    mode: str
    oid: str


Difference = tuple[Entry | None, Entry | None]
"""Before and after; None where nothing is there."""


def difference(git: Git, before: str, after: str) -> dict[str, Difference]:
    """The paths that differ between two trees. Raises GitError."""
    listing = git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", before, after)
    fields = listing.split(b"\0")
    found: dict[str, Difference] = {}
    for head, path in zip(fields[0::2], fields[1::2], strict=False):
        old_mode, new_mode, old, new, _ = head[1:].decode("ascii").split(" ")
        found[os.fsdecode(path)] = _entry(old_mode, old), _entry(new_mode, new)
    return found


def _entry(mode: str, oid: str) -> Entry | None:
    return None if mode == _NOTHING else Entry(mode, oid)


def names(git: Git, tree: str) -> list[str]:
    """Every path of a tree. Raises GitError."""
    return [
        os.fsdecode(name) for name in git.run("ls-tree", "-r", "-z", "--name-only", tree).split(b"\0")[:-1]
    ]


def indexed(git: Git) -> dict[str, Entry]:
    """What the index of the work tree holds, unmerged paths left out. Raises GitError."""
    found = {}
    for line in git.run("ls-files", "-s", "-z").split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, oid, stage = head.decode("ascii").split(" ")
        if stage == "0":
            found[os.fsdecode(path)] = Entry(mode, oid)
    return found


def update_index(
    git: Git, entries: Mapping[str, Entry | None], *, variables: Mapping[str, str] | None = None
) -> None:
    """Put `entries` into an index; None takes a path out. Raises GitError."""
    zero = "0" * (40 if git.run("rev-parse", "--show-object-format").strip() == b"sha1" else 64)
    gone = [f"0 {zero}\t".encode() + os.fsencode(path) for path, entry in entries.items() if entry is None]
    here = [
        f"{entry.mode} {entry.oid}\t".encode() + os.fsencode(path)
        for path, entry in entries.items()
        if entry is not None
    ]
    if gone or here:
        given = b"".join(line + b"\0" for line in (*gone, *here))
        git.run("update-index", "-z", "--index-info", given=given, variables=variables)


class PrivateIndex:
    """An index of its own in the file `file`, for trees that no work tree has."""

    def __init__(self, git: Git, file: Path) -> None:
        self._git = git
        self.variables = {"GIT_INDEX_FILE": os.fspath(file)}
        self._file = file

    def tree_with(self, tree: str, entries: Mapping[str, Entry | None]) -> str:
        """The tree that `tree` becomes with `entries`. Raises GitError."""
        self._git.run("read-tree", tree, variables=self.variables)
        update_index(self._git, entries, variables=self.variables)
        return self._git.run("write-tree", variables=self.variables).decode("ascii").strip()

    def tree_of_files(self) -> str:
        """The tree of all files that git does not ignore, as they are on the disk. Raises GitError."""
        index = Path(self._git.folder()) / "index"
        if index.exists():
            shutil.copyfile(index, self._file)  # what it knows of unchanged files saves reading them
        self._git.run("add", "-A", "--", ".", seconds=600, variables=self.variables)
        return self._git.run("write-tree", variables=self.variables).decode("ascii").strip()
