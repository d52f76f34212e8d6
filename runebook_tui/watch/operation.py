"""Git operations by anybody in this tree: whether one is under way, and what it was."""

from __future__ import annotations

import os
import time

from runebook_tui.git.process import Git, GitError, printable

_TAIL_BYTES = 65536
_DETAIL_LETTERS = 160
_LOCK_SECONDS = 30.0
_STATES = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "MERGE_HEAD": "merge",
}
_TELLING = {"HEAD", "HEAD.lock", "index", "index.lock", "ORIG_HEAD", "AUTO_MERGE", "sequencer", *_STATES}


class Operations:
    """What git's folder says of operations that write files: its lock, its reflog, its state files."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self.folder = ""
        self._locked_since: float | None = None
        self._reflog_size = 0
        self._touched = False
        self.find()

    def find(self) -> None:
        """Look up git's folder again, and start at the present end of its reflog."""
        try:
            self.folder = self._git.folder()
        except GitError:
            self.folder = ""
        self._touched = False
        self._reflog_size = self._size()

    def notice(self, inside: str) -> bool:
        """Take note of a change of the file `inside` git's folder; True if it tells of an operation."""
        telling = inside.partition("/")[0] in _TELLING or inside == "logs/HEAD"
        self._touched = self._touched or telling
        return telling

    def is_locked(self) -> bool:
        """True while `index.lock` exists, for at most 30 seconds: a crashed git leaves it behind."""
        if not self.folder or not os.path.lexists(os.path.join(self.folder, "index.lock")):
            self._locked_since = None
            return False
        now = time.monotonic()
        if self._locked_since is None:
            self._locked_since = now
        return now - self._locked_since < _LOCK_SECONDS

    def take(self) -> str | None:
        """The operation behind the changes since the last call, None if there was none that writes files.

        Empty when only git's lock or index tells of one: a `git add` looks like a `git restore`.
        """
        under_way = self.is_locked() or self._touched
        self._touched = False
        actions = self._new_actions()
        writing = [action for action in actions if not action.startswith("commit")]
        if writing:
            return writing[-1]
        if actions or not under_way:
            return None
        return self._state()

    def latest(self) -> str:
        """The last operation that moved HEAD, or an empty text."""
        actions = self._read(max(0, self._size() - _TAIL_BYTES))
        return actions[-1] if actions else ""

    def _state(self) -> str:
        for name, word in _STATES.items():
            if os.path.lexists(os.path.join(self.folder, name)):
                return word
        return ""

    def _new_actions(self) -> list[str]:
        size, before = self._size(), self._reflog_size
        self._reflog_size = size
        if size <= before:
            return []
        return self._read(max(before, size - _TAIL_BYTES))

    def _size(self) -> int:
        try:
            return os.stat(os.path.join(self.folder, "logs", "HEAD")).st_size if self.folder else 0
        except OSError:
            return 0

    def _read(self, start: int) -> list[str]:
        try:
            with open(os.path.join(self.folder, "logs", "HEAD"), "rb") as file:
                file.seek(start)
                lines = file.read(_TAIL_BYTES).split(b"\n")
        except OSError:
            return []
        return [_action(line.partition(b"\t")[2]) for line in lines if b"\t" in line]


def _action(message: bytes) -> str:
    """`checkout: moving from main to topic` as `checkout main → topic`; others nearly as git wrote them."""
    text = printable(message, _DETAIL_LETTERS)
    word, _, rest = text.partition(": ")
    if word == "checkout" and rest.startswith("moving from "):
        old, _, new = rest.removeprefix("moving from ").partition(" to ")
        return f"checkout {old} → {new}"
    if word == "reset" and rest.startswith("moving to "):
        return f"reset {rest.removeprefix('moving to ')}"
    if word.startswith("rebase"):
        return "rebase"
    return text
