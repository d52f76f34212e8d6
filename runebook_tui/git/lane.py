"""One lane: an agent's own work tree and branch, and what of it the repository does not have yet."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runebook_tui.git.process import Git, GitError
from runebook_tui.git.trees import Entry, PrivateIndex, difference
from runebook_tui.place import lanes_folder

_UNDER_WAY = (
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "BISECT_LOG",
    "rebase-merge",
    "rebase-apply",
    "index.lock",
)


def under_way(git: Git) -> str:
    """The git operation that somebody is in the middle of in this work tree; "" when there is none.

    The files are those of gitrepository-layout(5) and git-status of git 2.39. Raises GitError.
    """
    folder = git.folder()
    found = [name for name in _UNDER_WAY if os.path.lexists(os.path.join(folder, name))]
    words = {"index.lock": "a git command", "BISECT_LOG": "a bisection"}
    return words.get(found[0], found[0].removesuffix("_HEAD").lower().replace("_", "-")) if found else ""


@contextmanager
def private_index(git: Git) -> Iterator[PrivateIndex]:
    """An index for `git` that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="runebook-index-") as folder:
        yield PrivateIndex(git, Path(folder) / "index")


@dataclass(frozen=True)
class Work:
    """What a lane holds now.

    `tree` is all of it, committed or not; `base` the tree from which it is reckoned: the repository's when
    the lane was made, with what was integrated since. `changed` are the paths that the lane has otherwise
    than both the base and the repository's HEAD, with the base's entry and the lane's; `same` are those that
    the repository has already as the lane has them.
    """

    tree: str
    base: str
    changed: dict[str, tuple[Entry | None, Entry | None]]
    same: dict[str, Entry | None]


class Lane:
    """The lane of `agent` in the repository at `root`, whether it is there yet or not."""

    def __init__(self, root: Path, agent: str) -> None:
        self.repository = root.resolve()
        self.agent = agent
        self.root = lanes_folder(root) / agent
        self.branch = f"runebook/{agent}"
        self.reference = f"refs/heads/{self.branch}"
        self.base_reference = f"refs/runebook/lanes/{agent}"
        self.git = Git(self.root)
        self.main = Git(root)

    def exists(self) -> bool:
        """Whether the folder is a work tree of this repository."""
        try:
            return os.path.samefile(self.git.common_folder(), self.main.common_folder())
        except (GitError, OSError):
            return False

    def head(self) -> str:
        """The lane's commit. Raises GitError."""
        return _commit(self.git, "HEAD")

    def on_branch(self) -> bool:
        """Whether the lane is on its own branch. Raises GitError."""
        name = self.git.run("symbolic-ref", "-q", "HEAD", fine=(0, 1))
        return name.decode("utf-8", "replace").strip() == self.reference

    def base(self) -> str:
        """The commit or tree from which the lane's work is reckoned. Raises GitError."""
        known = self.main.run("rev-parse", "-q", "--verify", f"{self.base_reference}^{{tree}}", fine=(0, 1))
        return known.decode("ascii").strip() or self._fork()

    def reckon_from(self, base: str) -> None:
        """Reckon the lane's work from the commit `base`: what it has is integrated. Raises GitError."""
        self.main.run("update-ref", self.base_reference, base)

    def work(self, head: str = "HEAD") -> Work:
        """What the lane holds now, against the repository's commit `head`. Raises GitError."""
        with private_index(self.git) as index:
            tree = index.tree_of_files()
        base = self.base()
        brought = difference(self.main, base, self._fork())
        theirs = difference(self.main, base, head)
        changed, same = {}, {}
        for path, (before, mine) in difference(self.main, base, tree).items():
            if theirs.get(path, (None, before))[1] == mine:
                same[path] = mine
            elif brought.get(path, (None, before))[1] != mine:
                changed[path] = before, mine
        return Work(tree, base, changed, same)

    def _fork(self) -> str:
        """The last commit that lane and repository have in common. Raises GitError."""
        found = self.main.run("merge-base", "HEAD", self.head(), fine=(0, 1)).decode("ascii").split()
        if not found:
            raise GitError(f"{self.branch} has no commit in common with the repository's branch")
        return found[0]


def _commit(git: Git, name: str) -> str:
    return git.run("rev-parse", "-q", "--verify", f"{name}^{{commit}}").decode("ascii").strip()
