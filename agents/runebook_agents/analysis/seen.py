"""Seen: how far the log was analysed, so that a restarted agent does not say everything again."""

from __future__ import annotations

import json
from pathlib import Path


class Seen:
    """The highest number of a failure that was analysed, kept in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.seq = 0
        """Failures up to this record were analysed."""
        try:
            self.seq = max(0, int(json.loads(file.read_text())["seq"]))
        except (OSError, ValueError, KeyError, TypeError):
            self.seq = 0

    def add(self, seq: int) -> None:
        """The failure of record `seq` was analysed."""
        if seq > self.seq:
            self.seq = seq
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps({"seq": seq}))
            new.replace(self._file)
