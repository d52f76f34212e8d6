"""The contents that files had, each kept once under its SHA-256."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from runebook_tui.history.errors import StoreError

LIMIT_BYTES = 1 << 30
FILE_LIMIT_BYTES = 32 << 20

_RAW, _DEFLATED = b"r", b"z"
_BLOCK = 4096  # what a file system gives a file at least; a million small contents take more than their bytes
_SAMPLE = 64 * 1024


class ContentStore:
    """A private folder of contents, named by their digests and limited in size.

    An object is the file `objects/ab/cdef…` (mode 0600): one byte, `r` or `z`, then the content as it is or
    deflated. Its modification time is when it was last used; an earlier process's never counts as later than
    the beginning of this one. Over the limit the least recently used go. One process writes at a time.
    """

    def __init__(
        self, folder: Path, *, limit_bytes: int = LIMIT_BYTES, file_limit_bytes: int = FILE_LIMIT_BYTES
    ) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self.file_limit_bytes = file_limit_bytes
        self._objects = folder / "objects"
        self._began = time.time_ns()
        self._total: int | None = None
        """Bytes on disk; None until the folder was read."""
        self._count = 0

    @property
    def size_bytes(self) -> int:
        """Bytes that all objects take on disk."""
        if self._total is None:
            self._total = sum(size for _, _, size in self._scan())
        return self._total

    def __contains__(self, digest: str) -> bool:
        return _is_digest(digest) and self._file(digest).is_file()

    def put(self, data: bytes) -> bool:
        """Keep `data`; False when it is larger than a file or the whole store may be.

        Raises StoreError when the disk is full or the folder cannot be written.
        """
        if len(data) > self.file_limit_bytes:
            return False
        digest = hashlib.sha256(data).hexdigest()
        target = self._file(digest)
        try:
            total = self.size_bytes
            if target.is_file():
                _mark(target, time.time_ns())
                return True
            body = _packed(data)
            if len(body) > self.limit_bytes:
                return False
            self._write(target, body)
            self._total = total + _taken(len(body))
            if self._total > self.limit_bytes:
                self._make_room(digest)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StoreError(f"cannot keep a file's content in {self.folder}: {reason}") from error
        return True

    def get(self, digest: str) -> bytes | None:
        """The content of that digest, or None when it is not here (any more) or is damaged."""
        if not _is_digest(digest):
            return None
        file = self._file(digest)
        try:
            before = file.stat().st_mtime_ns
            body = file.read_bytes()
        except OSError:
            return None
        data = _unpacked(body, self.file_limit_bytes)
        if data is None or hashlib.sha256(data).hexdigest() != digest:
            self._drop(digest, _taken(len(body)))
            return None
        _mark(file, time.time_ns() if before >= self._began else self._began - 1)
        return data

    def _file(self, digest: str) -> Path:
        return self._objects / digest[:2] / digest[2:]

    def _scan(self) -> Iterator[tuple[int, str, int]]:
        try:
            shelves = [each for each in os.scandir(self._objects) if each.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return
        for shelf in shelves:
            for each in os.scandir(shelf.path):
                digest = shelf.name + each.name
                info = each.stat(follow_symlinks=False)
                if _is_digest(digest):
                    yield info.st_mtime_ns, digest, _taken(info.st_size)
                elif each.name.startswith(".new-"):
                    os.unlink(each.path)

    def _write(self, target: Path, body: bytes) -> None:
        self._count += 1
        fresh = target.parent / f".new-{os.getpid()}-{self._count}"
        if not target.parent.is_dir():
            self._make_shelf(target.parent)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(body)
            _mark(fresh, time.time_ns())
            os.rename(fresh, target)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise

    def _make_shelf(self, shelf: Path) -> None:
        for each in (self.folder, self._objects, shelf):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
            if stat.S_IMODE(each.stat().st_mode) & 0o077:
                each.chmod(0o700)

    def _make_room(self, newest: str) -> None:
        goal = self.limit_bytes - self.limit_bytes // 16
        for _, digest, size in sorted(self._scan()):
            if self.size_bytes <= goal:
                return
            if digest != newest:
                self._drop(digest, size)

    def _drop(self, digest: str, size: int) -> None:
        self._file(digest).unlink(missing_ok=True)
        if self._total is not None:
            self._total -= size


def _mark(file: Path, used: int) -> None:
    """Note when the object was last used, unix nanoseconds: only the order of removal depends on it."""
    with contextlib.suppress(OSError):
        os.utime(file, ns=(used, used))


def _taken(size: int) -> int:
    """What a file of `size` bytes takes on disk."""
    return -(-size // _BLOCK) * _BLOCK


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)


def _packed(data: bytes) -> bytes:
    """The object's bytes: deflated when a sample says that it saves an eighth."""
    sample = data[:_SAMPLE]
    if len(sample) > 128 and len(zlib.compress(sample, 1)) < len(sample) * 7 // 8:
        small = zlib.compress(data, 3)
        if len(small) < len(data):
            return _DEFLATED + small
    return _RAW + data


def _unpacked(body: bytes, limit: int) -> bytes | None:
    kind, rest = body[:1], body[1:]
    if kind == _RAW:
        return rest
    if kind != _DEFLATED:
        return None
    try:
        # A damaged object must not swell without bound.
        return zlib.decompressobj().decompress(rest, limit + 1)
    except zlib.error:
        return None
