"""Talking to the engine: one question at a time, synchronous for the CLI, asynchronous for the TUI.

EngineError         one line for people
├── EngineDown      no engine answers
└── EngineRefused   the engine said no
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runebook_tui import mark
from runebook_tui.execution import wire
from runebook_tui.place import socket_path


class EngineError(Exception):
    """The engine could not be asked; the message is one line for people."""


class EngineDown(EngineError):
    """No engine answers."""

    def __init__(self) -> None:
        super().__init__("no engine runs here; start one with `runebook-tui` or `runebook-tui run`")


class EngineRefused(EngineError):
    """The engine said no."""


class EngineClient:
    """A connection to the engine of the repository at `root`. Raises EngineDown."""

    def __init__(self, root: Path, *, timeout: float | None = 10.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(str(socket_path(root)))
            if not mark.leads(self._socket.getsockopt):
                raise ConnectionRefusedError("an agent's process has taken the engine's place")
        except OSError as error:
            self._socket.close()
            raise EngineDown from error
        self._file = self._socket.makefile("rb")

    def ask(self, do: str, *, timeout: float | None = 10.0, **fields: Any) -> dict[str, Any]:
        """The engine's answer. Raises EngineRefused, EngineDown, or TimeoutError after `timeout` seconds."""
        self._socket.settimeout(timeout)
        try:
            self._socket.sendall(wire.pack({"do": do, **fields}))
            line = self._file.readline(wire.MAX_LINE)
        except TimeoutError:
            raise
        except OSError as error:
            raise EngineDown from error
        if not line.endswith(b"\n"):
            raise EngineDown
        return _checked(line)

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def ask_engine(
    root: Path, do: str, fields: Mapping[str, object] | None = None, *, seconds: float = 10.0
) -> dict[str, Any]:
    """Ask the engine of `root` one question. Raises EngineError."""
    import asyncio  # here, for most commands of the command line do without

    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(str(socket_path(root)), limit=wire.MAX_LINE)
            try:
                if not mark.leads(writer.get_extra_info("socket").getsockopt):
                    raise ConnectionRefusedError("an agent's process has taken the engine's place")
                writer.write(wire.pack({"do": do, **(fields or {})}))
                await writer.drain()
                line = await reader.readline()
            finally:
                writer.close()
    except TimeoutError as error:
        raise EngineError(f"the engine did not answer within {seconds:g} seconds") from error
    except (OSError, ValueError) as error:
        raise EngineDown from error
    if not line.endswith(b"\n"):
        raise EngineDown
    return _checked(line)


def _checked(line: bytes) -> dict[str, Any]:
    try:
        answer = wire.unpack(line)
    except wire.WireError as error:
        raise EngineError("the engine's answer cannot be read") from error
    if answer.get("ok") is not True:
        raise EngineRefused(str(answer.get("error", "refused")))
    return answer
