"""Window: the stretch of time that a timeline shows: zoomed, moved, and with moments to label. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SHORTEST = 10.0
"""Seconds that the closest look shows."""
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)


@dataclass(frozen=True)
class Window:
    """From `start` to `end`, unix seconds, within all the time there is, from `first` to `last`."""

    first: float
    last: float
    length: float | None = None
    """Seconds; None for everything."""
    until: float | None = None
    """Where it ends; None for the latest, which goes on."""

    @property
    def span(self) -> float:
        """How many seconds it shows."""
        everything = max(self.last - self.first, SHORTEST)
        return everything if self.length is None else min(max(self.length, SHORTEST), everything)

    @property
    def end(self) -> float:
        """Where it ends."""
        latest = max(self.last, self.first + self.span)
        return latest if self.until is None else min(max(self.until, self.first + self.span), latest)

    @property
    def start(self) -> float:
        """Where it begins."""
        return self.end - self.span

    @property
    def live(self) -> bool:
        """Whether it shows the latest, and goes on with it."""
        return self.end >= self.last

    def holds(self, time: float) -> bool:
        """Whether a moment is in it."""
        return self.start <= time <= self.end

    def zoomed(self, factor: float, about: float | None = None) -> Window:
        """A window `factor` times as long that keeps the moment `about` where it is, or else its end."""
        length = min(max(self.span * factor, SHORTEST), max(self.last - self.first, SHORTEST))
        if about is None or not self.holds(about):
            return self._at(length, self.end)
        share = (about - self.start) / self.span
        return self._at(length, about + (1 - share) * length)

    def moved(self, share: float) -> Window:
        """A window that is later by a share of its length, or earlier with a negative one."""
        return self._at(self.span, self.end + share * self.span)

    def showing(self, time: float) -> Window:
        """This window, moved so that a moment is in it."""
        if self.holds(time):
            return self
        return self._at(self.span, time + self.span / 2)

    def _at(self, length: float, end: float) -> Window:
        whole = length >= self.last - self.first
        latest = end >= self.last
        return Window(self.first, self.last, None if whole else length, None if latest or whole else end)

    def ticks(self, most: int) -> Iterator[float]:
        """Seconds from `first` on at which to write the time, at most about `most` of them."""
        step = next((each for each in _STEPS if self.span / each <= most), _STEPS[-1])
        while self.span / step > most:
            step *= 2
        tick = -(-(self.start - self.first) // step) * step
        while tick <= self.end - self.first:
            yield tick
            tick += step
