"""Peers that say much in small words are heard a few times in a hundredth of a second, not word by word."""

from __future__ import annotations

import asyncio

PAUSE_SECONDS = 0.002
_READ_ROUNDS = 3  # the socket is read, the reader wakes, the words are taken


class Pauses:
    """Connections that are not read for two milliseconds; what comes meanwhile waits in their sockets.

    To wake this process costs the peer more than the message itself.
    """

    def __init__(self) -> None:
        self._paused: dict[asyncio.ReadTransport, asyncio.TimerHandle] = {}

    def pause(self, transport: asyncio.BaseTransport) -> None:
        """Read no more from `transport` for a moment."""
        if isinstance(transport, asyncio.ReadTransport) and transport not in self._paused:
            transport.pause_reading()
            loop = asyncio.get_running_loop()
            self._paused[transport] = loop.call_later(PAUSE_SECONDS, self._resume, transport)

    async def hear(self) -> None:
        """Take what all of them have said until now."""
        for transport in list(self._paused):
            self._resume(transport)
        for _ in range(_READ_ROUNDS):
            await asyncio.sleep(0)

    def _resume(self, transport: asyncio.ReadTransport) -> None:
        self._paused.pop(transport).cancel()
        if not transport.is_closing():
            transport.resume_reading()
