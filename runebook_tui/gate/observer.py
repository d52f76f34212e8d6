"""One stopped call from received to answered."""

from __future__ import annotations

import errno
import select

from runebook_tui.gate.calls import Calls
from runebook_tui.gate.link import Link
from runebook_tui.gate.loop import GONE, READ, Loop
from runebook_tui.gate.mounts import Atlas
from runebook_tui.gate.names import Closed, Names
from runebook_tui.gate.notify import Listener, Notification
from runebook_tui.gate.record import Record, Scribe
from runebook_tui.gate.verdict import CONTINUE, Continue, Decide, Hold, Refuse, Verdict

_AT_ONCE = 16
# A bad address or an endless path fails in the kernel too; a process that went away needs no answer.
_FAILS_ITSELF = frozenset((errno.EFAULT, errno.EIO, errno.ENAMETOOLONG, errno.ENOENT, errno.ESRCH))


class Observer:
    """Receives the stopped calls of one filter, records what they write, and answers as `decide` says.

    `root` is the repository's real path; `alive` ends when the last process under the filter has.
    """

    def __init__(self, loop: Loop, listener: Listener, root: bytes, link: Link, decide: Decide) -> None:
        self.alive = True
        self._loop = loop
        self._listener = listener
        self._link = link
        self._decide = decide
        self._scribe = Scribe(root)
        self._calls = Calls(Names(Atlas(root)))
        self._poll_more = _Poll(listener.fd)
        loop.watch(listener.fd, READ, self._ready)

    def _ready(self, events: int) -> None:
        """Takes what waits, records it, hands the records to the engine's socket, then answers."""
        if not events & READ:
            if events & GONE:
                self.alive = False
                self._loop.forget(self._listener.fd)
            return
        answers: list[tuple[Notification, Verdict]] = []
        try:
            while not self._listener.full and len(answers) < _AT_ONCE:
                notification = self._listener.receive()
                if notification is not None:
                    answers.append((notification, self._judge(notification)))
                if not self._poll_more.ready():
                    break
            with self._loop.guard:
                self._link.flush()
        finally:
            for notification, verdict in answers:
                with self._loop.guard:
                    self.settle(notification, verdict)

    def settle(self, notification: Notification, verdict: Verdict) -> None:
        """Answer a call; one that is held stays in the ledger until it is settled again."""
        if isinstance(verdict, Continue):
            self._listener.proceed(notification)
        elif isinstance(verdict, Refuse):
            self._listener.refuse(notification, verdict.number)

    def _judge(self, notification: Notification) -> Verdict:
        verdict: Verdict = CONTINUE
        with self._loop.guard:
            for record in self._records(notification):
                verdict = _stricter(verdict, self._decide(record))
                if not self._scribe.repeats(record):
                    self._link.offer(record)
        return verdict

    def _records(self, notification: Notification) -> list[Record]:
        """What the call writes inside the repository."""
        thread = notification.thread
        try:
            changes = self._calls.changes(thread, notification.call, notification.args)
            found = [self._scribe.record(thread, change) for change in changes]
            records = [record for record in found if record is not None]
        except Closed:
            records = [self._scribe.unreadable(thread)]
        except OSError as error:
            if error.errno in _FAILS_ITSELF:
                return []
            raise
        # Only now is it sure that the process we read was the caller and not a later one with its number.
        return records if not records or self._listener.valid(notification) else []


def _stricter(one: Verdict, other: Verdict) -> Verdict:
    order = (Continue, Hold, Refuse)
    return one if order.index(type(one)) >= order.index(type(other)) else other


class _Poll:
    """Whether one descriptor has something to read right now."""

    def __init__(self, fd: int) -> None:
        self._poll = select.poll()
        self._poll.register(fd, READ)

    def ready(self) -> bool:
        """True when reading would not wait."""
        events = self._poll.poll(0)
        return bool(events and events[0][1] & READ)


class Passer:
    """Lets every call pass unseen: what is left to do when an Observer cannot be built."""

    def __init__(self, loop: Loop, listener: Listener) -> None:
        self.alive = True
        self._loop = loop
        self._listener = listener
        loop.watch(listener.fd, READ, self._ready)

    def _ready(self, events: int) -> None:
        if events & READ:
            notification = self._listener.receive()
            if notification is not None:
                self._listener.proceed(notification)
        elif events & GONE:
            self.alive = False
            self._loop.forget(self._listener.fd)
