"""Tab: one browser tab's session, a process of its own that ends with the tab; agents go on."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

_SECONDS = 5.0
"""How long a session may take to end before it is killed."""
_MOST_CELLS = 1000
"""Columns or rows of the largest screen."""


def cells(text: object, default: int) -> int:
    """Columns or rows as a browser says them, within bounds; `default` for what is no number."""
    if isinstance(text, str):
        text = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
    return min(max(text, 1), _MOST_CELLS) if isinstance(text, int) else default


class Tab(AppService):
    """The session behind one websocket: `command` is what it runs, for `sh`."""

    def __init__(self, command: str, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        super().__init__(
            command,
            write_bytes=self._bytes,
            write_str=self._text,
            close=self._close,
            download_manager=DownloadManager(),
        )

    async def show(self, width: int, height: int) -> None:
        """Run the session until it or the tab ends."""
        await self.start(width, height)
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    with suppress(ValueError, RecursionError):
                        await self._hear(json.loads(message.data))
        finally:
            await self.stop()

    async def run(self) -> None:
        """Carry what the session draws to the browser; its end closes the websocket."""
        try:
            await super().run()
        finally:
            with suppress(ConnectionError):
                await self._close()

    async def stop(self) -> None:
        """End the session, by force when it does not within seconds."""
        try:
            async with asyncio.timeout(_SECONDS):
                await super().stop()
                if self._process is not None:
                    await self._process.wait()
        except TimeoutError:
            if self._process is not None and self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

    async def _hear(self, said: object) -> None:
        """What the browser says, as textual-serve's page words it (1.1); anything else is left unheard."""
        match said:
            case ["stdin", str(keys)]:
                await self.send_bytes(keys.encode("utf-8", "replace"))
            case ["resize", {"width": width, "height": height}]:
                await self.set_terminal_size(cells(width, 80), cells(height, 24))
            case ["ping", data]:
                await self._text(json.dumps(["pong", data]))
            case ["focus", *_]:
                await self.focus()
            case ["blur", *_]:
                await self.blur()

    async def _bytes(self, data: bytes) -> None:
        with suppress(ConnectionError):
            await self._socket.send_bytes(data)

    async def _text(self, data: str) -> None:
        with suppress(ConnectionError):
            await self._socket.send_str(data)

    async def _close(self) -> None:
        await self._socket.close()
