"""An agent's commit: its own changes, as log, history and tree tell them, as far as it may commit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runebook_tui.core.boundary import commit_refusal
from runebook_tui.core.events import Touched
from runebook_tui.core.hosts import tree_of
from runebook_tui.core.state import State
from runebook_tui.core.types import Version
from runebook_tui.git.hooks import GuardHooks
from runebook_tui.git.lane import Lane
from runebook_tui.git.private_commit import SYMLINK, CommitError, Entry, PrivateCommit
from runebook_tui.history.git import Entry as IndexEntry
from runebook_tui.history.git import GitTree
from runebook_tui.history.look import look
from runebook_tui.history.share import Committed, Held, LeftOut, same, share, steps_of
from runebook_tui.history.store import FILE_LIMIT_BYTES, ContentStore
from runebook_tui.log.eventlog import EventLog
from runebook_tui.place import host_name, state_folder

_ABSENT = Version(kind="absent")


@dataclass(frozen=True)
class Made:
    """What became of a commit."""

    commit: str | None
    paths: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    """Paths with the agent's changes that are not in it, each with the reason."""
    skipped_hook: bool = False
    """Whether the project's pre-commit hook was not run."""


class AgentCommit:
    """A commit of the changes of `agent` in the repository at `root`, by what `log` says.

    An agent that has a lane commits there, on the lane's branch.
    """

    def __init__(self, root: Path, agent: str, log: EventLog, state: State) -> None:
        lane = Lane(root, agent)
        self._lane = agent if state.plan.has_lanes and lane.exists() else ""
        self._root = lane.root if self._lane else root
        self._tree_name = self._lane or tree_of(host_name(root))
        self._agent = agent
        self._log = log
        self._state = state
        self._store = ContentStore(state_folder(root) / "history")
        self._tree = GitTree(self._root)

    def make(self, message: str, *, author: tuple[str, str] | None, partial: bool, verify: bool) -> Made:
        """Commit. Nothing is committed when there is nothing, or when a path is left out without `partial`.

        Raises CommitError, GitError, HistoryError.
        """
        try:
            with PrivateCommit(self._root) as private:
                return self._make(private, message, author, partial, verify)
        finally:
            self._tree.close()

    def _make(
        self,
        private: PrivateCommit,
        message: str,
        author: tuple[str, str] | None,
        partial: bool,
        verify: bool,
    ) -> Made:
        paths: list[str] = []
        left_out: list[tuple[str, str]] = []
        others = False  # would a hook that stashes hide work?
        for path in private.dirty():
            found = self._share(private, path)
            if found is None:
                others = others or path in private.head
            elif isinstance(found, LeftOut):
                left_out.append((path, found.reason))
                others = others or path in private.head
            else:
                private.put(path, self._entry(private, path, found))
                paths.append(path)
                others = others or not same(found.version, self._now(path).version)
        tree = private.tree() if paths else ""
        if not tree or (left_out and not partial):
            return Made(None, (), tuple(left_out))
        hooks = GuardHooks(self._root, ())
        checks = hooks.project_hook("pre-commit")
        skipped = checks is not None and others and not verify
        if not skipped:
            private.run_hook(checks)
            changed = private.tree()
            if changed != tree and others:
                raise CommitError(
                    "nothing was committed: the pre-commit hook changed what is to be committed, and others'"
                    " work is in the tree"
                )
            tree = changed
            if not tree:
                raise CommitError("nothing was committed: the pre-commit hook left nothing to commit")
        said = private.message(
            message, self._agent, {n: hooks.project_hook(n) for n in ("prepare-commit-msg", "commit-msg")}
        )
        commit = private.commit(tree, said, author)
        private.run_hook(hooks.project_hook("post-commit"), must=False)
        return Made(commit, tuple(paths), tuple(left_out), skipped)

    def _share(self, private: PrivateCommit, path: str) -> Held | LeftOut | None:
        """The agent's share of what is at `path`."""
        found_there = self._log.read(types=["Touched"], path=path, lane=self._tree_name)
        touches = [
            (record.event.change, record.event.author)
            for record in found_there
            if isinstance(record.event, Touched)
        ]
        forgotten = bool(found_there) and found_there[0].seq < self._state.forgotten_before
        claim = self._state.owners.owner_of(path)
        owned = claim is not None and claim.owner == self._agent
        found: Held | LeftOut | None
        if touches:
            found = share(
                self._agent,
                self._version(path, private.head.get(path)),
                steps_of(touches),
                self._content,
                lambda: self._commits(private, path),
                owned=owned,
                forgotten=forgotten,
            )
        else:
            found = self._now(path) if owned else None
        if found is None or isinstance(found, LeftOut):
            return found
        refusal = commit_refusal(self._state, self._agent, path)
        if refusal is not None:
            return LeftOut(refusal)
        if found.version.kind == "other":
            return LeftOut("it is no file")
        if found.data is None and found.version.kind != "absent" and not self._in_tree(path, found.version):
            return LeftOut("its content is kept nowhere (any more)")
        return found

    def _entry(self, private: PrivateCommit, path: str, found: Held) -> Entry | None:
        kind = found.version.kind
        if kind == "absent":
            return None
        mode = SYMLINK if kind == "symlink" else "100755" if found.version.mode & 0o100 else "100644"
        if found.data is not None:
            return Entry(mode, private.blob(path, found.data, link=kind == "symlink"))
        oid = private.blob_of_file(path)
        if not self._in_tree(path, found.version):
            raise CommitError(f"{path} changed meanwhile: nothing was committed; try again")
        return Entry(mode, oid)

    def _commits(self, private: PrivateCommit, path: str) -> Sequence[Committed]:
        return [
            Committed(self._version(path, entry), agent or None) for entry, agent in private.history(path)
        ]

    def _version(self, path: str, entry: Entry | None) -> Version:
        """What a checkout of `entry` would write; without a digest where that cannot be known."""
        if entry is None:
            return _ABSENT
        oid = entry.oid.encode("ascii")
        blob = self._tree.content(path, IndexEntry(entry.mode, oid), keep=0)
        if entry.mode == SYMLINK:
            return Version(kind="symlink", digest=None if blob is None else blob.digest)
        mode = 0o755 if entry.mode == "100755" else 0o644
        return Version(kind="file", digest=None if blob is None else blob.digest, mode=mode)

    def _content(self, version: Version) -> bytes | None:
        return self._store.get(version.digest) if version.digest is not None and version.stored else None

    def _now(self, path: str) -> Held:
        found = look(self._root, path, keep=FILE_LIMIT_BYTES)
        assert found is not None  # only a look with a stamp to compare says nothing
        return Held(found.version, found.data)

    def _in_tree(self, path: str, version: Version) -> bool:
        return same(self._now(path).version, version)
