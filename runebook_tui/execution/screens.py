"""Screens: whether an interactive session is open in a repository, by a lock that ends with its process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from runebook_tui.place import state_folder

FILE_NAME = "screen.lock"


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


def _opened(root: Path, flags: int) -> int:
    return os.open(state_folder(root) / FILE_NAME, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
