"""What was seen of a file this time and the last time, and whether recorded writes explain the difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runebook_tui.core.types import Author
from runebook_tui.history.records import WriteRecord

FRESH_SECONDS = 2.5
"""A change seen this soon after a recorded write is that write's, where no time of the file tells more."""
SOON_SECONDS = 0.25
"""A file that changed this soon after a recorded write was changed by it."""
TICK_SECONDS = 0.011
"""The kernel's times of files lag behind its clock by less: one tick, at 100 a second."""
SEEN_SECONDS = 300.0
"""What changed before that was seen before."""


@dataclass(frozen=True)
class Touch:
    """What was said of a path the last time, and up to which record."""

    serial: int
    time: float
    author: Author
    agents: tuple[str, ...]
    """Every agent with a record or an open descriptor then, latest first."""
    written: Mapping[str, float]
    """When each agent's newest record was made."""
    changed: float | None
    """When the file had last changed by then."""
    gone: bool
    """Whether nothing was there."""
    asked: float
    """A moment after it was found out who had it open; every open since is recorded."""
    held: bool
    """Whether an agent had it open."""


@dataclass(frozen=True)
class Sight:
    """What was noticed of a path, when, and a moment after it was found out who has it open."""

    path: str
    now: float
    changed: float | None
    gone: bool
    asked: float
    began: float
    """When looking began. What changed from then on was looked at within five minutes."""
    seen_until: float
    """What changed until then was seen, too."""


def explained(
    seen: Sight, records: Sequence[WriteRecord], last: Touch | None, holding: Iterable[WriteRecord]
) -> bool:
    """Whether all that happened to the file since it was last seen is the doing of these records."""
    newest = records[0]
    fresh = is_fresh(newest.time, seen.now)
    if seen.changed is None and not seen.gone:
        return fresh
    made = [] if last is None else _written(last, [newest.agent])
    there = None if last is None else not last.gone
    for each in reversed(records):
        for was in each.found(seen.path):
            before = there is not True if was is None else _known(was, seen, last)
            if not before and not _soon(was, made):
                return False
            there = True
        made.append(each.time)
        if each.removes(seen.path) or seen.path not in each.places:
            there = None
    if seen.gone:
        return newest.removes(seen.path)
    assert seen.changed is not None
    if seen.path not in newest.places:  # a folder above it was renamed
        return seen.changed <= newest.time + SOON_SECONDS
    held = fresh and any(each.time - TICK_SECONDS <= seen.changed for each in holding)
    return held or _soon(seen.changed, made)


def _known(was: float, seen: Sight, last: Touch | None) -> bool:
    """Whether a file that had last changed at `was` was seen like that."""
    if last is not None and was == last.changed:
        return True
    return was <= seen.seen_until or seen.began <= was <= seen.now - SEEN_SECONDS


def _written(last: Touch, agents: Sequence[str]) -> list[float]:
    """When these agents wrote last, as far as it was not long before."""
    return [last.written[agent] for agent in agents if agent in last.written]


def _soon(time: float | None, made: Sequence[float]) -> bool:
    """Whether the file changed right after one of the recorded writes."""
    return time is not None and any(each - TICK_SECONDS <= time <= each + SOON_SECONDS for each in made)


def goes_on(seen: Sight, last: Touch, agents: tuple[str, ...], unseen: tuple[str, ...]) -> bool:
    """Whether the writes that explained the last change must have made this one, too."""
    if _soon(seen.changed, _written(last, last.agents)):
        return True
    fresh = all(is_fresh(last.written.get(agent, 0.0), seen.now) for agent in last.agents)
    told_by_times = seen.changed is not None or seen.gone
    return fresh and (bool(agents) and not unseen if told_by_times else True)


def came_after(seen: Sight, last: Touch) -> bool:
    """Whether the file changed after no agent had it open any more, and without a record since."""
    if last.held:
        return False
    if seen.changed is None:
        return seen.gone
    made = max(last.written.values(), default=0.0)
    return seen.changed > last.asked and seen.changed > made + SOON_SECONDS


def is_fresh(time: float, now: float) -> bool:
    """Whether a record of `time` is of about `now`."""
    return abs(now - time) <= FRESH_SECONDS
