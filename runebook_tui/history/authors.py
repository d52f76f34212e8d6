"""Who made a change that was seen on a path, from what the gates recorded."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from runebook_tui.core.types import OPERATOR, Author
from runebook_tui.history.evidence import did, is_or_are, listed, newest_of_each, process
from runebook_tui.history.ledger import KEEP_SECONDS, Ledger
from runebook_tui.history.records import WriteRecord, write_record
from runebook_tui.history.sight import TICK_SECONDS, Sight, Touch, came_after, explained, goes_on

CARRY_SECONDS = 5.0
"""A second event for one write may come this late."""
WRITTEN_SECONDS = 60.0
"""How long it is remembered that an agent wrote a file."""
TOUCH_LIMIT = 50_000
HOLDER_LIMIT = 4_096

_FOLLOWED = 16
"""Earlier and later names of one path that are followed through renames."""

_Holders = dict[tuple[str, int], WriteRecord]


class Authors:
    """The recorded writes that no change was explained by yet, and who still holds which file open.

    A certain name is right while these hold; otherwise there are candidates:

    1. Every write of an observed agent is recorded with its path (or a rename of it or of a folder above it),
       and the record is here before `author` is asked. A write through a hard link's other name is recorded
       with one name only: that hole of the gate is one here too.
    2. `still_open(pid, path)` is true while that process, or one that it gave the descriptor or a shared
       mapping to, can still write to the file that is now at `path`.
    3. `unobserved` names every live agent without a gate. Nobody without a gate changes a path within 0.25 s
       after a recorded write of it, nor, within 2.5 s, while an agent still has it open from that write.
       Where a file's times are not known, nobody without a gate writes within 2.5 s of a recorded write.
    4. `author` is asked right after the content was read, and no change waits five minutes for it.
    5. The times of files are the kernel's, by the clock that `clock` reads (unix seconds), and it is not set
       back while a change waits.
    """

    def __init__(
        self, still_open: Callable[[int, str], bool], clock: Callable[[], float] = time.time
    ) -> None:
        self._still_open = still_open
        self._clock = clock
        self._ledger = Ledger()
        self._touches: OrderedDict[str, Touch] = OrderedDict()
        self._holders: OrderedDict[str, _Holders] = OrderedDict()
        self._shut: set[WriteRecord] = set()
        """Of holders that had closed it when that was looked at."""
        self._shut_at = clock()
        self._missed: dict[str, float | None] = {}
        self._began = self._seen_until = clock()

    def resume(self, seen_until: float) -> None:
        """Agents lived on while nobody looked: nothing was seen since `seen_until` (unix seconds)."""
        self._seen_until = seen_until

    def record(self, agent: str, record: Mapping[str, object]) -> None:
        """Take a record that the gate of `agent` sent; one that came before is passed over.

        Raises ValueError when a field is missing, of the wrong type or makes no sense.
        """
        made = write_record(agent, record)
        if made.op == "unreadable":
            self.missed(agent)
            return
        for lost in self._ledger.add(made):
            if not self._keeps_open(lost):
                self.missed(lost.agent)

    def missed(self, agent: str) -> None:
        """Writes of `agent` went unrecorded: for ten minutes it counts as not observed."""
        self._missed[agent] = None

    def rewritten(self, path: str, now: float, changed: float | None) -> None:
        """Runebook put a new file at `path` for the operator: what was recorded before explains nothing.

        `changed` is when the new inode had last changed, None where nothing is.
        """
        self._holders.pop(path, None)
        self._touches.pop(path, None)
        author = Author(name=OPERATOR, evidence="Runebook wrote it for you")
        self._touches[path] = Touch(
            self._ledger.serial, now, author, (), {}, changed, changed is None, self._clock(), held=False
        )
        self._ledger.use(path, math.inf)

    def unchanged(self, path: str, changed: float | None) -> None:
        """The file at `path` was found to hold what it held, though its inode changed at `changed`."""
        last = self._touches.get(path)
        if last is not None:
            self._touches[path] = replace(last, changed=changed)

    def author(
        self,
        path: str,
        now: float,
        *,
        unobserved: Sequence[str],
        observed: Sequence[str],
        changed: float | None = None,
        gone: bool = False,
    ) -> Author:
        """Who made the change noticed on `path` at `now` (unix seconds), and how that is known.

        `unobserved` and `observed` are the live agents without and with a gate. `changed` is when the inode
        that was seen had last changed, None where that cannot be told; `gone` says that nothing was there.
        The records until then are used up for this path, except that who still has it open stays a candidate.
        """
        self._age(now)
        last = self._touches.get(path)
        serial = last.serial if last else 0
        until = math.inf if changed is None else changed + TICK_SECONDS
        # What was recorded later has not done anything yet; a folder's rename leaves the file's time alone.
        records = [
            each for each in self._ledger.since(path, serial) if each.time <= until or path not in each.places
        ]
        held = self._held(path, serial, records)
        opened = held | {(each.agent, each.pid): each for each in records if each.opens}
        holding = {who: each for who, each in opened.items() if self._still_open(each.pid, path)}
        seen = Sight(path, now, changed, gone, self._clock(), self._began, self._seen_until)
        unseen = tuple(dict.fromkeys((*unobserved, *self._missed)))
        # Bytes may have landed through a descriptor after the last look read the file and before it asked.
        late = last is not None and changed is not None and changed <= last.asked
        agents = _once(_agents(records, held.values()), last.agents if records and last and late else ())
        if records:
            whole = explained(seen, records, last, () if unseen else holding.values())
            before = () if last is None else tuple(last.written)
            others = _once(before, unseen, (OPERATOR,))
            author = self._recorded(seen, records, agents, unseen, () if whole else others)
        else:
            author = _unrecorded(seen, agents, tuple(held.values()), last, unseen, observed)
        self._settle(seen, serial, until, records, holding, agents, author, last)
        return author

    def _recorded(
        self,
        seen: Sight,
        records: Sequence[WriteRecord],
        agents: tuple[str, ...],
        unseen: tuple[str, ...],
        others: tuple[str, ...],
    ) -> Author:
        """The author by these records; `others` may have had a part where the records do not explain all."""
        if others:
            told = self._aged(seen.path, seen.now, records)
            return Author(candidates=_once(agents, others), evidence=told)
        if len(agents) > 1:
            named = [f"{each.agent}'s {process(each)}" for each in newest_of_each(records)]
            named += [f"{agent}, which had it open" for agent in agents[len(named) :]]
            told = "several agents may have written it since it was last seen: "
            return Author(candidates=agents, evidence=told + ", ".join(named))
        newest = records[0]
        told = f"the kernel gate saw {process(newest)} {did(newest, seen.path)}"
        blind = [each for each in unseen if each not in agents]
        if blind:
            told += f"; {listed(blind)} {is_or_are(blind)} not observed, but the gate's record counts"
        return Author(
            name=newest.agent, evidence=told, pid=newest.pid, program=newest.program, under=newest.grant
        )

    def _aged(self, path: str, now: float, records: Sequence[WriteRecord]) -> str:
        told = []
        for each in newest_of_each(records):
            ago = f"{max(now - each.time, 0.0):.0f} s ago"
            state = (
                "and still has it open" if self._still_open(each.pid, path) else "and has ended that since"
            )
            told.append(f"the kernel gate saw {each.agent}'s {process(each)} {did(each, path)} {ago} {state}")
        return "; ".join(told)

    def _held(self, path: str, serial: int, records: Sequence[WriteRecord]) -> _Holders:
        """Who had the file at `path` open, under this name or one from before a rename after `serial`.

        They may have closed it since, and may have written until then. Who opened it under this name is from
        here on looked for under its other names too, where nobody asked since the rename or it is still open.
        """
        held = self._holders.pop(path, {})
        here = held | {(each.agent, each.pid): each for each in records if each.opens}
        names, at = [path], 0
        while at < len(names):
            for each in self._ledger.renames(names[at], serial):
                other = _other_name(each, names[at])
                if other is not None and other not in names and len(names) < _FOLLOWED:
                    names.append(other)
            at += 1
        for name in names[1:]:
            held = held | self._holders.get(name, {})
            held |= {(each.agent, each.pid): each for each in self._ledger.opens(name)}
            there = self._touches.get(name)
            unasked = bool(self._ledger.renames(name, there.serial if there else 0))
            moved = {who: each for who, each in here.items() if unasked or self._still_open(each.pid, name)}
            if moved:
                self._holders[name] = self._holders.get(name, {}) | moved
        return held

    def _settle(
        self,
        seen: Sight,
        serial: int,
        until: float,
        records: Sequence[WriteRecord],
        holding: _Holders,
        agents: tuple[str, ...],
        author: Author,
        last: Touch | None,
    ) -> None:
        path = seen.path
        if holding:
            self._holders[path] = holding
        while len(self._holders) > HOLDER_LIMIT:
            name, dropped = self._holders.popitem(last=False)
            for each in dropped.values():
                if self._still_open(each.pid, name):
                    self.missed(each.agent)
        still = bool(holding)
        if not agents and last is not None and last.agents:
            # a second event keeps what the first was explained by
            self._touches[path] = replace(
                last, changed=seen.changed, gone=seen.gone, asked=seen.asked, held=still
            )
            return
        written = dict(last.written) if last else {}
        written |= {each.agent: each.time for each in reversed(records)}
        written = {agent: time for agent, time in written.items() if seen.now - time <= WRITTEN_SECONDS}
        later = self._ledger.first_later(path, serial, until)
        serial = self._ledger.serial if later is None else later - 1
        self._touches.pop(path, None)
        self._touches[path] = Touch(
            serial, seen.now, author, agents, written, seen.changed, seen.gone, seen.asked, still
        )
        if len(self._touches) > TOUCH_LIMIT:
            self._touches.popitem(last=False)
        self._ledger.use(path, until)

    def _age(self, now: float) -> None:
        for each in self._ledger.age(now):
            self._keeps_open(each)
        if abs(now - self._shut_at) >= KEEP_SECONDS / 2:
            self._shut_at = now
            self._forget_shut()
        while self._touches:
            path, touch = next(iter(self._touches.items()))
            if now - touch.time <= KEEP_SECONDS or touch.serial >= self._ledger.oldest:
                break
            del self._touches[path]
        since = {agent: now if time is None else time for agent, time in self._missed.items()}
        self._missed = {agent: time for agent, time in since.items() if now - time <= KEEP_SECONDS}

    def _forget_shut(self) -> None:
        """Let go of holders that had closed it five minutes ago: no change waits that long.

        One may be listed for many paths, and goes from one to the other with their renames.
        """
        listed = [(path, each) for path, holders in self._holders.items() for each in holders.values()]
        holding = {each for path, each in listed if self._still_open(each.pid, path)}
        before, self._shut = self._shut, {each for _, each in listed} - holding
        gone = before & self._shut
        for path, holders in list(self._holders.items()):
            left = {who: each for who, each in holders.items() if each not in gone}
            if left:
                self._holders[path] = left
            else:
                del self._holders[path]

    def _keeps_open(self, record: WriteRecord) -> bool:
        """Whether a record that is let go of is still known as a holder."""
        if not record.opens or not self._still_open(record.pid, record.path):
            return False
        holders = self._holders.setdefault(record.path, {})
        holders[(record.agent, record.pid)] = record
        return True


def _unrecorded(
    seen: Sight,
    agents: tuple[str, ...],
    holders: Sequence[WriteRecord],
    last: Touch | None,
    unseen: tuple[str, ...],
    observed: Sequence[str],
) -> Author:
    now = seen.now
    carried = last if last is not None and last.agents and abs(now - last.time) <= CARRY_SECONDS else None
    if carried is not None and not agents and came_after(seen, carried):
        carried = None
    before = carried.agents if carried is not None else ()
    if carried is not None and set(agents) <= set(before) and goes_on(seen, carried, agents, unseen):
        return carried.author
    if agents:
        told = ", ".join(f"{each.agent}'s {process(each)}" for each in newest_of_each(holders))
        told = f"no new write was recorded, but {told} had it open for writing"
        return Author(candidates=_once(agents, before, unseen, (OPERATOR,)), evidence=told)
    if carried is not None:
        told = f"soon after another change, of which is known: {carried.author.evidence}"
        return Author(candidates=_once(before, unseen, (OPERATOR,)), evidence=told)
    if unseen:
        told = f"no write was recorded, and {listed(unseen)} {is_or_are(unseen)} not observed"
        return Author(candidates=(*unseen, OPERATOR), evidence=told)
    why = "every live agent is observed" if observed else "no agent is running"
    return Author(name=OPERATOR, evidence=f"no pane wrote it: {why}")


def _agents(records: Sequence[WriteRecord], holders: Iterable[WriteRecord]) -> tuple[str, ...]:
    latest = sorted(holders, key=lambda each: -each.time)
    return tuple(dict.fromkeys(each.agent for each in (*records, *latest)))


def _once(*names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in names for name in each))


def _other_name(rename: WriteRecord, path: str) -> str | None:
    """What `path` was called before the rename, or is called after it."""
    if rename.to is None:
        return None
    for one, other in ((rename.path, rename.to), (rename.to, rename.path)):
        if path == one or path.startswith(one + "/"):
            return other + path[len(one) :]
    return None
