"""Marks: the requests that the operator chose to decide together, each as it was on the screen."""

from __future__ import annotations

from collections.abc import Mapping

from runebook_tui.tui.verdict import SETTLE_SECONDS


class Marks:
    """What was drawn since when, and what is marked. Times are monotonic seconds.

    A mark holds for a request as it stood when it was marked; one that changes loses its mark.
    """

    def __init__(self) -> None:
        self._drawn: dict[int, tuple[object, float]] = {}
        self._marked: dict[int, object] = {}

    def __contains__(self, request: object) -> bool:
        return request in self._marked

    @property
    def requests(self) -> tuple[int, ...]:
        """The marked requests, in the order in which they were marked."""
        return tuple(self._marked)

    def painted(self, request: int, version: object, now: float) -> None:
        """All of the request was drawn as it stands at `version`."""
        known = self._drawn.get(request)
        if known is None or known[0] != version:
            self._drawn[request] = (version, now)

    def follow(self, versions: Mapping[int, object]) -> tuple[int, ...]:
        """Forget what is not among the open requests as they stand now; the marks lost by a change."""
        self._drawn = {number: known for number, known in self._drawn.items() if number in versions}
        changed = tuple(n for n, version in self._marked.items() if n in versions and versions[n] != version)
        self._marked = {n: each for n, each in self._marked.items() if versions.get(n, self) == each}
        return changed

    def seen(self, request: int, version: object, now: float) -> bool:
        """Whether the request was on the screen as it stands, for long enough to be read at a glance."""
        known = self._drawn.get(request)
        return known is not None and known[0] == version and now - known[1] >= SETTLE_SECONDS

    def mark(self, request: int, version: object) -> None:
        """Mark the request as it stands."""
        self._marked[request] = version

    def unmark(self, request: int) -> None:
        """Take the mark of one request away."""
        self._marked.pop(request, None)

    def clear(self) -> None:
        """Take every mark away."""
        self._marked.clear()
