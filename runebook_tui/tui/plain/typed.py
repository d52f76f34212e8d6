"""Typed lines: what comes in at a descriptor, line by line, whether a terminal, a pipe or a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

MOST_BYTES = 64 * 1024
"""Of a line; what is beyond it is left out."""
_CHUNK = 16 * 1024


async def typed_lines(descriptor: int) -> AsyncIterator[str]:
    """The lines without their ends; bytes that are not UTF-8 as lone surrogates. Ends with the input.

    The descriptor stays as it is: a terminal that were made non-blocking would be so for its shell, too.
    """
    kept = b""
    while chunk := await _read(descriptor):
        *lines, kept = (kept + chunk).split(b"\n")
        for line in lines:
            yield _text(line)
        kept = kept[:MOST_BYTES]
    if kept:
        yield _text(kept)


async def _read(descriptor: int) -> bytes:
    """What can be read once something can; b"" at the end, also of a terminal that has gone."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:
        # epoll knows no regular files: these can always be read.
        return os.read(descriptor, _CHUNK)
    try:
        await ready.wait()
        return os.read(descriptor, _CHUNK)
    except OSError:
        return b""
    finally:
        loop.remove_reader(descriptor)


def _text(line: bytes) -> str:
    return line[:MOST_BYTES].rstrip(b"\r").decode("utf-8", "surrogateescape")
