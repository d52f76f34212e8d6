"""The worktrees of the lanes: made, taken up again, brought up to date and removed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from runebook_tui.git.commits import commit_tree
from runebook_tui.git.lane import Lane, under_way
from runebook_tui.git.process import Git, GitError, printable
from runebook_tui.place import lanes_folder


class LaneError(GitError):
    """A lane cannot be had or must not be touched; one line for people."""


class Listed(NamedTuple):
    """A work tree of the repository: its top, and the branch it is on ("" when on none)."""

    root: str
    branch: str


class Worktrees:
    """The lanes of the repository at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._git = Git(root)

    def lane(self, agent: str) -> Lane:
        """The lane of `agent`, whether it is there yet or not."""
        return Lane(self.root, agent)

    def lanes(self) -> list[Lane]:
        """The lanes that are there, by agent. Raises GitError."""
        beside = os.fspath(lanes_folder(self.root))
        tops = [each.root for each in self._listed() if os.path.dirname(each.root) == beside]
        found = [self.lane(os.path.basename(top)) for top in sorted(tops)]
        return [lane for lane in found if lane.exists()]

    def open(self, agent: str) -> tuple[Lane, bool]:
        """The lane of `agent`, ready to work in, and whether it is as the repository's HEAD.

        One that is there is brought up to date unless it holds work that the repository does not have;
        then it is taken up as it is. Raises LaneError, GitError.
        """
        lane = self.lane(agent)
        if not self._git.run("rev-parse", "-q", "--verify", "HEAD", fine=(0, 1)):
            raise LaneError('isolation = "worktree" needs a first commit: lanes begin at HEAD')
        if not lane.exists():
            self._add(lane)
        return lane, self._renew(lane)

    def remove(self, agent: str) -> bool:
        """Remove the worktree of `agent`; whether its branch went too, which has nothing of its own then.

        Raises LaneError when something would be lost, GitError.
        """
        lane = self.lane(agent)
        if not lane.exists():
            raise LaneError(f"{agent} has no worktree")
        pending = self._in_the_way(lane)
        if pending:
            raise LaneError(f"the worktree of {agent} is kept: {pending}")
        here = lane.git.run("rev-parse", "HEAD").decode("ascii").strip()
        own = not lane.on_branch()
        held = self._git.run("for-each-ref", "--contains", here, "--format=%(refname)", "refs/heads/")
        if own and not held:
            raise LaneError(f"the worktree of {agent} is kept: its HEAD is a commit that no branch holds")
        # What is left differs from no one's copy; only ignored files and the index stand in git's way.
        self._git.run("worktree", "remove", "--force", os.fspath(lane.root))
        self._git.run("update-ref", "-d", lane.base_reference)
        tip = (
            self._git.run("rev-parse", "-q", "--verify", lane.reference, fine=(0, 1)).decode("ascii").strip()
        )
        if not tip or self._git.run("rev-list", "-n1", tip, "^HEAD"):
            return False
        self._git.run("update-ref", "-d", lane.reference, tip)
        return True

    def _in_the_way(self, lane: Lane) -> str:
        """Why the lane's files cannot be replaced or removed, in words; "" when nothing would be lost."""
        doing = under_way(lane.git)
        if doing:
            return f"it is in the middle of {doing}"
        changed = sorted(lane.work().changed)
        if not changed:
            return ""
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        return f"{printable(os.fsencode(changed[0]), 200)}{more} not integrated"

    def _listed(self) -> list[Listed]:
        found: list[Listed] = []
        for block in self._git.run("worktree", "list", "--porcelain", "-z").split(b"\0\0"):
            facts = dict(line.partition(b" ")[::2] for line in block.split(b"\0") if line)
            if b"worktree" in facts:
                branch = os.fsdecode(facts.get(b"branch", b"")).removeprefix("refs/heads/")
                found.append(Listed(os.fsdecode(facts[b"worktree"]), branch))
        return found

    def _add(self, lane: Lane) -> None:
        top = os.fspath(lane.root)
        if os.path.lexists(top) and not (os.path.isdir(top) and not os.listdir(top)):
            raise LaneError(f"{top} is there already and is no worktree of this repository")
        for each in self._listed():
            if each.branch == lane.branch and each.root != top:
                raise LaneError(f"branch {lane.branch} is checked out in {each.root}")
        there = self._git.run("rev-parse", "-q", "--verify", lane.reference, fine=(0, 1))
        which = [top, lane.branch] if there else ["--no-track", "-b", lane.branch, top, "HEAD"]
        # forced only past a worktree that git remembers and somebody deleted
        self._git.run("worktree", "add", "-f", *which, seconds=600)

    def _renew(self, lane: Lane) -> bool:
        """Bring a lane without work of its own to the repository's HEAD; False when it is left as it is."""
        if not lane.on_branch() or self._in_the_way(lane):
            return False
        head = self._git.run("rev-parse", "HEAD").decode("ascii").strip()
        tip = lane.head()
        if tip != head or lane.work().tree != _tree(self._git, head):
            lane.git.run("add", "-A", "--", ".")
            lane.git.run("read-tree", "-m", "-u", lane.git.run("write-tree").decode("ascii").strip(), head)
            if self._git.run("rev-list", "-n1", tip, f"^{head}"):
                words = f"Bring {lane.branch} up to date\n\nEverything in it was integrated or taken back.\n"
                new = commit_tree(self._git, _tree(self._git, head), (tip, head), words)
            else:
                new = head
            lane.git.run("update-ref", "-m", "runebook: up to date", "HEAD", new, tip)
        self._git.run("update-ref", lane.base_reference, head)
        return True


def _tree(git: Git, name: str) -> str:
    return git.run("rev-parse", f"{name}^{{tree}}").decode("ascii").strip()
