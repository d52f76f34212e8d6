"""A play: what one player noted on its host, and the tree that it plays in."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.chaos.audit import changed
from benchmarks.chaos.player import FILES
from benchmarks.soak.notes import Note, NoteReader


class Play:
    """That of `agent` in the checkout at `root`; its program appends to the file `notes`."""

    def __init__(self, agent: str, root: Path, notes: Path) -> None:
        self.agent = agent
        self.root = root
        self.file = notes
        self._notes: list[Note] = []
        self._reader = NoteReader(notes)

    def notes(self) -> list[Note]:
        """All that it noted so far."""
        self._notes += self._reader.read()
        return list(self._notes)

    def count(self, kind: str) -> int:
        """How many notes of that kind there are."""
        return sum(note["do"] == kind for note in self.notes())

    def progress(self) -> tuple[int, int]:
        """How many foreign tries have ended, and how often own writes were told."""
        return self.count("end"), self.count("own")

    def landed(self, *, whole: bool) -> tuple[list[Note], set[int]]:
        """The notes, and the numbers of the foreign files, tried or all, that are changed after these."""
        notes = self.notes()
        tried = max((note["number"] for note in notes if note["do"] == "try"), default=0)
        return notes, changed(self.root, FILES if whole else tried + 1)

    def faults(self) -> list[str]:
        """Its own writes that failed."""
        codes = [note["errno"] for note in self.notes() if note["do"] == "fault"]
        return [f"an own write of {self.agent} failed: {os.strerror(code)}" for code in codes]
