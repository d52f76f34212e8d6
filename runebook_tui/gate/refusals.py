"""What was refused lately: a process that asks again gets the same answer, and asks nobody anew."""

from __future__ import annotations

from runebook_tui.core.away import Treatment
from runebook_tui.core.grants import JOIN_SECONDS

SAME_PATH_SECONDS = 60.0
MOST_PATHS = 200
_MOST = 4096

Key = tuple[int, bytes]  # process.Process.key
Series = tuple[str | None, Treatment]
"""Whose paths, and what the plan gives calls about them: a refusal of some says nothing of others."""


class _Series:
    """Refused calls of one process to paths of one `Series`, each soon after the one before."""

    __slots__ = ("count", "last", "words")

    def __init__(self, last: float, words: str) -> None:
        self.last = last
        self.words = words
        self.count = 1


class Refusals:
    """Remembers refusals. Times are of one clock, in seconds."""

    def __init__(self) -> None:
        self._paths: dict[tuple[Key, str], tuple[float, str]] = {}
        self._series: dict[tuple[Key, Series], _Series] = {}

    def note(self, key: Key, path: str, series: Series, words: str, now: float) -> None:
        """The process was refused `path`, which is of `series`, in these words."""
        if len(self._paths) >= _MOST:
            self._paths.pop(next(iter(self._paths)))
        if len(self._series) >= _MOST:
            self._series.pop(next(iter(self._series)))
        self._paths[key, path] = now, words
        self._series[key, series] = _Series(now, words)

    def same(self, key: Key, path: str, now: float) -> str | None:
        """The words with which the process was refused this path in the last minute, or None."""
        when, words = self._paths.get((key, path), (0.0, ""))
        return words if words and now - when <= SAME_PATH_SECONDS else None

    def follows(self, key: Key, path: str, series: Series, now: float) -> tuple[str, bool] | None:
        """When the process was refused a path of `series` just before: in which words, and whether this one
        still joins that request (the first 200 do). None otherwise."""
        known = self._series.get((key, series))
        if known is None or now - known.last > JOIN_SECONDS:
            return None
        known.last = now
        known.count += 1
        self._paths[key, path] = now, known.words
        return known.words, known.count <= MOST_PATHS
