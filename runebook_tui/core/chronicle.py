"""Chronicle: a run over time: what each phase and agent was doing when, and what happened to it. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from typing import NamedTuple

from runebook_tui.core import events as e
from runebook_tui.core.acceptance import AcceptanceRan
from runebook_tui.core.activity import CommandRan
from runebook_tui.core.contract import ApiDrifted
from runebook_tui.core.messages import MessageSent
from runebook_tui.core.types import ENGINE, AgentStatus, ExecutionPlan, RequestKind


class Kind(StrEnum):
    """What happened, as people say it; the most telling last, which is drawn over the others."""

    WRITE = "writes"
    TASK = "tasks"
    MESSAGE = "messages"
    STATUS = "starts and ends"
    PUBLISHED = "published"
    DECISION = "decisions"
    REQUEST = "requests"
    FAILURE = "failures"


class Doing(StrEnum):
    """What a lane shows of a stretch of time; the more pressing comes later."""

    NOTHING = ""
    STOPPED = "stopped"
    DONE = "done"
    WAITING = "waiting"
    WORKING = "working"
    FAILED = "failed"
    ASKING = "waiting for you"


_PRESSING = {doing: at for at, doing in enumerate(Doing)}


class Moment(NamedTuple):
    """One event, short. `lane` is an agent's id, "operator", or a phase's (`phase_lane`)."""

    seq: int
    time: float
    """Unix seconds."""
    lane: str
    kind: Kind
    request: int | None = None
    doing: Doing | None = None
    """What the lane does from then on, where that changes."""
    good: bool | None = None
    """Of a decision: whether it approved."""


class Span(NamedTuple):
    """A stretch of time, unix seconds; `end` is None while it lasts."""

    start: float
    end: float | None
    doing: Doing


class Cell(NamedTuple):
    """One column of a lane."""

    doing: Doing = Doing.NOTHING
    writes: int = 0
    mark: Moment | None = None
    """The most telling of what happened in it, writes left out."""


@dataclass
class Lane:
    """One phase or agent over time."""

    id: str
    spans: list[Span] = field(default_factory=list)
    waits: dict[int, Span] = field(default_factory=dict)
    """When it waited for the operator, by request."""
    moments: dict[Kind, list[Moment]] = field(default_factory=dict)
    times: dict[Kind, list[float]] = field(default_factory=dict)

    def add(self, moment: Moment) -> None:
        """Take up the next moment."""
        self.moments.setdefault(moment.kind, []).append(moment)
        self.times.setdefault(moment.kind, []).append(moment.time)
        if moment.doing is None:
            return
        if self.spans and self.spans[-1].end is None:
            self.spans[-1] = self.spans[-1]._replace(end=moment.time)
        self.spans.append(Span(moment.time, None, moment.doing))

    def cells(self, start: float, end: float, width: int, kinds: Iterable[Kind] = Kind) -> list[Cell]:
        """What `width` columns show of the time from `start` to `end`, in unix seconds; marks of `kinds`.

        It costs as many steps as there are columns, however many moments there are.
        """
        doing = [Doing.NOTHING] * width
        step = (end - start) / width
        for span in (*self.spans, *self.waits.values()):
            self._paint(doing, span, start, step)
        writes, marks = [0] * width, list[Moment | None]([None]) * width
        wanted = set(kinds)
        for kind in Kind:
            times = self.times.get(kind, ())
            for column, first, after in columns(times, start, end, width):
                if kind is Kind.WRITE:
                    writes[column] = after - first
                elif kind in wanted:
                    marks[column] = self.moments[kind][after - 1]
        return [Cell(*each) for each in zip(doing, writes, marks, strict=True)]

    @staticmethod
    def _paint(doing: list[Doing], span: Span, start: float, step: float) -> None:
        first = int((span.start - start) // step)
        last = len(doing) if span.end is None else max(first + 1, ceil((span.end - start) / step))
        for column in range(max(0, first), min(len(doing), last)):
            if _PRESSING[span.doing] > _PRESSING[doing[column]]:
                doing[column] = span.doing


class Chronicle:
    """All lanes of a run, the phases first, and every moment in order."""

    def __init__(self, plan: ExecutionPlan, moments: Iterable[Moment] = ()) -> None:
        self.lanes: dict[str, Lane] = {}
        for name in (*(phase_lane(each.id) for each in plan.phases), *(each.id for each in plan.agents)):
            self.lanes[name] = Lane(name)
        self.moments: list[Moment] = []
        self._asked: dict[int, str] = {}
        for moment in moments:
            self.add(moment)

    @property
    def start(self) -> float | None:
        """When the first of it happened, unix seconds; None without anything."""
        return self.moments[0].time if self.moments else None

    @property
    def seq(self) -> int:
        """The number of its newest record; 0 without any."""
        return self.moments[-1].seq if self.moments else 0

    def add(self, moment: Moment) -> None:
        """Take up the next moment; one whose time is before the last is taken to be of that time."""
        if self.moments and moment.time < self.moments[-1].time:
            moment = moment._replace(time=self.moments[-1].time)
        lane = moment.lane
        if moment.request is not None:
            if moment.kind is Kind.REQUEST:
                self._asked[moment.request] = lane
            else:
                lane = lane or self._asked.get(moment.request, "")
                moment = moment._replace(lane=lane)
        self.moments.append(moment)
        if not lane:
            return
        known = self.lanes.setdefault(lane, Lane(lane))
        if moment.request is not None:
            self._wait(known, moment, moment.request)
            moment = moment._replace(doing=None)
        known.add(moment)

    @staticmethod
    def _wait(lane: Lane, moment: Moment, request: int) -> None:
        """A request that somebody waits for begins a wait; its decision ends it."""
        if moment.doing is Doing.ASKING:
            lane.waits[request] = Span(moment.time, None, Doing.ASKING)
        elif moment.kind is Kind.DECISION and (wait := lane.waits.get(request)) and wait.end is None:
            lane.waits[request] = wait._replace(end=moment.time)


def columns(times: Sequence[float], start: float, end: float, width: int) -> Iterator[tuple[int, int, int]]:
    """Each column that holds any of the sorted `times`: its number, its first index, and that after its last.

    Columns are `width` equal parts of the time from `start` to `end`.
    """
    step = (end - start) / width
    at, stop = bisect_left(times, start), bisect_left(times, end)
    while at < stop:
        column = min(int((times[at] - start) / step), width - 1)
        after = stop
        if column < width - 1:
            after = max(at + 1, bisect_left(times, start + (column + 1) * step, at, stop))
        yield column, at, after
        at = after


def phase_lane(phase: str) -> str:
    """The lane of a phase; no agent's id has a blank."""
    return f"phase {phase}"


_STATES = {
    AgentStatus.WAITING: Doing.WAITING,
    AgentStatus.PENDING: Doing.WAITING,
    AgentStatus.STARTING: Doing.WAITING,
    AgentStatus.RUNNING: Doing.WORKING,
    AgentStatus.COMPLETED: Doing.DONE,
    AgentStatus.FAILED: Doing.FAILED,
    AgentStatus.STOPPED: Doing.STOPPED,
}
_WAITS = (RequestKind.ASKED, RequestKind.HELD)


def moment(record: e.Record) -> Moment | None:
    """What a record is on the timeline; None of what is not shown there."""
    event = record.event
    at = record.seq, record.time
    match event:
        case e.Touched():
            lane = event.author.name
            return None if lane is None else Moment(*at, lane, Kind.WRITE)
        case e.PhaseStarted():
            return Moment(*at, phase_lane(event.phase), Kind.STATUS, doing=Doing.WORKING)
        case e.PhaseCompleted():
            return Moment(*at, phase_lane(event.phase), Kind.STATUS, doing=Doing.DONE)
        case e.AgentStarted():
            return Moment(*at, event.agent, Kind.STATUS, doing=Doing.WORKING)
        case e.StatusUpdate():
            failed = event.status is AgentStatus.FAILED
            kind = Kind.FAILURE if failed else Kind.STATUS
            return Moment(*at, event.agent, kind, doing=_STATES[event.status])
        case e.AgentExited():
            failed = event.code != 0
            return Moment(*at, event.agent, Kind.FAILURE if failed else Kind.STATUS)
        case e.TaskStarted() | e.TaskCompleted() | e.TaskBlocked():
            return Moment(*at, event.agent, Kind.TASK)
        case e.ApiPublished():
            return Moment(*at, event.agent, Kind.PUBLISHED)
        case MessageSent() if event.sender != ENGINE:
            return Moment(*at, event.sender, Kind.MESSAGE)
        case CommandRan() if event.failed:
            return Moment(*at, event.agent, Kind.FAILURE)
        case AcceptanceRan() if not event.passed:
            return Moment(*at, "", Kind.FAILURE)
        case _:
            return _of_request(record)


def _of_request(record: e.Record) -> Moment | None:
    event = record.event
    at = record.seq, record.time
    match event:
        case e.CoordinationRequest():
            lane = event.requester or next(iter(event.candidates), "")
            doing = Doing.ASKING if event.kind in _WAITS else None
            return Moment(*at, lane, Kind.REQUEST, event.request, doing)
        case e.CoordinationResponse():
            good = event.decision == "approved"
            return Moment(*at, "", Kind.DECISION, event.request, good=good)
        case e.RequestWithdrawn():
            return Moment(*at, "", Kind.DECISION, event.request)
        case ApiDrifted():
            return Moment(*at, "", Kind.FAILURE, event.request)
        case _:
            return None
