"""One poll loop and its guard: an error in one turn is counted, and the loop goes on."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from types import TracebackType

READ, WRITE, GONE = select.POLLIN, select.POLLOUT, select.POLLHUP | select.POLLERR | select.POLLNVAL


class Guard:
    """A `with` block that never lets an error out; `errors` counts them and `last` keeps the words.

    An observer that dies stops the agent that it observes, so this is the one place where every error ends.
    """

    def __init__(self) -> None:
        self.errors = 0
        self.last = ""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if kind is None:
            return False
        self.errors += 1
        self.last = f"{kind.__name__}: {error}"[:200]
        return issubclass(kind, Exception)


class Loop:
    """Calls back when a descriptor is ready or a time has come. Times are of the monotonic clock, seconds."""

    def __init__(self) -> None:
        self.guard = Guard()
        self._poll = select.poll()
        self._ready: dict[int, Callable[[int], None]] = {}
        self._timers: dict[str, tuple[float, Callable[[], None]]] = {}

    def watch(self, fd: int, events: int, ready: Callable[[int], None]) -> None:
        """Call `ready(events)` whenever the descriptor is; watching it again replaces events and call."""
        self._poll.register(fd, events)
        self._ready[fd] = ready

    def forget(self, fd: int) -> None:
        """Watch the descriptor no more; close it only afterwards."""
        if self._ready.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def later(self, name: str, delay: float, call: Callable[[], None]) -> None:
        """Call once after `delay` seconds; the same name again replaces it."""
        self._timers[name] = time.monotonic() + delay, call

    def turn(self, most: float | None = None) -> None:
        """Wait for something to do, `most` seconds at most, and do it."""
        waits = [due - time.monotonic() for due, _ in self._timers.values()]
        if most is not None:
            waits.append(most)
        with self.guard:
            events = self._poll.poll(max(0.0, min(waits)) * 1000 + 1 if waits else None)
            for fd, what in events:
                ready = self._ready.get(fd)
                if ready is not None:
                    with self.guard:
                        ready(what)
        if self._timers:
            now = time.monotonic()
            for name, (due, call) in list(self._timers.items()):
                if due <= now:
                    self._timers.pop(name, None)
                    with self.guard:
                        call()
