"""Peers that say much in small words are heard a few times in a hundredth of a second, not word by word."""

from __future__ import annotations

import array
import asyncio
import fcntl
import termios

PAUSE_SECONDS = 0.002
_READ_ROUNDS = 3  # the socket is read, the reader wakes, the words are taken
_MOST_ROUNDS = 500


class Pauses:
    """Connections that are not read for two milliseconds; what comes meanwhile waits in their sockets.

    To wake this process costs the peer more than the message itself.
    """

    def __init__(self) -> None:
        self._paused: dict[asyncio.ReadTransport, asyncio.TimerHandle] = {}
        self._talkers: set[asyncio.ReadTransport] = set()

    def pause(self, transport: asyncio.BaseTransport) -> None:
        """Read no more from `transport` for a moment."""
        if isinstance(transport, asyncio.ReadTransport) and transport not in self._paused:
            transport.pause_reading()
            self._talkers.add(transport)
            loop = asyncio.get_running_loop()
            self._paused[transport] = loop.call_later(PAUSE_SECONDS, self._resume, transport)

    async def hear(self) -> None:
        """Take what all of them have said until now."""
        for transport in list(self._paused):
            self._resume(transport)
        quiet = 0
        for _ in range(_MOST_ROUNDS):
            self._talkers = {each for each in self._talkers if not each.is_closing()}
            quiet = 0 if any(_unread(each) for each in self._talkers) else quiet + 1
            if quiet > _READ_ROUNDS:
                return
            for transport in list(self._paused):
                self._resume(transport)
            await asyncio.sleep(0)

    def _resume(self, transport: asyncio.ReadTransport) -> None:
        self._paused.pop(transport).cancel()
        if not transport.is_closing():
            transport.resume_reading()


def _unread(transport: asyncio.ReadTransport) -> bool:
    """Whether the kernel still keeps bytes that the peer has sent."""
    waiting = array.array("i", [0])
    try:
        fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.FIONREAD, waiting)
    except OSError:
        return False
    return waiting[0] > 0
