"""Records for agents: the log as the engine's socket gives it, page by page, also as it grows."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from runebook_tui.core.events import Record
from runebook_tui.core.state import State
from runebook_tui.execution import wire
from runebook_tui.execution.server import Connection
from runebook_tui.log.aside import Use
from runebook_tui.log.eventlog import EventLog

Answer = dict[str, Any]
Verb = Callable[[Connection, Answer], Awaitable[Answer]]

PAGE = 250
"""Records of one answer at the most."""
PAGE_BYTES = wire.MAX_LINE // 4
"""Bytes after which an answer takes no further record; one record alone may be longer."""
MOST_SECONDS = 600.0
"""How long one question may wait for a record."""
_MOST_TYPES = 50


class Host(Protocol):
    """What the records need of the runner."""

    @property
    def state(self) -> State:
        """The state now."""

    async def changed(self, condition: Callable[[State], bool], seconds: float) -> bool:
        """Wait until `condition` holds of the state; False after `seconds`."""


class Records:
    """Answers the verb `records`; `use` is how the log is used."""

    def __init__(self, host: Host, log: EventLog, use: Use) -> None:
        self._use = use
        self._host = host
        self._log = log
        self.verbs: Mapping[str, Verb] = {"records": self._records}

    async def _records(self, connection: Connection, message: Answer) -> Answer:
        """The records after `after`, at once or when one comes, within `seconds`.

        `seq` is how far the log was looked through: what to ask `after` next.
        """
        after = wire.number_field(message, "after")
        types = wire.texts_field(message, "types", limit=_MOST_TYPES)
        until = time.monotonic() + _seconds(message)
        while True:
            last = self._host.state.seq
            look = partial(self._log.read, after=after, before=last + 1, types=types, limit=PAGE)
            found = await self._use(look)
            if found:
                page = _page(found)
                whole = len(page) == len(found) < PAGE
                return {"records": page, "seq": last if whole else page[-1]["seq"]}
            after = max(after, last)
            left = until - time.monotonic()
            if left <= 0 or not await self._host.changed(partial(_is_past, last), left):
                return {"records": [], "seq": after}


def _is_past(seq: int, state: State) -> bool:
    return state.seq > seq


def shape(record: Record) -> Answer:
    """One record: the event's own fields stand beside `seq`, `time` (unix seconds), `run` and `actor`.

    Of a plan there is the name only; the verb `plan` gives all of it.
    """
    body = record.event.model_dump(mode="json")
    if record.event.type in ("RunStarted", "PlanChanged"):
        body["plan"] = body["plan"]["plan"]["name"]
    return {**body, "seq": record.seq, "time": record.time, "run": record.run, "actor": record.actor}


def _page(records: list[Record]) -> list[Answer]:
    """As many of `records` as one answer should hold, at least one."""
    page: list[Answer] = []
    size = 0
    for record in records:
        each = shape(record)
        size += len(json.dumps(each))
        if page and size > PAGE_BYTES:
            break
        page.append(each)
    return page


def _seconds(message: Answer) -> float:
    """How long to wait for a record. Raises WireError."""
    value = message.get("seconds", 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise wire.WireError("field 'seconds' must be a number")
    return min(max(float(value), 0.0), MOST_SECONDS)
