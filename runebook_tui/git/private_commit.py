"""A commit made through an index of its own: the work tree and the rest of the user's index stay."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from runebook_tui.git.caller import CallersGit
from runebook_tui.git.process import GitError

SYMLINK = "120000"

_UNDER_WAY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
}
_LOCK_SECONDS = 5.0
_STEP_SECONDS = 0.05


class CommitError(Exception):
    """Nothing was committed; one line for people."""


class Entry(NamedTuple):
    """What git holds at a path: the mode as git writes it, and the object's name."""

    mode: str
    oid: str


class PrivateCommit:
    """A commit upon HEAD as it is now. Use it as a context; every method raises GitError, or CommitError."""

    def __init__(self, root: Path) -> None:
        self.git = CallersGit(root)
        self._folder = Path(tempfile.mkdtemp(prefix="runebook-commit-"))
        self._index = self._folder / "index"
        self._private = {"GIT_INDEX_FILE": str(self._index)}
        self._entries: dict[str, Entry | None] = {}

    def __enter__(self) -> PrivateCommit:
        for name, words in _UNDER_WAY.items():
            if self.git.path(name).exists():
                raise CommitError(f"{words} is under way: finish it first")
        self._ref = self.git.line("symbolic-ref", "-q", "HEAD", fine=(0, 1)) or "HEAD"
        self._head = self.git.line("rev-parse", "-q", "--verify", "HEAD^{commit}", fine=(0, 1))
        real = self.git.path("index")
        if real.exists():
            # What it knows of unchanged files saves reading them, and holds by the index's own time.
            shutil.copy2(real, self._index)
        self.git.run(
            "read-tree", *(["--reset", self._head] if self._head else ["--empty"]), variables=self._private
        )
        self.head = self._indexed()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def dirty(self) -> list[str]:
        """The paths where the work tree differs from HEAD, without what git ignores."""
        listing = self.git.run(
            "status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames",
            "--ignore-submodules=all", variables=self._private,
        )  # fmt: skip
        before_path = {b"1": 8, b"u": 10, b"?": 1}
        return [
            os.fsdecode(line.split(b" ", before_path[line[:1]])[-1])
            for line in listing.split(b"\0")
            if line[:1] in before_path and not line.endswith(b"/")
        ]

    def history(self, path: str, most: int = 50) -> list[tuple[Entry | None, str]]:
        """What the latest commits left at `path`, each with its `Runebook-Agent` or "", the newest first.

        The last one is None where the path's first commit is among them.
        """
        if not self._head:
            return []
        listing = self.git.run(
            "log", "--first-parent", "--diff-merges=first-parent", f"-n{most}", "-z", "--raw", "--no-abbrev",
            "--no-renames", "--no-show-signature",
            "--format=%x01%(trailers:key=Runebook-Agent,valueonly,separator=%x20)%x02",
            self._head, "--", path,
        )  # fmt: skip
        found: list[tuple[Entry | None, str]] = []
        first: Entry | None = None
        for part in listing.split(b"\x01")[1:]:
            agent, _, raw = part.partition(b"\x02")
            match = re.search(rb":(\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) [A-Z]", raw)
            if match is None:
                continue
            old_mode, mode, old, oid = (each.decode("ascii") for each in match.groups())
            first = _entry(old_mode, old)
            found.append((_entry(mode, oid), os.fsdecode(agent.strip())))
        return [*found, (first, "")] if found else []

    def blob(self, path: str, data: bytes, *, link: bool = False) -> str:
        """The name of a new object with `data` as `git add` would store it at `path`."""
        how = ["--no-filters"] if link else [f"--path={path}"]
        made = self.git.run("hash-object", "-w", "--stdin", *how, given=data)
        return made.decode("ascii").strip()

    def blob_of_file(self, path: str) -> str:
        """The name of a new object with what the file `path` of the work tree holds."""
        return self.git.line("hash-object", "-w", "--", path)

    def put(self, path: str, entry: Entry | None) -> None:
        """Let the commit hold `entry` at `path`; None: nothing."""
        self._entries[path] = entry

    def tree(self) -> str:
        """The tree to be committed; "" when it is HEAD's."""
        self._update(self._entries, self._private)
        self._entries.clear()
        tree = self._line("write-tree")
        return "" if tree == self._line("rev-parse", f"{self._head or self._nothing()}^{{tree}}") else tree

    def run_hook(self, hook: Path | None, *arguments: str, must: bool = True) -> None:
        """Run a hook as git would, with the private index. Raises CommitError when it says no."""
        if hook is None:
            return
        environment = {**self.git.environment, **self._private, "GIT_EDITOR": ":", "GIT_PREFIX": ""}
        environment.pop("GIT_LITERAL_PATHSPECS")
        done = subprocess.run(
            [hook, *arguments],
            cwd=self.git.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=2,
            check=False,
        )
        if must and done.returncode != 0:
            raise CommitError(
                f"nothing was committed: the hook {hook.name} ended with status {done.returncode}"
            )

    def message(self, text: str, agent: str, hooks: Mapping[str, Path | None]) -> bytes:
        """The message with its trailer, after the project's hooks have seen it."""
        said = self.git.run("stripspace", given=text.encode("utf-8", "surrogateescape"))
        if not said:
            raise CommitError("the message is empty")
        trailer = ("--if-exists", "addIfDifferent", "--trailer", f"Runebook-Agent={agent}")
        file = self._folder / "COMMIT_EDITMSG"
        file.write_bytes(self.git.run("interpret-trailers", *trailer, given=said))
        self.run_hook(hooks["prepare-commit-msg"], str(file), "message")
        self.run_hook(hooks["commit-msg"], str(file))
        said = self.git.run("stripspace", given=file.read_bytes())
        if not said:
            raise CommitError("the hooks left no message")
        return said

    def commit(self, tree: str, message: bytes, author: tuple[str, str] | None) -> str:
        """Commit `tree` and return the commit's name; HEAD and the index follow, both or neither.

        An entry of the index follows unless something else is staged there. `author`: name and address.
        """
        signed = self.git.line("config", "--type=bool", "--get", "commit.gpgSign", fine=(0, 1)) == "true"
        parents = ["-p", self._head] if self._head else []
        who = {} if author is None else {"GIT_AUTHOR_NAME": author[0], "GIT_AUTHOR_EMAIL": author[1]}
        made = self.git.run(
            "commit-tree",
            tree,
            *parents,
            *(["-S"] if signed else []),
            "-F",
            "-",
            given=message,
            variables=who,
        )
        commit = made.decode("ascii").strip()
        real = self.git.path("index")
        lock = real.with_name(real.name + ".lock")
        with open(_locked(lock), "wb") as file:
            try:
                after = self._followed(real, tree)
                file.write(after.read_bytes())
                file.flush()
                times = after.stat()
                os.utime(lock, ns=(times.st_atime_ns, times.st_mtime_ns))
                if real.exists():
                    lock.chmod(real.stat().st_mode & 0o777)
                self._move_head(commit, message)
                os.rename(lock, real)
            except BaseException:
                lock.unlink(missing_ok=True)
                raise
        return commit

    def _followed(self, real: Path, tree: str) -> Path:
        """The user's index with what is committed, in a file of its own."""
        after = self._folder / "after"
        if real.exists():
            shutil.copy2(real, after)
        variables = {"GIT_INDEX_FILE": str(after)}
        head = self._head or self._nothing()
        names = ("-z", "--name-only", "--no-renames")
        staged = self.git.run(
            "diff-index", "--cached", "--ita-invisible-in-index", *names, head, variables=variables
        )
        committed = self.git.run("diff-tree", "-r", *names, head, tree)
        ours, there = self._indexed(), set(staged.split(b"\0"))
        paths = [os.fsdecode(path) for path in committed.split(b"\0") if path and path not in there]
        self._update({path: ours.get(path) for path in paths}, variables)
        self.git.run("update-index", "-q", "--refresh", variables=variables, fine=(0, 1))
        return after

    def _move_head(self, commit: str, message: bytes) -> None:
        if (self.git.line("symbolic-ref", "-q", "HEAD", fine=(0, 1)) or "HEAD") != self._ref:
            raise CommitError("another branch was checked out meanwhile: nothing was committed")
        old = self._head or "0" * len(commit)
        subject = message.split(b"\n", 1)[0].decode("utf-8", "replace")[:200]
        try:
            self.git.run("update-ref", "--no-deref", "-m", f"commit: {subject}", self._ref, commit, old)
        except GitError as error:
            if self.git.line("rev-parse", "-q", "--verify", self._ref, fine=(0, 1)) != self._head:
                raise CommitError("HEAD moved meanwhile: nothing was committed; try again") from error
            raise

    def _indexed(self) -> dict[str, Entry]:
        """What the private index holds."""
        found = {}
        for line in self.git.run("ls-files", "-s", "-z", variables=self._private).split(b"\0")[:-1]:
            head, _, path = line.partition(b"\t")
            mode, oid, _ = head.decode("ascii").split(" ")
            found[os.fsdecode(path)] = Entry(mode, oid)
        return found

    def _update(self, entries: Mapping[str, Entry | None], variables: Mapping[str, str]) -> None:
        zero = "0" * len(self._nothing())
        gone = [
            f"0 {zero}\t".encode() + os.fsencode(path) for path, entry in entries.items() if entry is None
        ]
        here = [
            f"{entry.mode} {entry.oid}\t".encode() + os.fsencode(path)
            for path, entry in entries.items()
            if entry is not None
        ]
        given = b"".join(line + b"\0" for line in (*gone, *here))
        self.git.run("update-index", "-z", "--index-info", given=given, variables=variables)

    def _nothing(self) -> str:
        """The name of the empty tree."""
        return self.git.line("hash-object", "-t", "tree", "--stdin")

    def _line(self, *arguments: str) -> str:
        return os.fsdecode(self.git.run(*arguments, variables=self._private).removesuffix(b"\n"))


def _entry(mode: str, oid: str) -> Entry | None:
    return Entry(mode, oid) if oid.strip("0") else None


def _locked(lock: Path) -> int:
    """Take git's lock on the index. Raises CommitError when another process keeps it."""
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            return os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            if time.monotonic() > end:
                raise CommitError(f"another git process keeps {lock}: nothing was committed") from None
            time.sleep(_STEP_SECONDS)
