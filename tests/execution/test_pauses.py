"""A supervisor that says much is heard a few times in a hundredth of a second, and at once when asked."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from runebook_tui.execution import pauses
from runebook_tui.execution.pauses import Pauses
from runebook_tui.execution.server import Connection, SocketServer
from runebook_tui.execution.speakers import Supervisors


@pytest.fixture
async def peer(tmp_path: Path) -> Any:
    """Two ends: what the server has heard, its pauses, and a client that has been heard once."""
    heard: list[object] = []

    async def take(connection: Connection, message: dict[str, Any]) -> dict[str, Any]:
        heard.append(message["n"])
        connection.pause()
        return {}

    paused = Pauses()
    server = SocketServer(tmp_path / "e.sock", Supervisors(tmp_path), take, paused)
    await server.start()
    reader, writer = await asyncio.open_unix_connection(os.fspath(tmp_path / "e.sock"))
    writer.write(b'{"n": 1}\n')
    assert await reader.readline() == b'{"ok":true}\n'
    yield heard, paused, reader, writer
    writer.close()
    await server.close()


async def test_a_paused_peer_is_heard_after_a_moment(peer: Any) -> None:
    heard, _, reader, writer = peer
    writer.write(b'{"n": 2}\n{"n": 3}\n')
    await reader.readline()
    await reader.readline()
    assert heard == [1, 2, 3]


async def test_a_paused_peer_is_heard_at_once_when_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, peer: Any
) -> None:
    heard, paused, reader, writer = peer
    monkeypatch.setattr(pauses, "PAUSE_SECONDS", 3600)
    await paused.hear()
    writer.write(b'{"n": 2}\n')
    await reader.readline()  # and from here on it is paused for an hour
    writer.write(b'{"n": 3}\n')
    await asyncio.sleep(0)
    assert heard == [1, 2]
    await paused.hear()
    assert heard == [1, 2, 3]


async def test_a_paused_peer_may_hang_up(peer: Any) -> None:
    _, paused, _, writer = peer
    writer.close()
    await writer.wait_closed()
    await paused.hear()
    await paused.hear()
