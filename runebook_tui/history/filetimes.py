"""Whether the times that a file system gives its files can be compared with this computer's clock."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

_OFF_SECONDS = 0.02
_ROUNDS = 3
NO_DEVICE = -1


def device_by_this_clock(folder: Path) -> int:
    """The device of `folder` if a file changed there gets the time that it is now; NO_DEVICE if not.

    A network file system goes by its server's clock, and some round to whole seconds.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".time-") as file:
            for _ in range(_ROUNDS):
                before = time.time()
                os.fchmod(file.fileno(), 0o600)
                info = os.fstat(file.fileno())
                if not before - _OFF_SECONDS <= info.st_ctime <= time.time():
                    return NO_DEVICE
            return info.st_dev
    except OSError:
        return NO_DEVICE
