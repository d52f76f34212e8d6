"""Screens: whether an interactive session is open, by a lock that ends with its process, and where it was."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from runebook_tui.place import state_folder

FILE_NAME = "screen.lock"
PLACE_NAME = "screen.json"
_MOST_BYTES = 64 * 1024


class OpenScreen:
    """Says, until it is closed or its process ends, that a screen is open for the repository at `root`."""

    def __init__(self, root: Path) -> None:
        self._descriptor: int | None = None
        try:
            self._descriptor = _opened(root, os.O_CREAT | os.O_RDWR)
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            # Nobody can tell then that a screen is open: the engine calls, too.
            self.close()

    def close(self) -> None:
        """The screen is gone."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def screen_is_open(root: Path) -> bool:
    """Whether a screen is open for the repository at `root`."""
    try:
        descriptor = _opened(root, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        os.close(descriptor)


def remember(root: Path, text: str) -> None:
    """Keep where the operator looks, at once or not at all; "" forgets it. What cannot be kept is lost."""
    path = state_folder(root) / PLACE_NAME
    fresh = path.with_suffix(".new")
    with suppress(OSError):
        if not text:
            path.unlink()
            return
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)


def remembered(root: Path) -> str:
    """What was kept last and not forgotten."""
    try:
        descriptor = os.open(state_folder(root) / PLACE_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _opened(root: Path, flags: int) -> int:
    return os.open(state_folder(root) / FILE_NAME, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
