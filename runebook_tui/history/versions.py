"""What was last known of each path, and what changed when it is looked at again."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from runebook_tui.core.secret_names import secret_named
from runebook_tui.core.types import Change, Version
from runebook_tui.history.differences import compare
from runebook_tui.history.errors import GitError
from runebook_tui.history.filetimes import device_by_this_clock
from runebook_tui.history.git import Entry, GitTree
from runebook_tui.history.look import Look, Stamp, look, same_content
from runebook_tui.history.patches import patch
from runebook_tui.history.store import ContentStore

_ABSENT = Version(kind="absent")
_OWN = ".runebook"
_STAMP_BYTES = 1 << 20
"""Files from this size on are not read again while device, inode, size and times stay the same."""


class History:
    """The versions of the files below `root`, their contents kept in `folder`.

    What is known of a path is, in this order: what was remembered or observed last, what `baseline` saw, what
    git's index held when the history began, nothing. Paths are relative to the repository. Methods may be
    called from several threads; one works at a time. One `beside` another shares its contents, and its turn.
    """

    def __init__(self, root: Path, folder: Path, *, beside: History | None = None) -> None:
        self.store: ContentStore = ContentStore(folder) if beside is None else beside.store
        self.root = root
        self._git = GitTree(root)
        self._known: dict[str, Version] = {}
        self._stamps: dict[str, Stamp] = {}
        self._changed: dict[str, float] = {}
        self._device: int | None = None
        self._lock: threading.RLock = threading.RLock() if beside is None else beside._lock
        self._is_repository = True

    def baseline(self) -> int:
        """Keep every modified and untracked file that git does not ignore; returns how many there are.

        Paths remembered before are left as they were remembered. Raises GitError when git cannot say, and
        StoreError when the disk is full.
        """
        with self._lock:
            self._git.entries()  # before the status: a file that changes in between is then seen as modified
            present = 0
            for path in self._git.dirty():
                if path in self._known or path.endswith("/") or path.split("/", 1)[0] == _OWN:
                    continue
                seen = self._look(path)
                if seen is not None and not seen.folder:
                    self._known[path] = self._kept(path, seen)
                    present += seen.version.kind != "absent"
            return present

    @property
    def remembered(self) -> Mapping[str, Version]:
        """What was remembered, observed or in the baseline, by path: all that git's index cannot tell."""
        with self._lock:
            return dict(self._known)

    def known(self, path: str) -> Version:
        """What was at `path` when it was last looked at, without looking now.

        A file of which git cannot give the bytes (a filter program makes them, the object is missing) has no
        digest. Raises StoreError when the disk is full.
        """
        with self._lock:
            version = self._known.get(path)
            if version is None:
                version = self._known[path] = self._from_git(path)
            return version

    def remember(self, path: str, version: Version) -> None:
        """Take `version` as what is known of `path`: a restart replays the log."""
        with self._lock:
            self._known[path] = version
            self._stamps.pop(path, None)

    def observe(self, path: str) -> Change | None:
        """Look at `path` now; None when content, kind and the owner's execute bit are as known.

        Both sides are kept in the store where they may be. Raises StoreError when the disk is full.
        """
        with self._lock:
            before = self.known(path)
            seen = self._look(path, unless=self._stamps.get(path))
            self._note_time(path, seen)
            if (
                seen is None
                or same_content(before, seen.version)
                or (seen.folder and before.kind == "absent")
            ):
                self._stamp(path, seen)
                return None
            after = self._kept(path, seen)
            self._known[path] = after
            if after.kind == "absent" and not self._in_index(path):
                del self._known[path]  # what is not known is absent; temporary files come and go without end
            self._stamp(path, seen)
            added, removed = self._counts(before, seen)
            return Change(path=path, before=before, after=after, added=added, removed=removed)

    def look(self, path: str) -> Look:
        """What is at `path` now, with its bytes where they may be kept; what is known stays as it was."""
        with self._lock:
            seen = self._look(path)
            assert seen is not None
            return seen

    def keep(self, path: str, seen: Look) -> Version:
        """Put the bytes of `seen` into the store where they may be; its version says whether they are there.

        Raises StoreError when the disk is full.
        """
        with self._lock:
            return self._kept(path, seen)

    def knows_below(self, folder: str, *, besides: Collection[str]) -> bool:
        """Whether any path below `folder` was ever known, apart from the paths `besides`."""
        start = f"{folder}/"
        with self._lock:
            entries = self._git.entries() if self._is_repository else {}
            return any(path.startswith(start) and path not in besides for path in (*self._known, *entries))

    def changed(self, path: str) -> float | None:
        """When the inode that `observe` saw last at `path` had changed (unix seconds).

        None where nothing was, and where the file system does not go by this computer's clock.
        """
        with self._lock:
            return self._changed.get(path)

    def content(self, version: Version) -> bytes | None:
        """The bytes of a version (of a link: its target), or None when they are not kept (any more)."""
        if version.digest is None or not version.stored:
            return None
        with self._lock:
            return self.store.get(version.digest)

    def diff(self, change: Change, *, limit: int = 65_536) -> str:
        """The change as a unified diff of at most about `limit` characters, or in words where there is none.

        Bytes that are not UTF-8 are lone surrogates. What is cut off is counted in the last line.
        """
        return patch(change, self.content(change.before), self.content(change.after), limit=limit)

    def close(self) -> None:
        """End the git processes; the history can still be read."""
        with self._lock:
            self._git.close()

    def _look(self, path: str, *, unless: Stamp | None = None) -> Look | None:
        keep = 0 if secret_named(path) else self.store.file_limit_bytes
        return look(self.root, path, keep=keep, unless=unless)

    def _kept(self, path: str, seen: Look) -> Version:
        if seen.data is None or secret_named(path):
            return seen.version
        return seen.version.model_copy(update={"stored": self.store.put(seen.data)})

    def _stamp(self, path: str, seen: Look | None) -> None:
        if seen is None:
            return
        if seen.stamp is not None and seen.version.size >= _STAMP_BYTES:
            self._stamps[path] = seen.stamp
        else:
            self._stamps.pop(path, None)

    def _note_time(self, path: str, seen: Look | None) -> None:
        if seen is None:
            return  # the same inode, unchanged
        if self._device is None:
            self._device = device_by_this_clock(self.store.folder)
        if seen.changed is None or seen.device != self._device:
            self._changed.pop(path, None)
        else:
            self._changed[path] = seen.changed

    def _in_index(self, path: str) -> bool:
        """Whether git's index held `path` when the history began."""
        return self._entry(path) is not None

    def _entry(self, path: str) -> Entry | None:
        try:
            return self._git.entries().get(path) if self._is_repository else None
        except GitError:
            # `baseline` says so aloud; a folder without git has no earlier versions.
            self._is_repository = False
            return None

    def _from_git(self, path: str) -> Version:
        entry = self._entry(path)
        if entry is None:
            return _ABSENT
        if entry.mode == "160000":
            return Version(kind="other")
        linked = entry.mode == "120000"
        mode = 0 if linked else 0o755 if entry.mode == "100755" else 0o644
        kind: Literal["symlink", "file"] = "symlink" if linked else "file"
        blob = self._git.content(path, entry, keep=self.store.file_limit_bytes)
        if blob is None:
            return Version(kind=kind, mode=mode)
        version = Version(kind=kind, digest=blob.digest, size=blob.size, mode=mode)
        return self._kept(path, Look(version, blob.data))

    def _counts(self, before: Version, seen: Look) -> tuple[int | None, int | None]:
        old, new = self.content(before), seen.data
        if before.kind == "absent":
            old = b""
        if seen.version.kind == "absent":
            new = b""
        texts = {before.kind, seen.version.kind} <= {"file", "absent"}
        if not texts or old is None or new is None:
            return None, None
        found = compare(old, new)
        return (None, None) if found is None else (found.added, found.removed)
