"""What git had at each path when the history began, asked without taking git's locks."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from runebook_tui.git.process import quiet_environment
from runebook_tui.history.errors import GitError

_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
_ATTRIBUTES = ("text", "eol", "working-tree-encoding", "ident", "filter")


class Entry(NamedTuple):
    """A path in git's index: mode as git writes it (`100644`, `120000` …) and the blob's name."""

    mode: str
    oid: bytes


class Blob(NamedTuple):
    """A content of `size` bytes; `data` is None when it is larger than was asked for."""

    digest: str
    size: int
    data: bytes | None


def environment() -> dict[str, str]:
    """The environment of git processes here: what is asked for is in this repository, or nowhere."""
    return {**quiet_environment(), "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}


class GitTree:
    """The index of the repository at `root`, read once, and the blobs that it names.

    Blobs come from one long-lived `git cat-file --batch`. Not safe for two threads at once.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._entries: Mapping[str, Entry] | None = None
        self._blobs = _Coprocess(root, "cat-file", "--batch")
        self._attributes = _Coprocess(root, "check-attr", "--stdin", "-z", *_ATTRIBUTES)
        self._crlf: bool | None = None

    def entries(self) -> Mapping[str, Entry]:
        """The index as it was when first asked, without what a sparse checkout leaves out.

        Raises GitError.
        """
        if self._entries is None:
            found: dict[str, Entry] = {}
            for line in self._run("ls-files", "-t", "-s", "-z").split(b"\0"):
                head, tab, path = line.partition(b"\t")
                if tab:
                    tag, mode, oid, stage = head.split(b" ")
                    if stage == b"0" and tag != b"S":
                        found[os.fsdecode(path)] = Entry(mode.decode("ascii"), oid)
            self._entries = found
        return self._entries

    def dirty(self) -> list[str]:
        """The paths that differ from the index or HEAD, and the untracked ones that git does not ignore.

        Raises GitError.
        """
        prefix = self._run("rev-parse", "--show-prefix").removesuffix(b"\n")
        listing = self._run(
            "status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames",
            "--ignore-submodules=all", "--", ".",
        )  # fmt: skip
        fields = {b"1": 8, b"u": 10, b"?": 1}
        paths = []
        for line in listing.split(b"\0"):
            before_path = fields.get(line[:1])
            if before_path is not None:
                paths.append(os.fsdecode(line.split(b" ", before_path)[-1].removeprefix(prefix)))
        return paths

    def content(self, path: str, entry: Entry, *, keep: int) -> Blob | None:
        """What a checkout of `entry` writes at `path`; None when it cannot be known.

        It cannot where a filter program (such as LFS) makes it: none is run here. Up to `keep` bytes are
        handed out.
        """
        if entry.mode == "160000":
            return None
        try:
            if entry.mode != "120000":
                how = self._conversion(path)
                if how == "filter":
                    return None
                if how == "convert":
                    name = entry.oid.decode("ascii")
                    data = self._run("cat-file", "--filters", f"--path={path}", name)
                    return _blob([data], len(data), keep)
            return self._stored(entry.oid, keep)
        except GitError:
            return None

    def close(self) -> None:
        """End the git processes."""
        self._blobs.close()
        self._attributes.close()

    def _stored(self, oid: bytes, keep: int) -> Blob | None:
        for attempt in (1, 2):
            try:
                self._blobs.send(oid + b"\n")
                head = self._blobs.line(b"\n").split(b" ")
                if len(head) != 3:
                    return None
                blob = _blob(self._blobs.exactly(int(head[2])), int(head[2]), keep)
                self._blobs.line(b"\n")
                return blob
            except (OSError, EOFError):
                self._blobs.close()
                if attempt == 2:
                    return None
        return None

    def _conversion(self, path: str) -> str:
        values = dict.fromkeys(_ATTRIBUTES, b"unspecified")
        for attempt in (1, 2):
            try:
                self._attributes.send(os.fsencode(path) + b"\0")
                for name in _ATTRIBUTES:
                    self._attributes.line(b"\0")
                    self._attributes.line(b"\0")
                    values[name] = self._attributes.line(b"\0")
                break
            except (OSError, EOFError) as error:
                self._attributes.close()
                if attempt == 2:
                    raise GitError(f"git check-attr does not answer: {error}") from error
        off = (b"unspecified", b"unset")
        if values["filter"] not in off:
            return "filter"
        if values["working-tree-encoding"] not in off or values["ident"] not in off:
            return "convert"
        if values["text"] == b"unset" and values["eol"] == b"unspecified":
            return "none"
        return "convert" if values["eol"] == b"crlf" or self._writes_crlf() else "none"

    def _writes_crlf(self) -> bool:
        if self._crlf is None:
            listing = self._run("config", "-z", "--get-regexp", r"^core\.(autocrlf|eol)$", tolerate=(1,))
            values = dict(each.lower().split(b"\n", 1) for each in listing.split(b"\0") if b"\n" in each)
            automatic = values.get(b"core.autocrlf", b"false")
            self._crlf = automatic in (b"true", b"yes", b"on", b"1") or (
                automatic != b"input" and values.get(b"core.eol") == b"crlf"
            )
        return self._crlf

    def _run(self, *arguments: str, tolerate: tuple[int, ...] = ()) -> bytes:
        command = ["git", *_QUIET, *arguments]
        try:
            done = subprocess.run(
                command, cwd=self._root, env=environment(), capture_output=True, stdin=subprocess.DEVNULL
            )
        except (OSError, ValueError) as error:
            raise GitError(f"git cannot be run in {self._root}: {error}") from error
        if done.returncode != 0 and done.returncode not in tolerate:
            said = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
            raise GitError(f"git {arguments[0]} failed: {said or f'exit status {done.returncode}'}")
        return done.stdout


def _blob(pieces: Iterable[bytes], size: int, keep: int) -> Blob:
    hasher, kept = hashlib.sha256(), list[bytes]()
    for piece in pieces:
        hasher.update(piece)
        if size <= keep:
            kept.append(piece)
    return Blob(hasher.hexdigest(), size, b"".join(kept) if size <= keep else None)


class _Coprocess:
    """A git command that answers one question after the other; started when it is first asked."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self._root = root
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""

    def send(self, question: bytes) -> None:
        if self._process is None:
            self._rest = b""
            self._process = subprocess.Popen(
                ["git", *_QUIET, *self._arguments],
                cwd=self._root,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(question)

    def line(self, end: bytes) -> bytes:
        """The answer up to `end`; raises EOFError when the process is gone."""
        while end not in self._rest:
            self._rest += self._more(65_536)
        found, _, self._rest = self._rest.partition(end)
        return found

    def exactly(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes of the answer in pieces; raises EOFError when the process is gone."""
        piece, self._rest = self._rest[:size], self._rest[size:]
        yield piece
        left = size - len(piece)
        while left:
            piece = self._more(min(1 << 20, left))
            left -= len(piece)
            yield piece

    def close(self) -> None:
        process, self._process, self._rest = self._process, None, b""
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(1.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _more(self, size: int) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        piece = os.read(self._process.stdout.fileno(), size)
        if not piece:
            raise EOFError("it ended")
        return piece
