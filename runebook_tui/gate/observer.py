"""One stopped call from received to answered."""

from __future__ import annotations

import errno
import select
from collections.abc import Callable, Iterable

from runebook_tui.gate.callers import Callers, Closed
from runebook_tui.gate.calls import Calls, Change
from runebook_tui.gate.link import Link
from runebook_tui.gate.loop import GONE, READ, Loop
from runebook_tui.gate.mounts import Atlas
from runebook_tui.gate.names import Names
from runebook_tui.gate.notify import Listener, Notification
from runebook_tui.gate.record import Scribe
from runebook_tui.gate.stopped import Act, Call
from runebook_tui.gate.verdict import CONTINUE, Continue, Decide, Refuse, Verdict

_AT_ONCE = 16
# A bad address, an endless path, a shut folder fail in the kernel too; a process that went away needs no
# answer.
_FAILS_ITSELF = frozenset(
    (errno.EFAULT, errno.EIO, errno.ENAMETOOLONG, errno.ENOENT, errno.ESRCH, errno.EACCES)
)


class Observer:
    """Receives the stopped calls of one filter, answers as `decide` says, and records those that go on.

    `root` is the repository's real path, or that of the worktree that `scribe` keeps the records of; `alive`
    ends when the last process under the filter has. When reading or deciding goes wrong, `failed` is told,
    and the answer is `otherwise`.
    """

    def __init__(
        self,
        loop: Loop,
        listener: Listener,
        root: bytes,
        link: Link,
        decide: Decide,
        otherwise: Verdict = CONTINUE,
        failed: Callable[[Notification], None] | None = None,
        scribe: Scribe | None = None,
    ) -> None:
        self.alive = True
        self._loop = loop
        self._listener = listener
        self._link = link
        self._decide = decide
        self._otherwise = otherwise
        self._failed = failed
        self._scribe = scribe or Scribe(root, Callers())
        self._names = Names(Atlas(root), self._scribe.callers)
        self._calls = Calls(self._names)
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

    def beside(self, folders: Iterable[bytes]) -> None:
        """Know these folders outside the repository by every name that a caller may have for them."""
        self._names.beside(folders)

    def again(self, notification: Notification) -> None:
        """Judge a call that was received earlier, and answer it."""
        verdict = self._judge(notification)
        with self._loop.guard:
            self._link.flush()
        self.settle(notification, verdict)

    def settle(self, notification: Notification, verdict: Verdict) -> None:
        """Answer a call; one that is held stays in the ledger until it is settled again."""
        if isinstance(verdict, Continue):
            self._listener.proceed(notification)
        elif isinstance(verdict, Refuse):
            self._listener.refuse(notification, verdict.number)

    def _judge(self, notification: Notification) -> Verdict:
        verdict: Verdict | None = None
        with self._loop.guard:
            call = self._read(notification)
            verdict = self._decide(call)
            if isinstance(verdict, Continue):
                for act in call.acts:
                    if act.record is not None and not self._scribe.repeats(act.record):
                        self._link.offer(act.record)
        if verdict is None and self._failed is not None:
            with self._loop.guard:
                self._failed(notification)
        return verdict or self._otherwise

    def _read(self, notification: Notification) -> Call:
        """What the call would do."""
        thread = notification.thread
        try:
            changes = self._calls.changes(thread, notification.call, notification.args)
            acts = [
                Act(change, None if change.op == "connect" else self._scribe.record(thread, change))
                for change in self._scribe.by_tree(changes)
            ]
        except Closed:
            return Call(
                notification, [Act(Change("unreadable", None), self._scribe.unreadable(thread))], closed=True
            )
        except OSError as error:
            if error.errno in _FAILS_ITSELF:
                return Call(notification, [], number=error.errno or errno.EACCES)
            raise
        # Only now is it sure that the process we read was the caller and not a later one with its number.
        seen = any(act.record is not None for act in acts)
        return Call(notification, acts if not seen or self._listener.valid(notification) else [])


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
    """Gives every call the same answer unseen: what is left to do when an Observer cannot be built."""

    def __init__(self, loop: Loop, listener: Listener, number: int = 0) -> None:
        """Calls continue, or fail with the errno `number`."""
        self.alive = True
        self._loop = loop
        self._listener = listener
        self._number = number
        loop.watch(listener.fd, READ, self._ready)

    def again(self, notification: Notification) -> None:
        """Answer a call that was received earlier."""
        if self._number:
            self._listener.refuse(notification, self._number)
        else:
            self._listener.proceed(notification)

    def _ready(self, events: int) -> None:
        if events & READ:
            notification = self._listener.receive()
            if notification is not None:
                self.again(notification)
        elif events & GONE:
            self.alive = False
            self._loop.forget(self._listener.fd)
