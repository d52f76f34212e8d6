"""The engine's socket: who may connect, how much they may say, and what they are answered."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from runebook_tui.core.printable import visible
from runebook_tui.core.secrets import without_secrets
from runebook_tui.execution import wire
from runebook_tui.execution.lines import PATIENCE_SECONDS, Lines, Room
from runebook_tui.execution.pauses import Pauses
from runebook_tui.execution.peers import Peer
from runebook_tui.execution.speakers import Speaker, Supervisors
from runebook_tui.log.eventlog import InDoubt, LogError
from runebook_tui.orchestrator.coordinator import Refused

MOST_CONNECTIONS = 448
"""Of all speakers but the operator, who always comes in."""
MOST_OF_ONE = 128
"""Of one agent, and of all processes that nobody knows."""
_WRITE_SECONDS = 10.0
_MOST_TRACE = 20_000


class Connection:
    """One peer for as long as it stays."""

    def __init__(
        self,
        speaker: Callable[[], Speaker],
        pid: int,
        transport: asyncio.WriteTransport,
        unfiltered: bool,
        pauses: Pauses,
        lines: Lines,
    ) -> None:
        self._lines = lines
        self._speaker = speaker
        self._transport = transport
        self._pauses = pauses
        self._settled: Speaker | None = None
        self.pid = pid
        self.unfiltered = unfiltered
        """Whether the peer runs under no more seccomp filters than the engine, as supervisors do."""
        self.dropped = 0
        """How many write records the peer has said that it lost."""
        self.on_close: list[Callable[[], None]] = []

    @property
    def speaker(self) -> Speaker:
        """Who is speaking now (a supervisor is known only once it has attached)."""
        return self._settled or self._speaker()

    def settle(self) -> None:
        """Ask no more who is speaking: a supervisor says much, and stays who it is."""
        self._settled = self._speaker()

    @property
    def settled(self) -> bool:
        """Whether this is a supervisor that has reported for duty."""
        return self._settled is not None

    def speaks_for(self, named: object, default: str | None = None) -> str:
        """The agent that a message is about: the speaker, or whom the operator names. Raises Refused."""
        agent = self.speaker.agent
        if agent is not None:
            if named not in (None, agent):
                raise Refused(f"{agent} cannot speak for {named}")
            return agent
        if isinstance(named, str) and named:
            return named
        if default is not None:
            return default
        raise Refused("say which agent: this is not an agent's pane (--agent ID)")

    async def hung_up(self) -> None:
        """Wait, within the answer to a message, until the peer does not wait for it any more.

        A peer that says something else meanwhile counts as one that has gone; that is not heard.
        """
        with suppress(wire.WireError, ConnectionError):
            await self._lines.next()

    def pause(self) -> None:
        """Listen no more for a moment: the peer says much in small words."""
        self._pauses.pause(self._transport)

    def push(self, message: dict[str, Any]) -> None:
        """Say something unasked. A peer that does not read what it is told is hung up on."""
        if self._transport.get_write_buffer_size() > wire.MAX_LINE:
            self._transport.abort()
        elif not self._transport.is_closing():
            self._transport.write(wire.pack(message))


Handler = Callable[[Connection, dict[str, Any]], Awaitable[dict[str, Any]]]


class SocketServer:
    """Serves `handler` on a unix socket at `path`, mode 0600, to processes of the same user."""

    def __init__(
        self,
        path: Path,
        supervisors: Supervisors,
        handler: Handler,
        pauses: Pauses,
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """`patience`: seconds that a message may take from its first byte to its last."""
        self._path = path
        self._pauses = pauses
        self._patience = patience
        self._supervisors = supervisors
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._guests: Counter[str | None] = Counter()
        self._room = Room()

    async def start(self) -> None:
        """Begin to listen. The caller holds the lease, so a socket file that is there is stale."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._connected, path=str(self._path), backlog=128)
        self._path.chmod(0o600)

    async def close(self) -> None:
        """Stop listening and hang up on everybody."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            peer = Peer(writer.get_extra_info("socket"))
        except OSError:
            peer = None
        try:
            if peer is None:
                await self._refuse(writer, "the system does not tell who you are")
            else:
                await self._receive(peer, reader, writer)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            return
        finally:
            writer.close()
            if peer is not None:
                peer.close()

    async def _receive(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let a peer in, unless those who speak for the same name have come in too often."""
        speaker = self._supervisors.identify(peer)
        if speaker.is_operator:
            await self._converse(peer, reader, writer)
            return
        if self._guests[speaker.name] >= MOST_OF_ONE or self._guests.total() >= MOST_CONNECTIONS:
            await self._refuse(writer, "too many connections")
            return
        self._guests[speaker.name] += 1
        try:
            await self._converse(peer, reader, writer)
        finally:
            self._guests[speaker.name] -= 1

    async def _converse(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = Lines(reader, self._room, self._patience)
        unfiltered = self._supervisors.unfiltered(peer.pid) and peer.lives()
        connection = Connection(
            lambda: self._supervisors.identify(peer),
            peer.pid,
            writer.transport,
            unfiltered,
            self._pauses,
            lines,
        )
        try:
            while (line := await lines.next()) is not None:
                await self._send(writer, await answered(self._handler, connection, line))
                if lines.more and not connection.settled:
                    await asyncio.sleep(0)  # a peer that says much at once keeps nobody waiting
        except wire.WireError as error:
            await self._refuse(writer, str(error))
        finally:
            lines.close()
            for callback in connection.on_close:
                callback()

    async def _refuse(self, writer: asyncio.StreamWriter, why: str) -> None:
        await self._send(writer, {"ok": False, "error": why})

    async def _send(self, writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
        async with asyncio.timeout(_WRITE_SECONDS):
            writer.write(wire.pack(answer))
            await writer.drain()


async def answered(handler: Handler, connection: Connection, line: bytes) -> dict[str, Any]:
    """The answer of `handler` to one message, as it is sent; never raises for what it says."""
    try:
        return {"ok": True, **await handler(connection, wire.unpack(line))}
    except (wire.WireError, Refused) as error:
        return {"ok": False, "error": visible(str(error))}
    except LogError as error:
        done = "whether that was done is not known" if isinstance(error, InDoubt) else "nothing was changed"
        return {"ok": False, "error": f"{done}: {error}"}
    except Exception as error:  # noqa: BLE001  top-level guard: one bad message never ends the engine
        print(without_secrets(traceback.format_exc(), _MOST_TRACE), file=sys.stderr, flush=True)
        return {"ok": False, "error": f"the engine failed on this message: {type(error).__name__}"}
