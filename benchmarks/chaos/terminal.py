"""The terminal: a person's `runebook-tui` in a tmux server of its own, whose screen can be read."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.session import PROGRAM, BenchmarkError

SECONDS = 60.0
_STEP_SECONDS = 0.05
_STILL_SECONDS = 0.6
_SAME_SHARE = 0.8
_HELP = "─ Keys ─"
_NOTICE = re.compile(r"(?<!│)▌")
"""The left edge of a notice, which covers what is below it; the marks of selected rows stand at a frame."""


class Terminal:
    """A terminal of `width` × `height` cells in which the program runs from `open` on."""

    def __init__(self, root: Path, width: int = 110, height: int = 32) -> None:
        self._root = root
        self._name = f"chaos-{uuid.uuid4().hex[:12]}"
        self._size = ["-x", str(width), "-y", str(height)]
        self._open = False

    def open(self) -> None:
        """Start the program, in the terminal that there is or in a new one."""
        # In place of the shell, so the pane's process is the program's.
        program = f"exec {shlex.join(PROGRAM)}"
        if self._open:
            self._tmux("respawn-pane", "-k", "-c", str(self._root), program)
            return
        # Without a running server the first command cannot set an option before its window is there.
        self._tmux("-f", "/dev/null", "new-session", "-d", *self._size, "-c", str(self._root), "exec cat")
        self._tmux("set-option", "-g", "remain-on-exit", "on")
        self._open = True
        self._tmux("respawn-pane", "-k", "-c", str(self._root), program)

    @property
    def pid(self) -> int:
        """The program's process."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def kill(self) -> None:
        """End the program by SIGKILL, and wait until tmux knows."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.until(
            "the end of the screen", lambda: self._tmux("display-message", "-p", "#{pane_dead}") == "1"
        )

    def keys(self, *keys: str) -> None:
        """Press keys, in tmux's names."""
        self._tmux("send-keys", *keys)

    def home(self) -> None:
        """Go to the first screen, without a filter. Raises BenchmarkError."""
        # A key that comes at once after Escape is one with Alt.
        self.keys("Escape")
        self.still()
        self.keys("1")

    def settled(self) -> str:
        """What is shown once every key before this has done what it does. Raises BenchmarkError."""
        self.keys("?")
        self.shows(_HELP)
        self.keys("Escape")
        self.until("the end of the help", lambda: _HELP not in self.screen())
        return self.still()

    def screen(self) -> str:
        """What is shown now."""
        return self._tmux("capture-pane", "-p")

    def still(self) -> str:
        """What is shown once that has stood still for a while. Raises BenchmarkError."""
        shown = [self.screen()]

        def stands() -> bool:
            time.sleep(_STILL_SECONDS)
            shown.append(self.screen())
            return len(shown) > 2 and alike(*shown[-2:]) and alike(*shown[-3:-1])

        self.until("a screen that stands still", stands)
        return shown[-1]

    def shows(self, *texts: str) -> None:
        """Wait until all of the texts are on the screen. Raises BenchmarkError."""
        self.until(f"a screen with {texts}", lambda: all(text in self.screen() for text in texts))

    def until(self, what: str, holds: Callable[[], object]) -> None:
        """Wait until `holds`. Raises BenchmarkError with the screen."""
        deadline = time.monotonic() + SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise BenchmarkError(f"never came: {what}; the screen shows:\n{self.screen()}")
            time.sleep(_STEP_SECONDS)

    def close(self) -> None:
        """End the program and the terminal."""
        subprocess.run(["tmux", "-L", self._name, "kill-server"], capture_output=True, check=False)
        Path(f"/tmp/tmux-{os.getuid()}", self._name).unlink(missing_ok=True)
        self._open = False

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._name, *words], capture_output=True, text=True, timeout=SECONDS
        )
        if done.returncode:
            raise BenchmarkError(f"tmux {words[0]}: {done.stderr.strip()}")
        return done.stdout.rstrip("\n")


def alike(one: str, other: str) -> bool:
    """Whether two screens show the same: the same selected rows, and most lines but for ages and counts.

    What a notice covers on either is not looked at.
    """
    if len(one.splitlines()) != len(other.splitlines()):
        return False
    pairs = [_bare(*pair) for pair in zip(one.splitlines(), other.splitlines(), strict=True)]
    first, second = ([_line(pair[at]) for pair in pairs] for at in (0, 1))
    same = sum(a == b for a, b in zip(first, second, strict=True))
    chosen = ([_selected(pair[at]) for pair in pairs] for at in (0, 1))
    return same >= _SAME_SHARE * len(first) and next(chosen) == next(chosen)


def _bare(one: str, other: str) -> tuple[str, str]:
    """Two lines up to where a notice begins on either."""
    end = min((found.start() for line in (one, other) if (found := _NOTICE.search(line))), default=None)
    return one[:end], other[:end]


def _line(text: str) -> str:
    """A line without what goes on by itself: numbers, and the room that they take."""
    return re.sub(r"[\d:]+|\s+", " ", text).strip()


def _selected(text: str) -> str:
    """What a selected row is about: what stands at its mark, up to what is told of it; "" for another."""
    return _line(re.split("[│╭╰]|   ", text.partition("│▌")[2].strip())[0])
