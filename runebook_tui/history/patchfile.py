"""Patches that `git apply` takes, of whole contents: what an undo keeps of what it takes back or cannot."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runebook_tui.core.types import Version
from runebook_tui.history.errors import StoreError
from runebook_tui.history.git import environment
from runebook_tui.history.patches import quoted

_GIT_SECONDS = 60.0


@dataclass(frozen=True)
class Side:
    """What was at a path: the version, and its bytes (of a link: its target) where they are at hand."""

    version: Version
    data: bytes | None = None


@dataclass(frozen=True)
class Pair:
    """One path before and after a change."""

    path: str
    before: Side
    after: Side


def write_patch(file: Path, pairs: Sequence[Pair]) -> None:
    """Write the changes as one patch to `file` (0600, in a folder of 0700), which must not be there yet.

    `git apply` brings the changes about, `git apply -R` takes them back; where a side's bytes are not at hand
    there are words. Raises StoreError.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.parent.chmod(0o700)
        body = b"".join(_section(file.parent, pair) for pair in pairs)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as stream:
            stream.write(body)
            stream.flush()
            os.fsync(descriptor)
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StoreError(f"cannot keep the patch {file}: {reason}") from error


def _section(scratch: Path, pair: Pair) -> bytes:
    sides = (pair.before, pair.after)
    if any(_is_missing(side) for side in sides):
        words = f"# {quoted(pair.path)}: what was in it is not kept\n"
        return words.encode("utf-8", "surrogateescape")
    with tempfile.TemporaryDirectory(prefix="patch-", dir=scratch) as name:
        folder = Path(name)
        for letter, side in zip("ab", sides, strict=True):
            _lay_out(folder / letter, pair.path, side)
        return _diff(folder)


def _is_missing(side: Side) -> bool:
    return side.version.kind == "other" or (side.version.kind != "absent" and side.data is None)


def _lay_out(top: Path, path: str, side: Side) -> None:
    top.mkdir()
    if side.version.kind == "absent":
        return
    assert side.data is not None
    target = top / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if side.version.kind == "symlink":
        target.symlink_to(os.fsdecode(side.data))
        return
    target.write_bytes(side.data)
    target.chmod(0o755 if side.version.mode & 0o100 else 0o644)


def _diff(folder: Path) -> bytes:
    # Git in a folder of its own: nobody's configuration, attributes or repository has a say.
    own = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1"}
    options = ("--no-index", "--no-color", "--no-ext-diff", "--no-textconv", "--binary", "--no-renames")
    done = subprocess.run(
        ["git", "-c", "core.attributesFile=/dev/null", "diff", *options, "--no-prefix", "--", "a", "b"],
        cwd=folder,
        env=environment() | own | {"GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=_GIT_SECONDS,
    )
    if done.returncode not in (0, 1):
        raise OSError(done.stderr.decode("utf-8", "replace").strip().split("\n")[0])
    return done.stdout
