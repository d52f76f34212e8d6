"""A pane's output as it comes from the program: plain text, and the marks of commands in between.

The marks are OSC 133 (`C` before a command's output, `D` after it) with the id that
Runebook's shells give them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MARK = re.compile(rb"\x1b\]133;([CD])(?:;[^\x07\x1b]*?)??;aid=([\w.]+)(?:\x07|\x1b\\)")
_ESCAPE = re.compile(
    r"\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?"  # operating system command
    r"|\x1b[PX^_][^\x1b]{0,65536}(?:\x1b\\)?"  # strings
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"  # control sequence
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SCREEN = re.compile(rb"\x1b\[\?(?:1049|1047|47)([hl])")
_MOST_HELD = 4096


class Piece(NamedTuple):
    """Text, or the mark that begins or ends the output of command `mark`."""

    text: str = ""
    begins: str = ""
    ends: str = ""


class PaneStream:
    """Reads the output of one pane."""

    def __init__(self) -> None:
        self._rest = b""
        self.full_screen = False
        """Whether a program draws on the whole screen: what it prints is no text."""

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """The pieces that `chunk` makes; a sequence that is cut waits for the next one."""
        data = self._rest + chunk
        held = data.rfind(b"\x1b", -_MOST_HELD)
        whole = held < 0 or _is_whole(data[held:])
        data, self._rest = (data, b"") if whole else (data[:held], data[held:])
        for screen in _SCREEN.finditer(data):
            self.full_screen = screen[1] == b"h"
        at = 0
        for mark in _MARK.finditer(data):
            yield Piece(text=plain(data[at : mark.start()]))
            name = mark[2].decode()
            yield Piece(begins=name) if mark[1] == b"C" else Piece(ends=name)
            at = mark.end()
        yield Piece(text=plain(data[at:]))


def _is_whole(tail: bytes) -> bool:
    """Whether an escape sequence that ends the data is complete."""
    if tail.startswith(b"\x1b]"):
        return b"\x07" in tail
    if tail.startswith(b"\x1b["):
        return re.search(rb"[@-~]", tail[2:]) is not None
    return len(tail) > 1


def plain(data: bytes) -> str:
    """Output as text: without escape sequences, each line as it was last overwritten."""
    text = _ESCAPE.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _CONTROL.sub("", "\n".join(lines))
