"""Where a work tree and its index stand, before files are written into it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from runebook_tui.git.known import Signature, signature
from runebook_tui.git.process import Git
from runebook_tui.git.trees import SYMLINK, Entry, indexed


def above_of(path: str) -> list[str]:
    """The folders above a path, the outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


class Stand:
    """Where the work tree and the index stand, for the paths that are to become `writes`.

    `in_the_way` has the paths whose file holds what is nowhere else, or that cannot be written, and why.
    """

    def __init__(
        self, main: Git, writes: Mapping[str, Entry | None], here: Mapping[str, Entry | None]
    ) -> None:
        self._main = main
        self._writes = writes
        self._here = here
        self._dirty = _dirty(main)
        self._index = indexed(main)
        self._folders: set[str] = set()
        self.seen: dict[str, Signature | None] = {
            path: signature(os.path.join(main.root, path)) for path in writes
        }
        self.in_the_way = {path: why for path in writes if (why := self._obstacle(path))}

    def is_absent(self, path: str) -> bool:
        """Whether the work tree has nothing at the path."""
        return self.seen[path] is None

    def is_folder(self, path: str) -> bool:
        """Whether a folder with files of its own is in the way, or something that should be one is none."""
        return path in self._folders

    def _obstacle(self, path: str) -> str:
        if not self._parents_are_folders(path):
            self._folders.add(path)
            return "what should be a folder above it is none"
        target = os.path.join(self._main.root, path)
        if self.seen[path] is not None and stat.S_ISDIR(os.lstat(target).st_mode):
            if all(self._leaves(folder, file) for folder, _, files in os.walk(target) for file in files):
                self.seen[path] = None  # the removal of its files removes it
                return ""
            self._folders.add(path)
            return "a folder is in its place"
        if path not in self._dirty and (path in self._index or self.seen[path] is None):
            return ""
        fine = (self._here[path], self._writes[path])
        if self._index.get(path) not in fine or self._file(path) not in fine:
            return "it holds work that is not committed"
        return ""

    def _parents_are_folders(self, path: str) -> bool:
        for above in above_of(path):
            try:
                mode = os.lstat(os.path.join(self._main.root, above)).st_mode
            except FileNotFoundError:
                return True
            if not stat.S_ISDIR(mode):
                return above in self._writes and self._writes[above] is None
        return True

    def _leaves(self, folder: str, file: str) -> bool:
        path = os.path.relpath(os.path.join(folder, file), self._main.root)
        return path in self._writes and self._writes[path] is None

    def _file(self, path: str) -> Entry | None:
        """What the work tree has at the path, as git would keep it."""
        target = os.path.join(self._main.root, path)
        try:
            mode = os.lstat(target).st_mode
            if stat.S_ISLNK(mode):
                given = os.fsencode(os.readlink(target))
                return Entry(SYMLINK, self._main.run("hash-object", "--stdin", given=given).decode().strip())
        except (FileNotFoundError, NotADirectoryError):
            return None
        oid = self._main.run("hash-object", "--", path).decode("ascii").strip()
        return Entry("100755" if mode & 0o100 else "100644", oid)


def _dirty(main: Git) -> set[str]:
    """The tracked paths on which work tree, index and HEAD do not agree."""
    listing = main.run(
        "status", "--porcelain=v2", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules=all"
    )
    fields = {b"1": 8, b"u": 10}
    return {
        os.fsdecode(line.split(b" ", fields[line[:1]])[-1])
        for line in listing.split(b"\0")
        if line[:1] in fields
    }
