"""A pseudo-terminal in which a program runs; a thread reads all that it paints."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.processes import start
from benchmarks.session import BenchmarkError

ROWS, COLUMNS = 36, 120
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|[ -/]*[0-~])"
)
_MOST = 1 << 20
"""Bytes that are looked through for what is waited for."""


class Terminal:
    """Runs `command` in `folder`; its text is what it painted, without the escape sequences."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], rows: int = ROWS
    ) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, COLUMNS, 0, 0))
        self._process = start(
            command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
            env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )  # fmt: skip
        os.close(theirs)
        self.painted = 0
        """Bytes painted in all."""
        self._seen = b""
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._process.pid

    @property
    def cpu(self) -> float:
        """How many seconds of CPU the program has taken, with the kernel's for it."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def until(self, pattern: re.Pattern[str], seconds: float) -> re.Match[str]:
        """Wait until `pattern` was painted since the last key; what matched. Raises BenchmarkError."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                text = _ESCAPES.sub(b"", self._seen).decode("utf-8", "replace")
                found = pattern.search(text)
                if found is not None:
                    return found
                if self._ended:
                    raise BenchmarkError(f"the program in the terminal ended: {text.strip()[-500:]}")
                if not self._news.wait(max(0.0, deadline - time.monotonic())):
                    raise BenchmarkError(f"{pattern.pattern!r} was not painted within {seconds:g} s")

    def press(self, key: str) -> None:
        """Press a key; what was painted before does not count any more."""
        with self._news:
            self._seen = b""
        os.write(self._ours, key.encode())

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        os.close(self._ours)

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._ours, 1 << 16)
            except OSError:  # the program has ended, so the terminal hangs up
                piece = b""
            with self._news:
                self._ended = not piece
                self.painted += len(piece)
                self._seen = (self._seen + piece)[-_MOST:]
                self._news.notify_all()
            if not piece:
                return
