"""A nudge tells readers of the log at once that it has grown.

Each reader binds a unix datagram socket in the runtime folder; the engine sends every one of them a
byte. A lost nudge costs time only: readers also look at the log's version now and then.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from pathlib import Path

_PREFIX = "nudge-"


class Bell:
    """The sending side. Never blocks, never raises for a reader that has gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def ring(self) -> None:
        """Tell every reader that the log has grown."""
        try:
            names = [name for name in os.listdir(self._folder) if name.startswith(_PREFIX)]
        except FileNotFoundError:
            return
        for name in names:
            path = self._folder / name
            try:
                self._socket.sendto(b"\n", os.fspath(path))
            except ConnectionRefusedError:
                with suppress(OSError):
                    path.unlink()
            except OSError:
                # A full queue holds a nudge already; what cannot be reached reads the log in time.
                continue

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


class Ear:
    """The receiving side, for asyncio."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{_PREFIX}{os.getpid()}-{id(self):x}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._path.unlink(missing_ok=True)
        self._socket.bind(os.fspath(self._path))

    async def wait(self, seconds: float) -> bool:
        """Wait for a nudge, `seconds` at the most; whether one came. Several count as one."""
        loop = asyncio.get_running_loop()
        try:
            # Not `wait_for`: before Python 3.12 it loses a cancellation that comes with the nudge.
            async with asyncio.timeout(seconds):
                await loop.sock_recv(self._socket, 16)
        except TimeoutError:
            return False
        while True:
            try:
                self._socket.recv(16)
            except BlockingIOError:
                return True

    def close(self) -> None:
        """Let go of the socket and its name."""
        self._socket.close()
        self._path.unlink(missing_ok=True)
