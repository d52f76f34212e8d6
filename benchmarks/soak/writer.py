"""The agent `writer`: changes its own files in many ways all the time, and a foreign one now and then.

It notes before each foreign change what it is about to do and afterwards how that went, and how long
single opens of an own file took.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.soak.notes import NoteWriter

FOREIGN_FILES = 40
OWN_FILES = 24
TIMED_OPENS = 100
_PAUSE = 1.0
_FOREIGN_GAP = 3.0, 5.0  # more than two seconds: a later change is a question of its own


def overwrite(path: Path, text: bytes) -> None:
    path.write_bytes(text)


def replace(path: Path, text: bytes) -> None:
    own = Path("writer/new")
    own.write_bytes(text)
    os.replace(own, path)


def sibling(path: Path, text: bytes) -> None:
    beside = path.with_name(f"{path.name}.tmp.{os.getpid()}")
    beside.write_bytes(text)
    os.replace(beside, path)


def heredoc(path: Path, text: bytes) -> None:
    _run("sh", "-c", f"cat > {path}", feed=text)


def sed(path: Path, text: bytes) -> None:
    if not path.exists():
        return overwrite(path, text)
    return _run("sed", "-i", f"1s/.*/{text.decode().rstrip()}/;2,$d", str(path))


def tee(path: Path, text: bytes) -> None:
    _run("tee", str(path), feed=text)


def dd(path: Path, text: bytes) -> None:
    _run("dd", f"of={path}", "status=none", feed=text)


def copy(path: Path, text: bytes) -> None:
    own = Path("writer/source")
    own.write_bytes(text)
    _run("cp", str(own), str(path))


def mapped(path: Path, text: bytes) -> None:
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.truncate(len(text))
        with mmap.mmap(file.fileno(), len(text)) as memory:
            memory[:] = text


def remove(path: Path, text: bytes) -> None:
    path.unlink(missing_ok=True)


def take(path: Path, text: bytes) -> None:
    if path.exists():
        os.rename(path, "writer/taken")


WAYS: dict[str, Callable[[Path, bytes], None]] = {
    way.__name__: way
    for way in (overwrite, replace, sibling, heredoc, sed, tee, dd, copy, mapped, remove, take)
}
REMOVING = ("remove", "take")


def _run(*command: str, feed: bytes = b"") -> None:
    subprocess.run(command, input=feed, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def digest(text: bytes) -> str:
    """The SHA-256 of a content, in hexadecimal digits."""
    return hashlib.sha256(text).hexdigest()


class Writer:
    """One writer with its own course of random choices."""

    def __init__(self, notes: NoteWriter, seed: int) -> None:
        self._notes = notes
        self._random = random.Random(seed)
        self._count = 0

    def own(self) -> None:
        """One round over the own files: each way once, each result looked at."""
        failures = []
        for name, way in WAYS.items():
            path, text = Path(f"writer/f{self._random.randrange(OWN_FILES)}"), self._text(name)
            try:
                way(path, text)
                if (path.read_bytes() if path.exists() else None) != (None if name in REMOVING else text):
                    failures.append(f"{name} of {path} did not land")
            except (OSError, subprocess.CalledProcessError) as error:
                failures.append(f"{name} of {path}: {_words(error)}")
        self._notes.write(do="own", failures=failures, opens=self._opens())

    def foreign(self) -> None:
        """One change of a file that is another agent's."""
        name = self._random.choice(list(WAYS))
        path, text = Path(f"beta/w{self._random.randrange(FOREIGN_FILES)}"), self._text(name)
        after = None if name in REMOVING else digest(text)
        self._notes.write(do="begin", way=name, path=str(path), after=after)
        try:
            WAYS[name](path, text)
        except (OSError, subprocess.CalledProcessError) as error:
            self._notes.write(do="end", path=str(path), ok=False, words=_words(error))
        else:
            self._notes.write(do="end", path=str(path), ok=True, words="")

    def work(self) -> None:
        """Go on until ended by a signal."""
        due = time.monotonic() + _FOREIGN_GAP[1]
        while True:
            self.own()
            if time.monotonic() >= due:
                self.foreign()
                due = time.monotonic() + self._random.uniform(*_FOREIGN_GAP)
            time.sleep(_PAUSE)

    def _text(self, way: str) -> bytes:
        self._count += 1
        return f"{way} {self._count} {self._random.getrandbits(64):016x}\n".encode()

    def _opens(self) -> list[float]:
        """Seconds that opening an own file for writing took, once for each of many times."""
        seconds = []
        for _ in range(TIMED_OPENS):
            begun = time.perf_counter()
            descriptor = os.open("writer/opened", os.O_WRONLY | os.O_CREAT, 0o644)
            seconds.append(round(time.perf_counter() - begun, 7))
            os.close(descriptor)
        return seconds


def _words(error: OSError | subprocess.CalledProcessError) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        said = error.stderr.decode(errors="replace").strip()
        return f"{error.cmd[0]} ended with {error.returncode}: {said}"[-500:]
    return str(error)[:500]


if __name__ == "__main__":
    Writer(NoteWriter(sys.argv[1]), int(sys.argv[2])).work()
