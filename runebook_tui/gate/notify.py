"""The listener of the filter: notifications received, checked and answered.

Layouts and numbers: `struct seccomp_notif`, `struct seccomp_notif_resp` and the `!` ioctls of the kernel's
seccomp.h (6.18).
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import struct
from collections.abc import Iterator

from runebook_tui.gate import kernel

_RECV = 0xC0502100
_SEND = 0xC0182101
_ID_VALID = 0x40082102
_SET_FLAGS = 0x40082104
_SYNC_WAKE_UP = 1
_FLAG_CONTINUE = 1

_SLOT = 128
SLOTS = 32
_ZERO = bytes(_SLOT)


def _ioctl(fd: int, request: int, address: int) -> int:
    """The errno of one ioctl, 0 for success; a signal (a child that ended) only repeats it."""
    while kernel.ioctl(fd, request, address) != 0:
        number = ctypes.get_errno()
        if number != errno.EINTR:
            return number
    return 0


class Notification:
    """One stopped call: `id`, `thread` (its thread id here), `call` (system call number), `args` (six)."""

    __slots__ = ("args", "call", "id", "slot", "thread")

    def __init__(self, slot: int, found: tuple[int, ...]) -> None:
        self.slot = slot
        self.id, self.thread, _, self.call, _, _ = found[:6]
        self.args = found[6:]


class Ledger:
    """A page shared by front and server in which the kernel itself writes what was received.

    A call that was received but never answered waits for ever. The kernel fills the page before the
    receiving process goes on, so a server killed at any point leaves the id of every such call here.
    """

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, SLOTS * _SLOT)
        self._hold = (ctypes.c_char * (SLOTS * _SLOT)).from_buffer(self._page)
        self._start = ctypes.addressof(self._hold)

    def prepare(self, slot: int) -> int:
        """Clear the slot and return its address."""
        self._page[slot * _SLOT : (slot + 1) * _SLOT] = _ZERO
        return self._start + slot * _SLOT

    def read(self, slot: int) -> Notification:
        """What the kernel wrote into the slot."""
        return Notification(slot, struct.unpack_from("=QIIiIQ6Q", self._page, slot * _SLOT))

    def clear(self, slot: int) -> None:
        """Forget the slot's call: it is answered."""
        self._page[slot * _SLOT : slot * _SLOT + 8] = _ZERO[:8]

    def unanswered(self) -> Iterator[Notification]:
        """The calls that somebody received and did not answer."""
        for slot in range(SLOTS):
            found = self.read(slot)
            if found.id:
                yield found


class Listener:
    """The descriptor of a filter's notifications and the ledger of those that are under way."""

    def __init__(self, fd: int, ledger: Ledger) -> None:
        self.fd = fd
        self.ledger = ledger
        self._free = [slot for slot in reversed(range(SLOTS)) if not ledger.read(slot).id]
        self._answer = ctypes.create_string_buffer(24)
        self._id = ctypes.c_uint64()
        # Linux 6.6: wake the caller on this processor at once. Older kernels refuse, and are only slower.
        kernel.ioctl(fd, _SET_FLAGS, _SYNC_WAKE_UP)

    @property
    def full(self) -> bool:
        """Whether as many calls are under way as the ledger holds."""
        return not self._free

    def receive(self) -> Notification | None:
        """The next stopped call; None when it went away meanwhile. Call it only when poll says so."""
        slot = self._free[-1]
        if kernel.ioctl(self.fd, _RECV, self.ledger.prepare(slot)) != 0:
            self.ledger.clear(slot)
            if ctypes.get_errno() in (errno.ENOENT, errno.EINTR):
                return None
            raise kernel.fail("cannot receive from the filter")
        self._free.pop()
        return self.ledger.read(slot)

    def valid(self, notification: Notification) -> bool:
        """Whether the call still waits, so that what was read about its process is about that process."""
        self._id.value = notification.id
        return _ioctl(self.fd, _ID_VALID, ctypes.addressof(self._id)) == 0

    def proceed(self, notification: Notification) -> None:
        """Let the kernel carry the call out."""
        self._send(notification, 0, _FLAG_CONTINUE)

    def refuse(self, notification: Notification, number: int) -> None:
        """Make the call fail with the errno `number`."""
        self._send(notification, -number, 0)

    def _send(self, notification: Notification, error: int, flags: int) -> None:
        struct.pack_into("=QqiI", self._answer, 0, notification.id, 0, error, flags)
        number = _ioctl(self.fd, _SEND, ctypes.addressof(self._answer))
        self.ledger.clear(notification.slot)
        if notification.slot not in self._free:
            self._free.append(notification.slot)
        # ENOENT: the caller was killed, or interrupted and will ask again.
        if number not in (0, errno.ENOENT, errno.EINPROGRESS):
            raise OSError(number, "cannot answer the filter")
