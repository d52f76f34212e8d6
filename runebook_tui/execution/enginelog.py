"""What an engine in the background says: `.runebook/engine.log`, of which only the newest is kept."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from runebook_tui.place import state_folder

NAME = "engine.log"
MOST_BYTES = 1 << 20
"""From this size on it is cut."""
_LEFT_BYTES = 1 << 18


def report_path(root: Path) -> Path:
    """Where the engine of the repository at `root` says what it has to, when it runs in the background."""
    return state_folder(root) / NAME


def shorten(root: Path) -> None:
    """Cut a file that became too long to its newest whole lines.

    The engine writes at its end, wherever that is (O_APPEND), so this may be done while one runs, by itself.
    """
    path = report_path(root)
    with suppress(OSError):
        size = path.stat().st_size
        if size <= MOST_BYTES:
            return
        with path.open("rb+") as file:
            file.seek(size - _LEFT_BYTES)
            newest = file.read().partition(b"\n")[2]
            file.truncate(0)
            file.seek(0)
            os.write(file.fileno(), newest)
