"""The coordinator: the only code that appends to the log.

`handle(command)` decides, lets follow what follows, appends it all at once, and folds it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

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
    as it may be stored: without secrets.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        clock: Callable[[], float] = time.time,
        listener: Listener | None = None,
        clean: Callable[[e.Event], e.Event] = lambda event: event,
    ) -> None:
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
        for _ in range(_ATTEMPTS):
            now = self._clock()
            outcome = decide(self.state, command, now)
            if isinstance(outcome, Refusal) or not outcome:
                if self.catch_up():
                    continue
                if isinstance(outcome, Refusal):
                    raise Refused(outcome.reason)
                return ()
            records, state = self._with_followers(outcome, actor, now)
            try:
                self._append(records, actor, command)
            except (Conflict, AlreadyRecorded):
                # Somebody else was first: decide again, knowing what they did.
                self.catch_up()
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

    def catch_up(self) -> bool:
        """Fold what others have appended; whether that was anything."""
        return self.take(self._log.read(after=self.state.seq))

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

    def _append(self, records: Sequence[e.Record], actor: str, command: c.Command) -> None:
        self._log.append(
            [record.event for record in records],
            run=records[0].run,
            actor=actor,
            expected=self.state.seq,
            time=records[0].time,
            key=self._key(command),
            durable=isinstance(command, c.Decide | c.Disown | c.TakeBack),
        )

    def _key(self, command: c.Command) -> str | None:
        """What makes the first decision of a request win; one that was taken back frees the next."""
        if not isinstance(command, c.Decide | c.Disown):
            return None
        request = self.state.requests.get(command.request)
        again = f":{request.taken_back}" if request is not None and request.taken_back else ""
        return f"decision:{command.request}{again}"
