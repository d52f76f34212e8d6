"""Tree: the files of a repository by folder, each with its owner, as rows to show. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple


class File(NamedTuple):
    """One file."""

    path: str
    owner: str
    """"" for nobody's."""
    search: str
    """Path and owner in small letters, for a filter."""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


class Folder:
    """A folder: what is in it by name. `path` ends in a slash; that of the tree's top is ""."""

    __slots__ = ("count", "files", "folders", "owners", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.folders: dict[str, Folder] = {}
        self.files: dict[str, File] = {}
        self.count = 0
        """How many files are below it."""
        self.owners: dict[str, int] = {}
        """How many of them each owner has; "" stands for nobody."""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path[:-1].rpartition("/")[2]

    @property
    def owner(self) -> str | None:
        """Whose all files below it are; None when they have several owners."""
        return next(iter(self.owners)) if len(self.owners) == 1 else None


class Row(NamedTuple):
    """One row: a file or a folder, how deep it is, and whether it is unfolded."""

    node: File | Folder
    depth: int
    open: bool = False


class Tree:
    """Files by folder; they may come and go."""

    def __init__(self, files: Iterable[File] = ()) -> None:
        self.top = Folder("")
        self._folders = {"": self.top}
        for file in files:
            head, slash, name = file.path.rpartition("/")
            folder = self._made(head + slash)
            if name not in folder.files:
                folder.files[name] = file
                folder.count += 1
                folder.owners[file.owner] = folder.owners.get(file.owner, 0) + 1
        # A folder is made after those above it.
        for folder in reversed(self._folders.values()):
            if folder.path:
                above = self._above(folder)
                above.count += folder.count
                for owner, count in folder.owners.items():
                    above.owners[owner] = above.owners.get(owner, 0) + count

    def __len__(self) -> int:
        return self.top.count

    def __contains__(self, path: str) -> bool:
        return self.get(path) is not None

    def __iter__(self) -> Iterator[File]:
        for folder in self._folders.values():
            yield from folder.files.values()

    def get(self, path: str) -> File | None:
        """The file at a path, or None."""
        head, slash, name = path.rpartition("/")
        folder = self._folders.get(head + slash)
        return None if folder is None else folder.files.get(name)

    def folder(self, path: str) -> Folder | None:
        """The folder at a path that ends in a slash, or None."""
        return self._folders.get(path)

    def add(self, file: File) -> None:
        """Put a file in; one that is there already is left as it is."""
        head, slash, name = file.path.rpartition("/")
        folder = self._made(head + slash)
        if name not in folder.files:
            folder.files[name] = file
            self._count(folder, file.owner, 1)

    def remove(self, path: str) -> None:
        """Take a file out, if it is there; a folder goes with its last file."""
        head, slash, name = path.rpartition("/")
        folder = self._folders.get(head + slash)
        file = None if folder is None else folder.files.pop(name, None)
        if folder is not None and file is not None:
            self._count(folder, file.owner, -1)

    def rows(self, opened: Collection[str] | None) -> list[Row]:
        """The rows to show, folders first; only the folders `opened` are unfolded, all with None."""
        shown: list[Row] = []
        stack = [iter(_inside(self.top, 0))]
        while stack:
            row = next(stack[-1], None)
            if row is None:
                stack.pop()
            elif isinstance(row.node, Folder) and (opened is None or row.node.path in opened):
                shown.append(row._replace(open=True))
                stack.append(iter(_inside(row.node, row.depth + 1)))
            else:
                shown.append(row)
        return shown

    def _made(self, path: str) -> Folder:
        """The folder at a path; it is made where it is not there yet, with those above it."""
        missing: list[str] = []
        while (folder := self._folders.get(path)) is None:
            missing.append(path)
            path = path[:-1].rpartition("/")[0]
            path += "/" if path else ""
        for each in reversed(missing):
            fresh = self._folders[each] = Folder(each)
            folder.folders[fresh.name] = fresh
            folder = fresh
        return folder

    def _above(self, folder: Folder) -> Folder:
        above = folder.path[:-1].rpartition("/")[0]
        return self._folders[above + "/" if above else ""]

    def _count(self, folder: Folder, owner: str, by: int) -> None:
        """Count a file in its folder and in those above; empty folders vanish."""
        while True:
            folder.count += by
            folder.owners[owner] = folder.owners.get(owner, 0) + by
            if not folder.owners[owner]:
                del folder.owners[owner]
            if not folder.path:
                return
            parent = self._above(folder)
            if not folder.count:
                del self._folders[folder.path], parent.folders[folder.name]
            folder = parent


def _inside(folder: Folder, depth: int) -> list[Row]:
    """What is directly in a folder, in order."""
    return [
        *(Row(folder.folders[name], depth) for name in sorted(folder.folders)),
        *(Row(folder.files[name], depth) for name in sorted(folder.files)),
    ]
