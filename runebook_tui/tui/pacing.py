"""Pacing: updates that come faster than anybody can read are shown together, so that keys are not held up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from runebook_tui.tui.backend import Update

A_SECOND = 8.0
"""Updates that are shown in a second while they keep coming; each may draw the whole screen."""
AT_ONCE = 5.0
"""Updates that are shown as they come after a quiet time."""


async def paced(
    updates: AsyncIterator[Update], pulse: Callable[[], float] = time.monotonic
) -> AsyncIterator[Update]:
    """The same updates; those that have to wait become one, with the last state and all records."""
    waiting: list[Update] = []
    come = asyncio.Event()

    async def read() -> None:
        try:
            async for update in updates:
                waiting.append(update)
                come.set()
        finally:
            come.set()

    reader = asyncio.create_task(read())
    budget, counted = AT_ONCE, pulse()
    try:
        while True:
            await come.wait()
            now = pulse()
            budget, counted = min(AT_ONCE, budget + (now - counted) * A_SECOND), now
            if budget < 1.0:
                await asyncio.sleep((1.0 - budget) / A_SECOND)
                continue
            come.clear()
            if waiting:
                budget -= 1.0
                update = together(waiting)
                waiting.clear()
                yield update
            if reader.done() and not waiting:
                await reader
                return
    finally:
        reader.cancel()


def together(updates: Sequence[Update]) -> Update:
    """Several updates, the oldest first, as one."""
    records = tuple(record for update in updates for record in update.records)
    return replace(updates[-1], records=records)
