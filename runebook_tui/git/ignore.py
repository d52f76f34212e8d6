"""What is ignored: by git's own answer, and `__pycache__` and `*.pyc` besides."""

from __future__ import annotations

import os
import selectors
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from subprocess import Popen

from runebook_tui.git.known import Known, Signature, signature
from runebook_tui.git.process import Git, GitError

_ANSWER_SECONDS = 10.0
_STARTS = 32
_FOLDERS_FIRST = 32
_MOST_FOLDERS = 10_000
"""Folders whose rules are remembered: builds make new ones without end."""


def is_private(path: str) -> bool:
    """True for what belongs to git or Runebook itself: any `.git`, the top's `.runebook`, all below them."""
    parts = path.split("/")
    return ".git" in parts or parts[0] == ".runebook"


def is_bytecode(path: str) -> bool:
    """True for Python's caches, which no agent answers for."""
    return path.endswith(".pyc") or "__pycache__" in path.split("/")


class Ignore:
    """Which paths of the tree at `root` are ignored; a tracked file never is.

    One `git check-ignore` process answers (0.02 ms a path, 5 ms to start); it starts again by itself when
    an ignore file or a git configuration changed. The index is not asked by git, which would cost
    0.3 ms a path at 20,000 files, but by `known`. While git fails, only what needs no git is ignored.
    All methods may be called from any thread.
    """

    def __init__(self, root: Path) -> None:
        self._git = Git(root)
        self.known = Known(self._git)
        self._lock = threading.Lock()
        self._answers: _Answers | None = None
        self._closed = False
        self._common: list[str] = []
        self._rules: dict[str, Signature | None] = {}
        self._ignored_folders: dict[str, bool] = {}

    def among(self, paths: Iterable[str]) -> set[str]:
        """The ignored ones of `paths`, which are relative to the root and may name files or folders."""
        private: set[str] = set()
        bytecode: set[str] = set()
        asked: list[str] = []
        for path in set(paths):
            if is_private(path):
                private.add(path)
            elif is_bytecode(path):
                bytecode.add(path)
            else:
                asked.append(path)
        with self._lock:
            ignored = bytecode | self._by_git(asked)
        if ignored:
            ignored -= self.known.tracked()
        return private | ignored

    def close(self) -> None:
        """End the git process. A question that comes later (from a thread, say) starts no new one."""
        with self._lock:
            self._closed = True
            self._stop()

    def _by_git(self, paths: list[str]) -> set[str]:
        if not paths or self._closed:
            return set()
        parents = {path.rpartition("/")[0] for path in paths} - {""}
        if len(self._rules) > _MOST_FOLDERS or self._rules_changed(parents):
            self._forget()
            self._rules_changed(parents)
        if len(paths) > _FOLDERS_FIRST:
            # a file below an ignored folder cannot be re-included: gitignore(5), git 2.39
            unsure = [folder for folder in parents if folder not in self._ignored_folders]
            ignored = self._ask(unsure)
            self._ignored_folders.update((folder, folder in ignored) for folder in unsure)
        below = {path for path in paths if self._ignored_folders.get(path.rpartition("/")[0])}
        return below | self._ask([path for path in paths if path not in below])

    def _rules_changed(self, folders: set[str]) -> bool:
        """Note each rule file that bears on `folders` when first met; True if one met earlier changed."""
        chain = {""}
        for folder in folders:
            while folder not in chain:
                chain.add(folder)
                folder = folder.rpartition("/")[0]
        files = [os.path.join(self._git.root, folder, ".gitignore") for folder in chain]
        for file in (*self._common, *files):
            now = signature(file)
            if self._rules.setdefault(file, now) != now:
                return True
        return False

    def _ask(self, paths: list[str]) -> set[str]:
        ignored: set[str] = set()
        rest = paths
        until = time.monotonic() + _ANSWER_SECONDS
        for _ in range(_STARTS):
            if not rest or time.monotonic() > until:
                break
            fresh = self._answers is None
            try:
                answers = self._answers or self._start()
            except GitError:
                break
            verdicts = answers.to(rest)
            ignored.update(path for path, verdict in zip(rest, verdicts, strict=False) if verdict)
            rest = rest[len(verdicts) :]
            if rest:
                self._stop()
            if fresh and not verdicts:
                # this path ends git (it is below a symbolic link, say), so it is not ignored
                rest = rest[1:]
        return ignored

    def _start(self) -> _Answers:
        self._common = _common_rules(self._git)
        # noted before git reads them: a later change is then sure to be seen
        self._rules.update((file, signature(file)) for file in self._common)
        self._answers = _Answers(self._git)
        return self._answers

    def _stop(self) -> None:
        if self._answers is not None:
            self._answers.close()
        self._answers = None

    def _forget(self) -> None:
        self._stop()
        self._common = []
        self._rules.clear()
        self._ignored_folders.clear()


class _Answers:
    """A running `git check-ignore --stdin -z -v -n`. Raises GitError when it cannot be started."""

    def __init__(self, git: Git) -> None:
        self._process: Popen[bytes] = git.start("check-ignore", "--no-index", "--stdin", "-z", "-v", "-n")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)

    def to(self, paths: list[str]) -> list[bool]:
        """One verdict a path, in order; fewer when git ended or fell silent for ten seconds."""
        # "./" keeps a leading ":" from being read as pathspec magic
        question = memoryview(b"".join(b"./" + os.fsencode(path) + b"\0" for path in paths))
        answer = bytearray()
        fields = 0
        deadline = time.monotonic() + _ANSWER_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._in, selectors.EVENT_WRITE)
            selector.register(self._out, selectors.EVENT_READ)
            while fields < 4 * len(paths):
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    break
                deadline = time.monotonic() + _ANSWER_SECONDS
                for key, _ in ready:
                    if key.fd == self._out:
                        piece = _read(self._out)
                        if piece == b"":
                            return _verdicts(answer)
                        if piece is not None:
                            fields += piece.count(b"\0")
                            answer += piece
                    else:
                        question = question[_write(self._in, question) :]
                        if not question:
                            selector.unregister(self._in)
        return _verdicts(answer)

    def close(self) -> None:
        """End the process and wait for it."""
        self._process.kill()
        with self._process:
            pass


def _read(descriptor: int) -> bytes | None:
    """What is there to read: empty at the end, None when there is nothing yet."""
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return None


def _write(descriptor: int, data: memoryview) -> int:
    try:
        return os.write(descriptor, data)
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(data)


def _verdicts(answer: bytearray) -> list[bool]:
    """Verdicts from records of source, line, pattern and path; a pattern with `!` re-includes."""
    fields = bytes(answer).split(b"\0")[:-1]
    patterns = fields[2 : len(fields) - len(fields) % 4 : 4]
    return [bool(pattern) and not pattern.startswith(b"!") for pattern in patterns]


def _common_rules(git: Git) -> list[str]:
    """The files outside the tree's folders on which git's answer depends."""
    folder, common = git.folder(), git.common_folder()
    home = os.path.expanduser("~")
    settings = os.path.join(git.environment_of("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "git")
    try:
        named = git.run("config", "--type=path", "-z", "--get", "core.excludesFile").rstrip(b"\0")
    except GitError:
        named = b""
    excludes = os.path.join(git.root, os.fsdecode(named)) if named else os.path.join(settings, "ignore")
    return [
        excludes,
        os.path.join(common, "info", "exclude"),
        os.path.join(common, "config"),
        os.path.join(folder, "config.worktree"),
        git.environment_of("GIT_CONFIG_GLOBAL") or os.path.join(home, ".gitconfig"),
        os.path.join(settings, "config"),
    ]
