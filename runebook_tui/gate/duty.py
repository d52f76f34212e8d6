"""The work on one filter's notifications: what the server does, and the front once the server is dead."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Mapping

from runebook_tui.gate.callers import Callers
from runebook_tui.gate.enforcer import Enforcer
from runebook_tui.gate.ignored import LazyIgnore
from runebook_tui.gate.judge import Judge
from runebook_tui.gate.link import Link
from runebook_tui.gate.loop import Loop
from runebook_tui.gate.notify import Listener, Notification
from runebook_tui.gate.observer import Observer, Passer
from runebook_tui.gate.order import Order
from runebook_tui.gate.others import Others
from runebook_tui.gate.record import Scribe
from runebook_tui.gate.sockets import Sockets
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
        self._enforcer: Enforcer | None = None

    @property
    def alive(self) -> bool:
        """Whether any process under the filter is left."""
        return self._observer is not None and self._observer.alive

    @property
    def busy(self) -> bool:
        """Whether there is still something to observe or to deliver."""
        return self.alive or not (self._link is None or self._link.delivered)

    def begin(
        self,
        child: int,
        listener: Listener | None,
        reason: str,
        left: Iterable[Notification] = (),
        *,
        killable: bool = True,
        canary: bool = False,
    ) -> None:
        """Start to look after `child` and to talk to the engine; without a listener only say why not.

        `reason` is told to the engine, `left` are calls that somebody else received and did not answer, and
        `killable` says whether the kernel keeps a signal from interrupting a held call, `canary` whether
        `child` tries the gate before anything else.
        """
        self._child, self._gate, self._reason = child, "off", reason
        with self.loop.guard:
            self._link = Link(self.loop, self._order.socket, self._order.agent, self._attach, self._last)
        if listener is not None:
            self._gate, self._reason = self._order.gate, reason or self._order.reason
            if self._gate == "enforce" and not killable:
                self._gate, self._reason = "observe", "holding a call needs Linux 5.19"
            with self.loop.guard:
                if self._link is not None:
                    self._observe(listener, self._link, canary=child if canary else 0)
            if self._observer is None:
                self._pass_unseen(listener)
        if self._link is not None:
            with self.loop.guard:
                self._link.attach()
        if self._observer is not None:
            for notification in left:
                with self.loop.guard:
                    self._observer.again(notification)

    def _observe(self, listener: Listener, link: Link, *, canary: int) -> None:
        order = self._order
        root, scribe = order.root, Scribe(order.root, Callers(), order.tree, order.main)
        if self._gate != "enforce":
            self._observer = Observer(self.loop, listener, root, link, observe, scribe=scribe)
            return
        sockets = Sockets((os.getpid(), self._front))
        others = Others(os.getpid(), self._front, lambda: link.engine)
        judge = Judge(root, order.agent, LazyIgnore(root).among, sockets, main=order.main, others=others)
        enforcer = Enforcer(self.loop, listener, root, link, judge, scribe, canary=canary)
        self._enforcer, self._observer = enforcer, enforcer.observer
        link.attached, link.pushed = self._attached, enforcer.pushed
        with self.loop.guard:
            enforcer.take(self._order.rules)

    def _pass_unseen(self, listener: Listener) -> None:
        """Nothing can be looked at: what was to be enforced is refused, the rest passes."""
        enforce = self._gate == "enforce"
        self._reason = f"the observer could not start: {self.loop.guard.last}"
        self._gate = "enforce" if enforce else "off"
        self._observer = Passer(self.loop, listener, errno.EACCES if enforce else 0)

    def _attached(self, reply: Mapping[str, object]) -> None:
        if self._enforcer is None:
            return
        if "rules" in reply:
            with self.loop.guard:
                self._enforcer.take(reply["rules"])
        self._enforcer.attached()

    def flush(self) -> None:
        """Hand over to the engine's socket what it takes now."""
        if self._link is not None:
            with self.loop.guard:
                self._link.flush()

    def linger(self) -> None:
        """Serve until the last process has ended, then deliver what is left for at most ten seconds."""
        while self.alive:
            self.loop.turn()
        if self._enforcer is not None:
            with self.loop.guard:
                self._enforcer.end()
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
            "proved": self._enforcer is not None and self._enforcer.proved,
        }
