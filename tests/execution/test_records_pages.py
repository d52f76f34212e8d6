"""The pages in which the verb `records` answers, from a log in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from runebook_tui.core import events as e
from runebook_tui.core.state import State
from runebook_tui.execution.records import PAGE, PAGE_BYTES, Records
from runebook_tui.execution.server import Connection
from runebook_tui.log.aside import at_once
from runebook_tui.log.memory import MemoryLog


class Still:
    """A host whose state does not change."""

    def __init__(self, seq: int) -> None:
        self.state = State(seq=seq)

    async def changed(self, condition: Callable[[State], bool], seconds: float) -> bool:
        return condition(self.state)


def answer(log: MemoryLog, **fields: Any) -> dict[str, Any]:
    verb = Records(Still(log.last_seq()), log, at_once).verbs["records"]
    nobody = cast(Connection, SimpleNamespace())
    return asyncio.run(cast(Any, verb(nobody, {"after": 0, **fields})))


def filled(count: int, text: str = "") -> MemoryLog:
    log = MemoryLog()
    for at in range(count):
        event: e.Event = e.AgentReady(agent=f"a{at}") if at % 3 else e.EngineStopped(reason=text)
        log.append([event], run=1, actor="engine", expected=at, time=float(at))
    return log


def whole(log: MemoryLog, **fields: Any) -> tuple[list[int], int]:
    """The numbers of all records that are wanted, and how many questions that took."""
    found: list[int] = []
    after = questions = 0
    while True:
        page = answer(log, **{**fields, "after": after})
        questions += 1
        if not page["records"]:
            assert page["seq"] == log.last_seq()
            return found, questions
        found += [each["seq"] for each in page["records"]]
        assert page["seq"] >= found[-1]
        after = page["seq"]


def test_pages_have_every_record_once() -> None:
    log = filled(2 * PAGE + 7)
    assert whole(log) == (list(range(1, 2 * PAGE + 8)), 4)
    assert whole(log, types=["EngineStopped"])[0] == list(range(1, 2 * PAGE + 8, 3))


def test_large_records_come_one_by_one() -> None:
    log = filled(6, "x" * (PAGE_BYTES - 50))
    found, questions = whole(log, types=["EngineStopped"])
    assert (found, questions) == ([1, 4], 3)


def test_a_page_that_is_whole_says_how_far_the_log_was_looked_through() -> None:
    assert answer(filled(5), types=["EngineStopped"])["seq"] == 5
