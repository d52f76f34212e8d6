"""What lies below a folder that somebody wants to rename."""

from __future__ import annotations

import os
from collections.abc import Iterator

MOST_ENTRIES = 10_000


class TooMuch(Exception):
    """The folder holds more than can be looked at, or cannot be read."""


def files_below(folder: bytes) -> Iterator[bytes]:
    """Every file below `folder`, relative to it; links are files. Raises TooMuch."""
    count = 0
    todo = [b""]
    while todo:
        inner = todo.pop()
        try:
            with os.scandir(folder + b"/" + inner) as entries:
                for entry in entries:
                    count += 1
                    if count > MOST_ENTRIES:
                        raise TooMuch(f"it holds more than {MOST_ENTRIES} entries")
                    name = inner + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(name + b"/")
                    else:
                        yield name
        except OSError as error:
            raise TooMuch(f"it cannot be looked through: {error.strerror}") from error
