"""False alarms: requests that come of what the operator does beside live agents, and are not due."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.evidence.actions import Operator, tracked
from benchmarks.scratch import Scratch
from benchmarks.session import DEADLINE, BenchmarkError, RawWatch, Session, warm_up
from benchmarks.table import Table
from runebook_tui.core.events import CoordinationRequest, RequestGrew, Touched
from runebook_tui.core.types import OPERATOR
from runebook_tui.execution.follow import open_log

_SEED = 20_261_123
_MARKS = "marks"
_OWN, _FOREIGN = "alpha/own", "beta/foreign"
_CLAIMED = ("alpha/", "beta/")
_COLUMNS = (
    "the operator's",
    "actions",
    "requests not due",
    "changes logged",
    "named an agent",
    "not named",
    "watchfiles, claimed paths",
)
_TOTALS = (
    "gates",
    "actions",
    "requests not due",
    "for 1,000",
    "foreign writes by an agent",
    "of them missed",
)
_NOTE = (
    "Seed {seed}; one action after the other, {pause:g} ms between them at most, {block} of "
    "a kind in a row, on 140 tracked files, 120 of which the two live agents claim. Meanwhile an agent "
    "writes its own files every {gap:g} ms, and now and then one of the other's: that request is due. Every "
    "other one is not. `watchfiles, claimed paths`: changes in claimed folders that raw watchfiles (50/10) "
    "reports of the same actions; who knows only the path must take each for a crossing."
)


class Size(NamedTuple):
    """Actions of each kind, with all gates and with one off, and how many of a kind in a row.

    `every` n-th kind is taken; `late` is for how many seconds at the end nothing new may come.
    """

    gated: int
    ungated: int
    block: int
    every: int = 1
    late: float = 3.0


FULL, QUICK = Size(48, 8, 8), Size(4, 2, 2, every=5, late=1.0)
_GAP = 0.02
_PAUSE = 0.06
"""Seconds between two actions, at most: less than anybody needs."""
_WRITES = 15


@dataclass
class Count:
    """What came of the actions of a kind."""

    actions: int = 0
    alarms: int = 0
    changes: int = 0
    wrong: int = 0
    unnamed: int = 0
    raw: int = 0


@dataclass
class Round:
    """All that was counted in one repository."""

    kinds: dict[str, Count] = field(default_factory=dict)
    due: set[str] = field(default_factory=set)
    """Foreign paths that the agent wrote."""
    raised: set[str] = field(default_factory=set)
    """Those of them in a request."""

    @property
    def actions(self) -> int:
        """How many there were."""
        return sum(each.actions for each in self.kinds.values())

    @property
    def alarms(self) -> int:
        """Requests that are not due."""
        return sum(each.alarms for each in self.kinds.values())

    @property
    def wrong(self) -> int:
        """Changes of the operator's that an agent was named for."""
        return sum(each.wrong for each in self.kinds.values())


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The tables of false alarms: all of them, and by kind with the gates on."""
    gated = run(folder / "alarms-on", "observe", size.gated, size)
    ungated = run(folder / "alarms-off", "off", size.ungated, size)
    totals = [_total(name, each) for name, each in (("on", gated), ("one of two off", ungated))]
    missed = len(gated.due - gated.raised)
    yield Table("False alarms", _TOTALS, totals, missed=missed, wrong=gated.wrong)
    note = _NOTE.format(seed=_SEED, block=size.block, gap=_GAP * 1000, pause=_PAUSE * 1000)
    yield Table(
        "False alarms by kind, gates on", _COLUMNS, [_row(*each) for each in gated.kinds.items()], note
    )


def _total(name: str, found: Round) -> tuple[str, ...]:
    often = found.alarms / found.actions * 1000
    cells = found.actions, found.alarms, round(often, 1), len(found.due), len(found.due - found.raised)
    return (name, *(f"{each:,}" for each in cells))


def _row(kind: str, count: Count) -> tuple[str, ...]:
    cells = count.actions, count.alarms, count.changes, count.wrong, count.unnamed, count.raw
    return (kind, *(f"{each:,}" for each in cells))


def run(folder: Path, gate: str, times: int, size: Size) -> Round:
    """Take `times` actions of each kind in a fresh repository. Raises BenchmarkError."""
    scratch = Scratch(folder, gate)
    try:
        files = tracked()
        topic = {path: text + "topic = 1\n" for path, text in list(files.items())[::3]}
        scratch.commit({"main": files, "topic": files | topic})
        scratch.git("commit", "-q", "--allow-empty", "-m", "second")
        with ExitStack() as stack:
            session = stack.enter_context(Session(scratch))
            raw = RawWatch(scratch, 50, 10)
            stack.callback(raw.close)
            warm_up(session, [raw])
            session.reject_all()
            return _Working(scratch, session, raw).work(times, size)
    finally:
        scratch.remove()


class _Working:
    """A round under way."""

    def __init__(self, scratch: Scratch, session: Session, raw: RawWatch) -> None:
        self._root = scratch.root
        self._session = session
        self._raw = raw
        self._seq = 0
        self._marks = 0
        self._found = Round()
        self._spans: list[tuple[float, str]] = []
        """When each block began, and its kind."""
        self._alarmed: set[int] = set()

    def work(self, times: int, size: Size) -> Round:
        operator = Operator(self._root, _SEED)
        for folder in (_MARKS, _OWN, _FOREIGN):
            (self._root / folder).mkdir()
        self._settle(None)
        kinds = dict(list(operator.kinds().items())[:: size.every])
        self._found.kinds = {kind: Count() for kind in kinds}
        blocks = [kind for kind in kinds for _ in range(times // size.block)]
        pauses = random.Random(_SEED)
        pauses.shuffle(blocks)
        for number, kind in enumerate(blocks):
            self._spans.append((time.time(), kind))
            operator.tidy()
            notes = self._session.start("steady", paths=self._agents(number), gap=_GAP)
            for _ in range(size.block):
                kinds[kind]()
                time.sleep(pauses.random() * _PAUSE)
            self._session.finish(notes)
            self._found.kinds[kind].actions += size.block
            self._settle(kind)
            if number % 20 == 0:
                print(f"alarms: {number} of {len(blocks)} blocks", file=sys.stderr, flush=True)
        self._session.log.until(lambda: False, size.late)  # what comes late counts, too
        self._count(blocks[-1])
        self._count_raw()
        return self._found

    def _agents(self, number: int) -> list[str]:
        """What the agent writes beside a block: its own files, and in every fourth one of the other's."""
        paths = [f"{_OWN}/file{at}.py" for at in range(_WRITES)]
        if number % 4 == 0:
            foreign = f"{_FOREIGN}/file{number}.py"
            self._found.due.add(foreign)
            paths.insert(_WRITES // 2, foreign)
        return paths

    def _settle(self, kind: str | None) -> None:
        """Write a file of nobody's, and read the log until it is in there."""
        self._marks += 1
        mark = f"{_MARKS}/mark{self._marks}"
        (self._root / mark).write_text(f"{self._marks}\n")
        deadline = time.monotonic() + DEADLINE
        while mark not in self._count(kind):
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{mark} was written, and is not in the log")
            self._session.log.until(lambda: self._session.log.state.seq > self._seq, 1.0)
        self._session.reject_all()

    def _count(self, kind: str | None) -> set[str]:
        """Count what is new in the log for `kind`; the paths whose changes were new."""
        with open_log(self._root) as log:
            records = log.read(after=self._seq)
        count = Count() if kind is None else self._found.kinds[kind]
        touched = set()
        for record in records:
            self._seq = record.seq
            match record.event:
                case Touched(change=change, author=author):
                    touched.add(change.path)
                    if not change.path.startswith((_OWN, _FOREIGN, _MARKS)):
                        count.changes += 1
                        count.wrong += author.name not in (None, OPERATOR)
                        count.unnamed += author.name is None
                case (
                    CoordinationRequest(request=number, crossings=crossings)
                    | RequestGrew(request=number, crossings=crossings)
                ) if kind is not None:
                    paths = {crossing.path for crossing in crossings}
                    self._found.raised |= paths & self._found.due
                    if paths - self._found.due and number not in self._alarmed:
                        self._alarmed.add(number)
                        count.alarms += 1
                        print(f"not due, {kind}: {sorted(paths)[:3]}", file=sys.stderr, flush=True)
        return touched

    def _count_raw(self) -> None:
        """Give each change that watchfiles told to the block in which it came."""
        begun = [when for when, _ in self._spans]
        told: Counter[str] = Counter()
        for path, times in self._raw.seen().items():
            if not path.startswith(_CLAIMED) or path.startswith((_OWN, _FOREIGN)):
                continue
            for when in times:
                at = sum(each <= when for each in begun) - 1
                if at >= 0:
                    told[self._spans[at][1]] += 1
        for kind, number in told.items():
            self._found.kinds[kind].raw = number
