"""Notes: what an agent's program did, one JSON object a line, in a file that the soak reads as it grows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Note = dict[str, Any]


class NoteWriter:
    """Appends notes. The file lies outside the repository, so no gate asks about it."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **note: Any) -> None:
        """One note, in the file when this returns."""
        os.write(self._fd, json.dumps(note).encode() + b"\n")


class NoteReader:
    """Reads notes from where it stopped; a file that is not there yet has none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[Note]:
        """The notes that came since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                whole = file.read().rpartition(b"\n")[0]
        except FileNotFoundError:
            return []
        self._offset += len(whole) + 1 if whole else 0
        return [json.loads(line) for line in whole.splitlines()]
