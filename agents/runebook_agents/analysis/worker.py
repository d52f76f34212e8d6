"""The worker: analyses failures in the background, one at a time, the newest of each command."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from runebook_agents.analysis.failure import Failure

Analyse = Callable[[Failure, Callable[[], bool]], None]

MOST_WAITING = 200
"""So many failures wait at the most; the oldest is forgotten."""


class Worker:
    """Calls `analyse(failure, over)` in a thread; `over` is true once the outcome is not wanted any more."""

    def __init__(self, analyse: Analyse, idle: Callable[[], None] = lambda: None) -> None:
        self._analyse = analyse
        self._idle = idle
        self._waiting: OrderedDict[tuple[str, str, str], Failure] = OrderedDict()
        self._running: tuple[tuple[str, str, str], threading.Event] | None = None
        self._changed = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._work, name="analysis", daemon=True)
        self._thread.start()

    def add(self, failure: Failure) -> None:
        """Analyse `failure` soon, in the place of an older one of the same command."""
        with self._changed:
            self._waiting.pop(failure.key, None)
            self._waiting[failure.key] = failure
            if len(self._waiting) > MOST_WAITING:
                self._waiting.popitem(last=False)
            if self._running is not None and self._running[0] == failure.key:
                self._running[1].set()
            self._changed.notify_all()

    @property
    def busy(self) -> bool:
        """Whether something is analysed or waits."""
        with self._changed:
            return bool(self._waiting) or self._running is not None

    def close(self, seconds: float = 1.0) -> None:
        """End at once: what runs is told that it is over, what waits is forgotten."""
        with self._changed:
            self._over = True
            self._waiting.clear()
            if self._running is not None:
                self._running[1].set()
            self._changed.notify_all()
        self._thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._over)
                if self._over:
                    return
                key, failure = self._waiting.popitem(last=False)
                over = threading.Event()
                self._running = key, over
            try:
                self._analyse(failure, over.is_set)
            finally:
                with self._changed:
                    self._running = None
                    nothing = not self._waiting and not self._over
            if nothing:
                self._idle()
