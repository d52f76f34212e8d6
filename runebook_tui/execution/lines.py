"""Lines: what a peer says, line by line, within bounds of length, of time and of memory for all peers."""

from __future__ import annotations

import asyncio

from runebook_tui.execution.wire import MAX_LINE, WireError

PATIENCE_SECONDS = 30.0
"""So long a line may take from its first byte to its last."""
MOST_TOGETHER = 16 * MAX_LINE
"""Bytes that all unfinished long lines may hold."""
SHORT = 64 * 1024
"""Bytes of a line that is never refused for others' sake."""


class Room:
    """The bytes that unfinished long lines hold together; short ones do not count."""

    def __init__(self, most: int = MOST_TOGETHER) -> None:
        self._free = most

    def change(self, before: int, after: int) -> bool:
        """Whether a line of `before` bytes may be one of `after`; nothing changes when it may not."""
        more = _counted(after) - _counted(before)
        if more > self._free:
            return False
        self._free -= more
        return True


def _counted(length: int) -> int:
    return length if length > SHORT else 0


class Lines:
    """The lines of one peer."""

    def __init__(self, reader: asyncio.StreamReader, room: Room, patience: float = PATIENCE_SECONDS) -> None:
        self._reader = reader
        self._room = room
        self._patience = patience
        self._said = bytearray()

    @property
    def more(self) -> bool:
        """Whether another whole line has come already."""
        return b"\n" in self._said

    async def next(self) -> bytes | None:
        """The next line with its end; None when the peer says no more. Raises WireError, ConnectionError."""
        end = self._said.find(b"\n")
        if end < 0:
            try:
                async with asyncio.timeout(None) as limit:
                    end = await self._rest(limit)
            except TimeoutError as error:
                words = f"the message did not come to its end within {self._patience:g} s"
                raise WireError(words) from error
        if end < 0:
            return None
        line = bytes(self._said[: end + 1])
        self._cut(end + 1)
        return line

    def close(self) -> None:
        """Forget what was said."""
        self._cut(len(self._said))

    async def _rest(self, limit: asyncio.Timeout) -> int:
        """Read until a line is whole; where it ends, -1 when the peer says no more."""
        while True:
            known = len(self._said)
            if known and limit.when() is None:
                limit.reschedule(asyncio.get_running_loop().time() + self._patience)
            piece = await self._reader.read(SHORT)
            if not piece:
                return -1
            end = piece.find(b"\n")
            if known + (len(piece) if end < 0 else end) > MAX_LINE:
                raise WireError("the message is too long")
            if not self._room.change(known, known + len(piece)):
                raise WireError("too many long messages at once")
            self._said += piece
            if end >= 0:
                return known + end

    def _cut(self, length: int) -> None:
        self._room.change(len(self._said), len(self._said) - length)
        del self._said[:length]
