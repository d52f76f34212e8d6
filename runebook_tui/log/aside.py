"""Aside: a store that may be far is used in a thread of its own, so that nobody else waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")


class Use(Protocol):
    """How a store is used: `at_once`, or by `Aside`."""

    def __call__(self, call: Callable[[], T], /) -> Awaitable[T]:
        """What `call` returns or raises."""


async def at_once(call: Callable[[], T], /) -> T:
    """Use a store that is near: the caller waits, and so does its event loop."""
    return call()


class Aside:
    """One thread, in which everything is done in the order in which it was asked.

    It is no thread of asyncio's own few: a server that is silent would take all of them. Whoever is cancelled
    takes back what was not begun; what was begun is done.
    """

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def __call__(self, call: Callable[[], T], /) -> T:
        """What `call` returns or raises, in its turn."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """Take nothing more; what was begun is done, what waits is not."""
        self._thread.shutdown(wait=False, cancel_futures=True)
