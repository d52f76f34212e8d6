"""What is at a path now, by its digest: an approval for once holds for what the operator saw there."""

from __future__ import annotations

import hashlib
import os
import stat

from runebook_tui.core.grants import ABSENT

_MOST_BYTES = 64 * 1024 * 1024
_CHUNK = 1 << 20


def there(file: bytes) -> str | None:
    """The SHA-256 of the file (of a symlink's target), ABSENT, or None when that cannot be told.

    Follows no link; never waits for a pipe. Never raises.
    """
    try:
        found = os.lstat(file)
        if stat.S_ISLNK(found.st_mode):
            return hashlib.sha256(os.readlink(file)).hexdigest()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
            return None
        whole = hashlib.sha256()
        fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while chunk := os.read(fd, _CHUNK):
                whole.update(chunk)
        finally:
            os.close(fd)
        return whole.hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except (OSError, ValueError):
        return None
