"""PaneWatch: looks at the panes that are on the screen, all in one go; one that nobody sees costs nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from runebook_tui.tui.backend import BackendError, Frame

FAST, SLOW, SLOWER = 0.1, 0.5, 1.3
"""Seconds between two looks at a pane: while it changes, at most, and the factor from one to the other."""

Captures = Callable[[Sequence[str]], Awaitable[Mapping[str, Frame | BackendError]]]


class Viewer(Protocol):
    """Whatever shows an agent's pane."""

    @property
    def agent(self) -> str | None:
        """Whose pane it shows."""

    @property
    def seen(self) -> bool:
        """Whether it is on the screen now."""

    def took(self, found: Frame | BackendError | None) -> None:
        """What the pane shows now; None when there is none."""


class PaneWatch:
    """One loop for all viewers of a screen.

    Each look asks for all panes that are due in one batch, so that it costs as much as what tmux has to
    format. Looks never overlap. A viewer that was added or asks by `look` is served at once.
    """

    def __init__(self, captures: Captures, pulse: Callable[[], float] = time.monotonic) -> None:
        self._captures = captures
        self._pulse = pulse
        self._viewers: dict[Viewer, _Pace] = {}
        self._wake = asyncio.Event()

    def add(self, viewer: Viewer) -> None:
        """Look at the viewer's pane from now on, while it is seen."""
        self._viewers[viewer] = _Pace()
        self._wake.set()

    def remove(self, viewer: Viewer) -> None:
        """Look at it no longer."""
        self._viewers.pop(viewer, None)

    def look(self, viewer: Viewer) -> None:
        """Look at the viewer's pane anew, and at once."""
        if viewer in self._viewers:
            self.add(viewer)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._wake.clear()
            await self._look_once()
            pause = min((pace.seconds for viewer, pace in self._viewers.items() if viewer.seen), default=SLOW)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _look_once(self) -> None:
        now = self._pulse()
        due = {viewer: pace for viewer, pace in self._viewers.items() if pace.due <= now and viewer.seen}
        if not due:
            return
        asked = {viewer: viewer.agent for viewer in due}
        agents = list(dict.fromkeys(agent for agent in asked.values() if agent is not None))
        found = await self._captures(agents) if agents else {}
        after = self._pulse()
        for viewer, pace in due.items():
            # Meanwhile it may have been taken away, or shows somebody else and is due anew.
            if self._viewers.get(viewer) is not pace or viewer.agent != asked[viewer]:
                continue
            frame = found.get(asked[viewer] or "")
            pace.tell(frame, after)
            viewer.took(frame)


class _Pace:
    """When a pane is looked at next."""

    def __init__(self) -> None:
        self.seconds = FAST
        self.due = float("-inf")
        self._last: object = self

    def tell(self, frame: Frame | BackendError | None, now: float) -> None:
        known = str(frame) if isinstance(frame, BackendError) else frame
        self.seconds = min(self.seconds * SLOWER, SLOW) if known == self._last else FAST
        self._last = known
        # A little early, so that panes of one pace stay in one batch.
        self.due = now + self.seconds * 0.9
