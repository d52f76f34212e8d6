"""A program in a pseudo-terminal: what it painted, and keys for it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.processes import start
from benchmarks.session import BenchmarkError

_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
_PATIENCE = 120.0


class Terminal:
    """`command` in a pseudo-terminal of 120 × 36.

    Raises BenchmarkError when what is awaited does not come.
    """

    def __init__(self, command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        self._process = start(
            command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})},
        )  # fmt: skip
        os.close(theirs)
        self._seen = b""

    @property
    def pid(self) -> int:
        """The program's."""
        return self._process.pid

    def until(self, text: str) -> None:
        """Read until `text` was painted, of what comes from now on."""
        self._seen = b""
        end = time.monotonic() + _PATIENCE
        while text.encode() not in _ESCAPES.sub(b"", self._seen):
            if not select.select([self._ours], [], [], max(0.0, end - time.monotonic()))[0]:
                raise BenchmarkError(f"{text!r} was not painted within {_PATIENCE:g} s")
            try:
                self._seen += os.read(self._ours, 1 << 16)
            except OSError as error:
                words = _ESCAPES.sub(b"", self._seen).decode("utf-8", "replace").strip()
                raise BenchmarkError(f"the screens ended: {words[-500:]}") from error

    def drain(self, seconds: float) -> None:
        """Let time pass, and read what is painted meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self._ours], [], [], left)[0]:
                os.read(self._ours, 1 << 16)

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._ours, key.encode())

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
        os.close(self._ours)
