"""Forecasts: what a file would hold after an edit that an agent's client asks about."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from runebook_tui.core.types import Version
from runebook_tui.history.errors import HistoryError
from runebook_tui.history.look import Look, look
from runebook_tui.history.versions import History
from runebook_tui.hooks.edits import MOST_BYTES, Edit, Patched, Reach, Removed, content
from runebook_tui.hooks.places import Place, places_of

_MODE = 0o644


class Forecaster:
    """Works out and keeps what comes, in the tree at `root`; relative paths of edits are taken from `cwd`."""

    def __init__(self, history: History, root: Path, cwd: str) -> None:
        self._history = history
        self._root = root
        self._cwd = cwd

    def version(self, place: Place) -> Version | None:
        """What would be at the path, its content in the history where it may be; None when nobody can tell.

        Reads the file, following no links. Never raises for what it finds.
        """
        seen = look(self._root, place.path, keep=MOST_BYTES)
        if seen is None or seen.version.kind not in ("file", "absent"):
            return None
        if seen.version.kind == "file" and seen.data is None:
            return None
        data = seen.data
        for edit in place.edits:
            if isinstance(edit.how, Removed):
                data = None
                continue
            data = content(edit.how, self._before(edit, data))
            if data is None:
                return None
        if data is None:
            return Version(kind="absent")
        mode = seen.version.mode or _MODE
        coming = Version(kind="file", digest=hashlib.sha256(data).hexdigest(), size=len(data), mode=mode)
        try:
            return self._history.keep(place.path, Look(coming, data))
        except HistoryError:
            return coming  # the disk is full: the request is worth more than its diff

    def _before(self, edit: Edit, data: bytes | None) -> bytes | None:
        """What the edit begins with: the file itself, or the one that is moved there."""
        origin = edit.how.origin if isinstance(edit.how, Patched) else ""
        if not origin:
            return data
        from_places = places_of((Edit(origin, reach=Reach.FILE),), self._cwd, str(self._root))
        seen = look(self._root, from_places[0].path, keep=MOST_BYTES) if from_places else None
        return None if seen is None else seen.data


def forecast(history: History, root: Path, cwd: str, places: Sequence[Place]) -> dict[str, Version | None]:
    """What would be at each of the places."""
    forecaster = Forecaster(history, root, cwd)
    return {place.path: forecaster.version(place) for place in places}
