"""Loading the state of a log, without folding every touch of it.

A long run has a hundred touches for every other event. All that the state keeps of them is how many
there were and which were the last, so these are asked for instead.
"""

from __future__ import annotations

from dataclasses import replace

from runebook_tui.core.events import RunStarted
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
    return replace(
        fold(reversed(recent), state),
        seq=last,
        time=newest[0].time,
        touches=log.count(_TOUCHED, after=began) - log.count(_TOUCHED, after=last),
    )
