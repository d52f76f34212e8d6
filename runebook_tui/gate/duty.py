"""The work on one filter's notifications: what the server does, and the front once the server is dead."""

from __future__ import annotations

import time

from runebook_tui.gate.link import Link
from runebook_tui.gate.loop import Loop
from runebook_tui.gate.notify import Listener
from runebook_tui.gate.observer import Observer, Passer
from runebook_tui.gate.order import Order
from runebook_tui.gate.verdict import observe

_DRAIN_SECONDS = 10.0


class Duty:
    """Looks after one listener: loop, link to the engine and observer. It starts with `begin`."""

    def __init__(self, order: Order, front: int, last: int = 0) -> None:
        self.loop = Loop()
        self._link: Link | None = None
        self._last = last
        self._order = order
        self._front = front
        self._child = 0
        self._gate = "off"
        self._reason = order.reason
        self._observer: Observer | Passer | None = None

    @property
    def alive(self) -> bool:
        """Whether any process under the filter is left."""
        return self._observer is not None and self._observer.alive

    @property
    def busy(self) -> bool:
        """Whether there is still something to observe or to deliver."""
        return self.alive or not (self._link is None or self._link.delivered)

    def begin(self, child: int, listener: Listener | None, reason: str) -> None:
        """Start to observe `child` (or, without a listener, only say why not) and to talk to the engine."""
        self._child, self._gate, self._reason = child, "off", reason
        with self.loop.guard:
            self._link = Link(self.loop, self._order.socket, self._order.agent, self._attach, self._last)
            if listener is not None:
                self._gate, self._reason = "observe", reason
                self._observer = Observer(self.loop, listener, self._order.root, self._link, observe)
        if listener is not None and self._observer is None:
            self._gate, self._reason = "off", f"the observer could not start: {self.loop.guard.last}"
            self._observer = Passer(self.loop, listener)
        if self._link is not None:
            with self.loop.guard:
                self._link.attach()

    def flush(self) -> None:
        """Hand over to the engine's socket what it takes now."""
        if self._link is not None:
            with self.loop.guard:
                self._link.flush()

    def linger(self) -> None:
        """Serve until the last process has ended, then deliver what is left for at most ten seconds."""
        while self.alive:
            self.loop.turn()
        end = time.monotonic() + (_DRAIN_SECONDS if self._observer is not None else 0.5)
        while self._link is not None and not self._link.delivered and time.monotonic() < end:
            self.loop.turn(0.2)

    def _attach(self) -> dict[str, object]:
        return {
            "do": "attach",
            "agent": self._order.agent,
            "front": self._front,
            "child": self._child,
            "gate": self._gate,
            "reason": self._reason,
        }
