"""The coordinator: the only code that appends to the log.

`handle(command)` decides, lets follow what follows, appends it all at once, and folds it. `carry_out` is the
same in an event loop, which goes on meanwhile where the log is far.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.fold import apply, fold
from runebook_tui.core.forgetting import Old
from runebook_tui.core.gates import settle
from runebook_tui.core.notices import following
from runebook_tui.core.refusal import Refusal
from runebook_tui.core.rules import decide
from runebook_tui.core.state import State
from runebook_tui.core.types import ENGINE
from runebook_tui.log.aside import Use, at_once
from runebook_tui.log.eventlog import AlreadyRecorded, Conflict, EventLog
from runebook_tui.log.loading import load

_ATTEMPTS = 50
_BUSY = "the log is too busy: other engines keep appending to it"

Listener = Callable[[State, Sequence[e.Record]], None]


class Refused(Exception):
    """A command was refused; the message is one line for people."""


class Coordinator:
    """Holds the state and turns commands into events. Not for use by several threads at once.

    `listener` is called with the new state and the new records after each append. `clean` gives each event
    as it may be stored: without secrets. `use` is how `carry_out` and `hear` use the log; the
    state is read and folded in the caller's thread only.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        clock: Callable[[], float] = time.time,
        listener: Listener | None = None,
        clean: Callable[[e.Event], e.Event] = lambda event: event,
        use: Use = at_once,
    ) -> None:
        self._use = use
        self._turn = asyncio.Lock()
        self._clean = clean
        self._log = log
        self._clock = clock
        self._listener = listener
        self.state = load(log)

    def handle(self, command: c.Command, actor: str = ENGINE) -> tuple[e.Record, ...]:
        """Carry out `command` in the name of `actor` and return what it brought about.

        Raises Refused when the rules do not allow it, LogError when the log cannot take it: then
        nothing has happened.
        """
        steps = self._handled(command, actor, at_once)
        try:
            steps.send(None)
        except StopIteration as done:
            records: tuple[e.Record, ...] = done.value
            return records
        raise AssertionError("what is done at once waits for nothing")

    async def carry_out(self, command: c.Command, actor: str = ENGINE) -> tuple[e.Record, ...]:
        """Do as `handle` does, when all that was asked before is done. Raises as that does.

        Whoever is cancelled while the log takes the records has them recorded, and folded by what comes next.
        """
        async with self._turn:
            return await self._handled(command, actor, self._use)

    async def hear(self, found: Sequence[e.Record]) -> bool:
        """Do as `take` does, in its turn."""
        async with self._turn:
            return self.take(found)

    async def _handled(self, command: c.Command, actor: str, use: Use) -> tuple[e.Record, ...]:
        for _ in range(_ATTEMPTS):
            now = self._clock()
            outcome = decide(self.state, command, now)
            if isinstance(outcome, Refusal) or not outcome:
                if await self._caught_up(use):
                    continue
                if isinstance(outcome, Refusal):
                    raise Refused(outcome.reason)
                return ()
            records, state = self._with_followers(outcome, actor, now)
            try:
                await use(partial(self._append, self.state.seq, records, actor, self._key(command), command))
            except (Conflict, AlreadyRecorded):
                # Somebody else was first: decide again, knowing what they did.
                await self._caught_up(use)
                continue
            self.state = state
            if self._listener is not None:
                self._listener(state, records)
            return records
        raise Refused(_BUSY)

    def forget(self, old: Old, actor: str = ENGINE) -> tuple[e.Record, ...]:
        """Let the log forget; the record that says so, if anything went. Raises Refused, LogError."""
        for _ in range(_ATTEMPTS):
            state = self.state
            try:
                records = self._log.forget(
                    old,
                    touches=state.touches,
                    run=state.run,
                    actor=actor,
                    expected=state.seq,
                    time=self._clock(),
                )
            except Conflict:
                self.catch_up()
                continue
            self.take(records)
            return records
        raise Refused(_BUSY)

    def is_idle(self, command: c.Command) -> bool:
        """Whether `command` would bring about nothing, by the state as it is known. Raises Refused."""
        outcome = decide(self.state, command, self._clock())
        if isinstance(outcome, Refusal):
            raise Refused(outcome.reason)
        return not outcome

    def catch_up(self) -> bool:
        """Fold what others have appended; whether that was anything."""
        return self.take(self._log.read(after=self.state.seq))

    async def _caught_up(self, use: Use) -> bool:
        return self.take(await use(partial(self._log.read, after=self.state.seq)))

    def take(self, found: Sequence[e.Record]) -> bool:
        """Fold what others have appended, as it was read; whether any of it was new.

        Numbers are missing where the log has forgotten; what was forgotten comes as a record, too.
        """
        records = [record for record in found if record.seq > self.state.seq]
        self.state = fold(records, self.state)
        if records and self._listener is not None:
            self._listener(self.state, records)
        return bool(records)

    def _with_followers(
        self, events: tuple[e.Event, ...], actor: str, now: float
    ) -> tuple[tuple[e.Record, ...], State]:
        """The records of `events` and of all that follows from them, and the state after them."""
        state = self.state
        records: list[e.Record] = []
        run = state.run + 1 if any(isinstance(event, e.RunStarted) for event in events) else state.run
        while events:
            before = state
            events = tuple(map(self._clean, events))
            for event in events:
                record = e.Record(seq=state.seq + 1, time=now, run=run, actor=actor, event=event)
                records.append(record)
                state = apply(state, record)
            events = (*following(before, state, events), *settle(state))
        return tuple(records), state

    def _append(
        self, expected: int, records: Sequence[e.Record], actor: str, key: str | None, command: c.Command
    ) -> None:
        self._log.append(
            [record.event for record in records],
            run=records[0].run,
            actor=actor,
            expected=expected,
            time=records[0].time,
            key=key,
            durable=isinstance(command, c.Decide | c.Disown | c.TakeBack),
        )

    def _key(self, command: c.Command) -> str | None:
        """What makes the first decision of a request win; one that was taken back frees the next."""
        if not isinstance(command, c.Decide | c.Disown):
            return None
        request = self.state.requests.get(command.request)
        again = f":{request.taken_back}" if request is not None and request.taken_back else ""
        return f"decision:{command.request}{again}"
