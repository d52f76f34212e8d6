"""Retention: while the engine runs, its log forgets old changes of files, a few at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from runebook_tui.core.events import CoordinationRequest, Record, Touched, TouchesForgotten
from runebook_tui.core.forgetting import Old
from runebook_tui.core.state import State
from runebook_tui.log.eventlog import EventLog, LogError
from runebook_tui.orchestrator.coordinator import Refused

BATCH = 150
"""Changes that are gone through at once: a few milliseconds of the engine's time."""
PAUSE_SECONDS = 0.25
_PAGE = 1_000

Unexpected = Callable[[str, Collection[str]], frozenset[str]]
"""Of these paths of a tree that are gone, those of which neither git nor the baseline holds anything."""


class Forgetful(Protocol):
    """What this needs of the command queue, or of a coordinator alone."""

    @property
    def state(self) -> State:
        """The state now."""

    def forget(self, old: Old) -> object:
        """Have the log forget. Raises Refused, LogError."""


class Retention:
    """Keeps the newest `[policy] log_changes` changes, and of older ones the last of each path.

    It begins when a tenth more are in the log, and goes through each change once. What an open request is
    about is kept, so that it can be rejected with undo.
    """

    def __init__(
        self,
        log: EventLog,
        commands: Forgetful,
        unexpected: Unexpected,
        say: Callable[[str], None],
    ) -> None:
        self._log = log
        self._commands = commands
        self._unexpected = unexpected
        self._say = say
        self._reached = -1
        """The last record that was gone through; -1 until that was looked up."""
        self._count = 0
        """Changes after it."""
        self._begun = False
        self._next = 0.0
        self._trouble = ""
        self._raised: dict[int, int] = {}

    def note(self, records: Sequence[Record]) -> None:
        """Take up what was appended."""
        for record in records:
            match record.event:
                case Touched():
                    self._count += 1
                case TouchesForgotten(before=before) if before > self._reached + 1:
                    self._reached = -1  # somebody else did it
                case _:
                    pass

    async def settle(self) -> None:
        """Forget some, where that is due."""
        if time.monotonic() < self._next:
            return
        try:
            await self._settle()
        except (LogError, Refused) as error:
            if str(error) != self._trouble:
                self._say(f"old changes stay in the log: {error}")
            self._trouble = str(error)
        else:
            self._trouble = ""
        self._next = time.monotonic() + PAUSE_SECONDS

    async def _settle(self) -> None:
        if self._reached < 0:
            # What comes meanwhile is counted by `note`, and is not before the record that is the newest now.
            newest, reached = (
                self._commands.state.seq,
                max(self._commands.state.forgotten_before - 1, 0),
            )
            self._count = 0
            count = await asyncio.to_thread(self._between, reached, newest)
            self._reached, self._count = reached, self._count + count
        keep = self._commands.state.plan.policy.log_changes
        self._begun = self._count > keep if self._begun else self._count > keep + keep // 10
        if not self._begun:
            return
        limit = min(BATCH, self._count - keep)
        window = await asyncio.to_thread(self._window, limit)
        if not window:
            return
        gone = await asyncio.to_thread(self._gone, window)
        before = window[-1].seq + 1
        after, self._reached = self._reached, before - 1
        try:
            self._commands.forget(Old(before, after, gone))
        except (LogError, Refused):
            self._reached = after
            raise
        self._count -= len(window)

    def _between(self, after: int, last: int) -> int:
        return self._log.count("Touched", after=after) - self._log.count("Touched", after=last)

    def _window(self, limit: int) -> list[Record]:
        """The oldest changes that were not gone through, as far as nothing open is about them."""
        found = self._log.read(after=self._reached, limit=limit, types=["Touched"])
        pinned = oldest_open(self._log, self._commands.state, self._raised)
        return [record for record in found if record.seq < pinned] if pinned else found

    def _gone(self, window: Sequence[Record]) -> frozenset[int]:
        """The numbers of the changes that need not be remembered although they are the last of their path."""
        last = {
            (record.event.lane, record.event.change.path): record
            for record in window
            if isinstance(record.event, Touched)
        }
        by_tree: dict[str, dict[str, int]] = {}
        for (lane, path), record in last.items():
            if isinstance(record.event, Touched) and record.event.change.after.kind == "absent":
                by_tree.setdefault(lane, {})[path] = record.seq
        return frozenset(
            paths[path] for lane, paths in by_tree.items() for path in self._unexpected(lane, paths)
        )


def oldest_open(log: EventLog, state: State, known: dict[int, int]) -> int:
    """The record of the open request that was raised first; 0 where none is open. Raises LogError.

    `known` says in which record requests were raised; it is brought up to date.
    """
    wanted = {request.id for request in state.open_requests}
    for number in known.keys() - wanted:
        del known[number]
    before: int | None = None
    while wanted - known.keys():
        page = log.read(types=["CoordinationRequest"], before=before, limit=_PAGE, newest_first=True)
        for record in page:
            if isinstance(record.event, CoordinationRequest) and record.event.request in wanted:
                known.setdefault(record.event.request, record.seq)
        if len(page) < _PAGE:
            break
        before = page[-1].seq
    return min(known.values(), default=0)
