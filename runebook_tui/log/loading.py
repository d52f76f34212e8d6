"""Loading the state of a log, without folding every touch of it.

A long run has a hundred touches for every other event. All that the state keeps of them is how many
there were and which were the last, so these are asked for instead.
"""

from __future__ import annotations

from dataclasses import replace

from runebook_tui.core.events import RunStarted, TouchesForgotten
from runebook_tui.core.fold import RECENT_TOUCHES, fold
from runebook_tui.core.state import State
from runebook_tui.log.eventlog import EventLog

_TOUCHED = "Touched"


def load(log: EventLog) -> State:
    """The same state as the fold of every record of `log`."""
    last = log.last_seq()
    if last == 0:
        return State()
    records = log.read(before=last + 1, without=[_TOUCHED])
    state = fold(records)
    began = max((record.seq for record in records if isinstance(record.event, RunStarted)), default=0)
    recent = log.read(after=began, before=last + 1, types=[_TOUCHED], limit=RECENT_TOUCHES, newest_first=True)
    newest = log.read(after=last - 1, before=last + 1)
    # What was forgotten says how many there had been.
    said = max((record.seq for record in records if isinstance(record.event, TouchesForgotten)), default=0)
    after = max(began, said)
    counted = state.touches if said > began else 0
    return replace(
        fold(reversed(recent), state),
        seq=last,
        time=newest[0].time,
        touches=counted + log.count(_TOUCHED, after=after) - log.count(_TOUCHED, after=last),
    )


def forgotten_before(log: EventLog) -> int:
    """The bound of what `log` has forgotten: of touches before it only the newest of each path is there."""
    newest = log.read(types=["TouchesForgotten"], limit=1, newest_first=True)
    return max((each.event.before for each in newest if isinstance(each.event, TouchesForgotten)), default=0)


def forgotten_count(log: EventLog) -> int:
    """How many records `log` has forgotten: so many numbers up to its last are missing."""
    said = (each.event for each in log.read(types=["TouchesForgotten"]))
    return sum(event.count for event in said if isinstance(event, TouchesForgotten))
