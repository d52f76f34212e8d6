"""Errands: what belongs to another host is done by its engine, and its answer brought back.

Both sides are here: `ask` sends an errand and waits for its answer, `settle` does those that have come.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from runebook_tui.core.names import host_words
from runebook_tui.core.types import OPERATOR
from runebook_tui.execution import wire
from runebook_tui.execution.lines import Lines, Room
from runebook_tui.execution.pauses import Pauses
from runebook_tui.execution.server import Connection, Handler, answered
from runebook_tui.execution.speakers import Speaker
from runebook_tui.log.aside import Aside
from runebook_tui.log.errands import MOST_BYTES, Errand, ErrandBox
from runebook_tui.log.eventlog import LogError
from runebook_tui.orchestrator.coordinator import Refused

Answer = dict[str, Any]

SECONDS = 8.0
"""How long an answer is waited for, unless it takes longer by its nature: less than those wait who ask."""


_WITHDRAW_SECONDS = 1.0
"""So long whoever had no answer waits until its errand is withdrawn; a silent server hears of it later."""


class Errands:
    """Errands of the engine of `host`. `do` answers a message as the engine's socket would.

    `alive` says whether the engine of a host runs, as far as the store tells.
    """

    def __init__(self, host: str, box: ErrandBox, do: Handler, alive: Callable[[str], bool]) -> None:
        self._host = host
        self._box = box
        self._do = do
        self._alive = alive
        self._aside = Aside("errands")
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, host: str, message: Answer, seconds: float = SECONDS) -> Answer:
        """What the engine of `host` answers to the message. Raises Refused, LogError."""
        where = host_words(host)
        question = wire.pack(message).decode("ascii")
        if len(question) > MOST_BYTES:
            raise Refused(f"that is too long for {where}")
        errand = Errand(uuid.uuid4().hex, self._host, host, question)
        answer = self._waiting[errand.id] = asyncio.get_running_loop().create_future()
        left = False
        try:
            async with asyncio.timeout(seconds):
                if not await self._aside(partial(self._alive, host)):
                    raise Refused(f"no engine of {where} runs: what waits there stays open until it is back")
                left = True
                await self._aside(partial(self._box.put, errand, seconds))
                text = await answer
        except TimeoutError:
            raise Refused(f"{where} does not answer") from None
        finally:
            del self._waiting[errand.id]
            if left and (not answer.done() or answer.cancelled()):
                await asyncio.wait({self._keep(self._withdraw(errand.id))}, timeout=_WITHDRAW_SECONDS)
        return _unpacked(text, where)

    async def settle(self) -> None:
        """Take the answers that have come, and begin what other hosts ask. Raises LogError."""
        for name, answer in tuple(self._waiting.items()):
            text = await self._aside(partial(self._box.collect, name))
            if text is not None and not answer.done():
                answer.set_result(text)
        for errand in await self._aside(partial(self._box.take, self._host)):
            self._keep(self._run(errand))

    async def close(self) -> None:
        """Do and ask nothing any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._aside(self._box.close)
        self._aside.close()

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _withdraw(self, errand: str) -> None:
        """Take an errand back; where that cannot be told, it is void when its time is over."""
        with suppress(LogError):
            await self._aside(partial(self._box.withdraw, errand))

    async def _run(self, errand: Errand) -> None:
        """Do one, and leave its answer."""
        question = errand.question.encode("ascii", "replace")
        text = wire.pack(await answered(self._do, _visitor(errand.sender), question)).decode("ascii")
        if len(text) > MOST_BYTES:
            text = wire.pack({"ok": False, "error": "the answer is too long for another host"}).decode()
        with suppress(LogError):  # the asker is told that nobody answers
            await self._aside(partial(self._box.answer, errand.id, text))


def _unpacked(text: str, where: str) -> Answer:
    try:
        answer = wire.unpack(text.encode("ascii", "replace"))
    except wire.WireError as error:
        raise Refused(f"the answer of {where} cannot be read") from error
    if answer.pop("ok", None) is not True:
        raise Refused(str(answer.get("error", "refused")))
    return answer


def _visitor(sender: str) -> Connection:
    """The operator of another host, who is nobody's process here."""
    speaker = Speaker(OPERATOR, 0, f"the operator of {host_words(sender)}", sender)
    return Connection(
        lambda: speaker,
        pid=0,
        transport=asyncio.WriteTransport(),
        unfiltered=False,
        pauses=Pauses(),
        lines=Lines(asyncio.StreamReader(), Room()),
    )
