"""A control-mode connection: commands in, answers out, whatever a pane prints in between."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass

from runebook_tui.tmux.panes import TmuxError

_LARGEST = 64 * 1024 * 1024
_LOST = "the tmux server went away"


@dataclass(frozen=True)
class Reply:
    """What one command printed, and what the format asked along with it came to."""

    lines: tuple[bytes, ...]
    after: bytes


@dataclass(frozen=True)
class _Request:
    nonce: bytes
    answer: asyncio.Future[Reply]


class Connection(asyncio.SubprocessProtocol):
    """A tmux client in control mode (tmux(1), CONTROL MODE), spoken to through its pipes.

    A pane can print lines that look like the end of an answer. So each command is followed by a second one
    that prints a random word, which no pane can know.
    """

    def __init__(self) -> None:
        self.alive = False
        self.closed = asyncio.get_running_loop().create_future()
        self._requests: deque[_Request] = deque()
        self._lines: list[bytes] = []
        self._rest = b""
        self._held = 0
        self._unsent: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when the client runs."""
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        self.alive = True

    def ask(self, command: str, target: str, after: str) -> asyncio.Future[Reply]:
        """Send one command (one line), and the format `after` to be told of `target` (`-t ID`, or nothing).

        The future raises TmuxError when the command fails or the connection is lost.
        """
        request = _Request(secrets.token_hex(16).encode(), asyncio.get_running_loop().create_future())
        pipe = self._transport.get_pipe_transport(0)
        if not self.alive or not isinstance(pipe, asyncio.WriteTransport) or pipe.is_closing():
            request.answer.set_exception(TmuxError(_LOST))
            return request.answer
        self._requests.append(request)
        if not self._unsent:
            # What is asked for in one turn of the loop goes in one write, and wakes the server once.
            asyncio.get_running_loop().call_soon(self._send, pipe)
        self._unsent.append(f"{command}\ndisplay-message -p {target} '{request.nonce.decode()} {after}'\n")
        return request.answer

    def _send(self, pipe: asyncio.WriteTransport) -> None:
        text, self._unsent = "".join(self._unsent), []
        if self.alive and not pipe.is_closing():
            pipe.write(text.encode())

    async def close(self, reason: str) -> None:
        """End the client, whatever state the server is in; open requests fail with `reason`."""
        self._lose(reason)
        # A server that hangs keeps the client's pipes open: waiting for their end would hang, too.
        self._transport.close()
        await asyncio.shield(self.closed)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Called by asyncio: collect lines, and hand each answer to its request."""
        if not self.alive:
            return
        *whole, self._rest = (self._rest + data).split(b"\n")
        self._held += len(data)
        for line in whole:
            if self._requests and line.startswith(self._requests[0].nonce):
                _settle(self._requests.popleft(), self._lines, line)
                self._drop()
            else:
                self._lines.append(line)
        if not self._requests:
            self._drop()
        elif self._held > _LARGEST:
            self._lose("tmux sent more than an answer can hold")
            self._transport.close()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Called by asyncio when tmux closed a pipe."""
        said = [line for line in self._lines if line and not line.startswith(b"%")]
        self._lose(said[-1].decode("utf-8", "replace") if said else _LOST)

    def process_exited(self) -> None:
        """Called by asyncio when the client is gone (what it printed last may still be in its pipe)."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio when client and pipes are gone."""
        self._lose(_LOST)
        if not self.closed.done():
            self.closed.set_result(None)

    def _drop(self) -> None:
        self._lines, self._held = [], 0

    def _lose(self, reason: str) -> None:
        self.alive = False
        while self._requests:
            answer = self._requests.popleft().answer
            if not answer.done():
                answer.set_exception(TmuxError(reason))


def _settle(request: _Request, lines: list[bytes], last: bytes) -> None:
    """Answer a request from the lines before its random word.

    They are: the end of the previous answer, notifications, maybe the block of the attaching (flags 0),
    `%begin TIME NUMBER 1`, the body, `%end` or `%error` with the same three, notifications, and the `%begin`
    of the random word. Only the body is hostile: the first such `%begin` and the last match are tmux's own.
    """
    answer = request.answer
    if answer.done():
        return
    starts = (i for i, line in enumerate(lines) if line.startswith(b"%begin ") and line.endswith(b" 1"))
    first = next(starts, len(lines))
    guard = lines[first][len(b"%begin") :] if first < len(lines) else b""
    ends = (i for i in range(len(lines) - 1, first, -1) if lines[i] in (b"%end" + guard, b"%error" + guard))
    end = next(ends, None)
    if end is None:
        answer.set_exception(TmuxError("tmux gave an unexpected answer"))
        return
    body = tuple(lines[first + 1 : end])
    if lines[end].startswith(b"%error"):
        said = b" ".join(body).decode("utf-8", "replace")
        answer.set_exception(TmuxError(said or "tmux refused a command"))
    else:
        answer.set_result(Reply(body, last[len(request.nonce) :]))
