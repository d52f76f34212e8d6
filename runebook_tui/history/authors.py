"""Who made a change that was seen on a path, from what the gates recorded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from runebook_tui.core.types import OPERATOR, Author
from runebook_tui.history.ledger import KEEP_SECONDS, Ledger
from runebook_tui.history.records import WriteRecord, write_record

FRESH_SECONDS = 2.5
"""A change seen this soon after a recorded write is that write's."""
CARRY_SECONDS = 5.0
"""A second event for one write may come this late."""
TOUCH_LIMIT = 50_000
HOLDER_LIMIT = 4_096

_FOLLOWED = 16
"""Earlier and later names of one path that are followed through renames."""

_DID = {
    "open": "open it for writing",
    "create": "create it",
    "truncate": "truncate it",
    "link": "link it",
    "symlink": "make it a symbolic link",
    "unlink": "remove it",
    "mkdir": "make a folder there",
    "rmdir": "remove a folder there",
    "mknod": "make a special file there",
}

_Holders = dict[tuple[str, int], WriteRecord]


@dataclass(frozen=True)
class _Touch:
    """What was said of a path the last time, and up to which record."""

    serial: int
    time: float
    author: Author
    agents: tuple[str, ...]
    """Every agent with a record or an open descriptor then, latest first."""
    written: Mapping[str, float]
    """When each agent's newest record was made."""


class Authors:
    """The recorded writes that no change was explained by yet, and who still holds which file open.

    A certain name is right while these hold; otherwise there are candidates:

    1. Every write of an observed agent is recorded with its path (or a rename of it or of a folder above it),
       and the record is here before `author` is asked. A write through a hard link's other name is recorded
       with one name only: that hole of the gate is one here too.
    2. `still_open(pid, path)` is true while that process, or one that it gave the descriptor or a shared
       mapping to, can still write to the file that is now at `path`.
    3. `unobserved` names every live agent without a gate. Within 2.5 s of a recorded write nobody without a
       gate writes the same path, and a change that such a one makes waits at most that long for `author`.
    4. `author` is asked right after the content was read, and no change waits five minutes for it. What lands
       between reading and asking is seen as a second change within 5 s, and takes the author of the first
       unless a newer record explains it.
    """

    def __init__(self, still_open: Callable[[int, str], bool]) -> None:
        self._still_open = still_open
        self._ledger = Ledger()
        self._touches: OrderedDict[str, _Touch] = OrderedDict()
        self._holders: OrderedDict[str, _Holders] = OrderedDict()
        self._missed: dict[str, float | None] = {}

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

    def rewritten(self, path: str, now: float) -> None:
        """Runebook put a new file at `path` for the operator: what was recorded before explains nothing."""
        self._holders.pop(path, None)
        self._touches.pop(path, None)
        author = Author(name=OPERATOR, evidence="Runebook wrote it for you")
        self._touches[path] = _Touch(self._ledger.serial, now, author, (), {})
        self._ledger.use(path)

    def author(self, path: str, now: float, *, unobserved: Sequence[str], observed: Sequence[str]) -> Author:
        """Who made the change noticed on `path` at `now` (unix seconds), and how that is known.

        `unobserved` and `observed` are the live agents without and with a gate. The records until now are
        used up for this path, except that who still has it open stays a candidate.
        """
        self._age(now)
        last = self._touches.get(path)
        serial = last.serial if last else 0
        records = self._ledger.since(path, serial)
        held = self._held(path, serial, records)
        opened = held | {(each.agent, each.pid): each for each in records if each.opens}
        holding = {who: each for who, each in opened.items() if self._still_open(each.pid, path)}
        unseen = tuple(dict.fromkeys((*unobserved, *self._missed)))
        agents = _agents(records, held.values())
        if records:
            author = self._recorded(path, now, records, agents, unseen)
        else:
            author = _unrecorded(now, agents, tuple(held.values()), last, unseen, observed)
        self._settle(path, now, records, holding, agents, author, last)
        return author

    def _recorded(
        self,
        path: str,
        now: float,
        records: Sequence[WriteRecord],
        agents: tuple[str, ...],
        unseen: tuple[str, ...],
    ) -> Author:
        fresh = [each for each in records if _is_fresh(each.time, now)]
        if not fresh:
            told = self._aged(path, now, records)
            return Author(candidates=_once(agents, unseen, (OPERATOR,)), evidence=told)
        if len(agents) > 1:
            named = [f"{each.agent}'s {_process(each)}" for each in _newest(records)]
            named += [f"{agent}, which had it open" for agent in agents[len(named) :]]
            told = "several agents may have written it since it was last seen: "
            return Author(candidates=agents, evidence=told + ", ".join(named))
        newest = fresh[0]
        told = f"the kernel gate saw {_process(newest)} {_did(newest, path)}"
        others = [each for each in unseen if each not in agents]
        if others:
            told += f"; {_listed(others)} {_is(others)} not observed, but the gate's record counts"
        return Author(
            name=newest.agent, evidence=told, pid=newest.pid, program=newest.program, under=newest.grant
        )

    def _aged(self, path: str, now: float, records: Sequence[WriteRecord]) -> str:
        told = []
        for each in _newest(records):
            ago = f"{max(now - each.time, 0.0):.0f} s ago"
            state = (
                "and still has it open" if self._still_open(each.pid, path) else "and has ended that since"
            )
            told.append(
                f"the kernel gate saw {each.agent}'s {_process(each)} {_did(each, path)} {ago} {state}"
            )
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
        path: str,
        now: float,
        records: Sequence[WriteRecord],
        holding: _Holders,
        agents: tuple[str, ...],
        author: Author,
        last: _Touch | None,
    ) -> None:
        if holding:
            self._holders[path] = holding
        while len(self._holders) > HOLDER_LIMIT:
            name, dropped = self._holders.popitem(last=False)
            for each in dropped.values():
                if self._still_open(each.pid, name):
                    self.missed(each.agent)
        if not agents and last is not None and last.agents:
            return  # a second event keeps what the first was explained by
        written = dict(last.written) if last else {}
        written |= {each.agent: each.time for each in reversed(records)}
        written = {agent: time for agent, time in written.items() if _is_fresh(time, now)}
        self._touches.pop(path, None)
        self._touches[path] = _Touch(self._ledger.serial, now, author, agents, written)
        if len(self._touches) > TOUCH_LIMIT:
            self._touches.popitem(last=False)
        self._ledger.use(path)

    def _age(self, now: float) -> None:
        for each in self._ledger.age(now):
            self._keeps_open(each)
        while self._touches:
            path, touch = next(iter(self._touches.items()))
            if now - touch.time <= KEEP_SECONDS or touch.serial >= self._ledger.oldest:
                break
            del self._touches[path]
        since = {agent: now if time is None else time for agent, time in self._missed.items()}
        self._missed = {agent: time for agent, time in since.items() if now - time <= KEEP_SECONDS}

    def _keeps_open(self, record: WriteRecord) -> bool:
        """Whether a record that is let go of is still known as a holder."""
        if not record.opens or not self._still_open(record.pid, record.path):
            return False
        holders = self._holders.setdefault(record.path, {})
        holders[(record.agent, record.pid)] = record
        return True


def _unrecorded(
    now: float,
    agents: tuple[str, ...],
    holders: Sequence[WriteRecord],
    last: _Touch | None,
    unseen: tuple[str, ...],
    observed: Sequence[str],
) -> Author:
    carried = last if last is not None and last.agents and abs(now - last.time) <= CARRY_SECONDS else None
    before = carried.agents if carried is not None else ()
    fresh = carried is not None and all(_is_fresh(carried.written.get(agent, 0.0), now) for agent in before)
    if carried is not None and fresh and set(agents) <= set(before):
        return carried.author
    if agents:
        told = ", ".join(f"{each.agent}'s {_process(each)}" for each in _newest(holders))
        told = f"no new write was recorded, but {told} had it open for writing"
        return Author(candidates=_once(agents, before, unseen, (OPERATOR,)), evidence=told)
    if carried is not None:
        told = f"soon after another change, of which is known: {carried.author.evidence}"
        return Author(candidates=_once(before, unseen, (OPERATOR,)), evidence=told)
    if unseen:
        told = f"no write was recorded, and {_listed(unseen)} {_is(unseen)} not observed"
        return Author(candidates=(*unseen, OPERATOR), evidence=told)
    why = "every live agent is observed" if observed else "no agent is running"
    return Author(name=OPERATOR, evidence=f"no pane wrote it: {why}")


def _is_fresh(time: float, now: float) -> bool:
    return abs(now - time) <= FRESH_SECONDS


def _agents(records: Sequence[WriteRecord], holders: Iterable[WriteRecord]) -> tuple[str, ...]:
    latest = sorted(holders, key=lambda each: -each.time)
    return tuple(dict.fromkeys(each.agent for each in (*records, *latest)))


def _newest(records: Sequence[WriteRecord]) -> list[WriteRecord]:
    """The newest record of each agent."""
    found: dict[str, WriteRecord] = {}
    for each in records:
        found.setdefault(each.agent, each)
    return list(found.values())


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


def _process(record: WriteRecord) -> str:
    return f"{record.program or 'a program'} (pid {record.pid})"


def _did(record: WriteRecord, path: str) -> str:
    if record.op != "rename":
        return _DID[record.op]
    if path == record.to:
        return "rename a file to it"
    return "rename it" if path == record.path else "rename a folder above it"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
