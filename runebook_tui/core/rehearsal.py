"""Rehearsal: what a plan would have made of writes that happened, by the rules that run it. Pure.

Writes and decisions are taken as they were. Under the plan that is rehearsed the same boundary is asked: a
write that is within it raises nothing, one that crosses it becomes or joins a request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from runebook_tui.core import boundary
from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.fold import apply
from runebook_tui.core.grants import Scope
from runebook_tui.core.hosts import is_lane
from runebook_tui.core.ownership import operators_own
from runebook_tui.core.state import State
from runebook_tui.core.types import ENGINE, OPERATOR, Author, Change, ExecutionPlan, RequestKind, Version

_KEPT = (
    e.StatusUpdate,
    e.AgentStarted,
    e.AgentExited,
    e.TaskStarted,
    e.TaskBlocked,
    e.TaskCompleted,
)
"""What of a run happens again as it was: approvals may last until a task ends."""

_BEFORE = (RequestKind.ASKED, RequestKind.HELD)
"""What was stopped before it was written."""

_ABSENT = Version(kind="absent")
_FILE = Version(kind="file", digest="rehearsed")


class Commit(NamedTuple):
    """A commit of the repository's history."""

    time: float
    """When it was committed, unix seconds."""
    agent: str
    """The agent whose it is by its trailer; "" where it has none."""
    paths: tuple[str, ...]
    """What it changed."""


@dataclass(frozen=True)
class Raised:
    """A request that would have been raised."""

    agent: str
    """Who would have made it; "alpha or you" where that is not certain."""
    owner: str | None
    """Whose paths it is about; None for nobody's and the operator's, and for those of several."""
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Rehearsal:
    """All requests that a plan would have raised."""

    requests: tuple[Raised, ...]
    writes: int
    """How many changes and questions were gone through."""

    @property
    def pairs(self) -> Sequence[tuple[tuple[str, str | None], int]]:
        """How many requests each agent would have made of each owner, most first."""
        return Counter((each.agent, each.owner) for each in self.requests).most_common()

    @property
    def paths(self) -> Sequence[tuple[str, int]]:
        """In how many requests each path would have been, most first."""
        return Counter(path for each in self.requests for path in each.paths).most_common()


def rehearse_run(records: Iterable[e.Record], plan: ExecutionPlan | None = None) -> Rehearsal:
    """What `plan` would have made of one run; None takes the run's own plan, with its changes.

    `records` are those of the run, from its RunStarted on.
    """
    stage: _Stage | None = None
    for record in records:
        event = record.event
        if isinstance(event, e.RunStarted):
            stage = _Stage(plan or event.plan, record.time)
        elif stage is None:
            continue
        elif isinstance(event, e.PlanChanged):
            if plan is None:
                stage.flush()
                stage.happen(event, record.time)
        else:
            stage.replay(event, record.time)
    return Rehearsal((), 0) if stage is None else stage.end()


def rehearse_history(
    commits: Iterable[Commit], plan: ExecutionPlan, by: ExecutionPlan | None = None
) -> Rehearsal:
    """What `plan` would have made of commits, oldest first, each approved before the next.

    A commit without a trailer counts as that of the agent that owns most of its files by the plan `by` (None:
    by `plan`); one of which no agent owns anything is passed over.
    """
    owners = State(plan=by or plan).owners
    stage = _Stage(plan, 0.0)
    for commit in commits:
        owned = Counter(claim.owner for path in commit.paths if (claim := owners.owner_of(path)))
        agent = commit.agent or (owned.most_common(1)[0][0] if owned else "")
        if agent:
            stage.commit(agent, commit)
    return stage.end()


class _Stage:
    """The state under the plan that is rehearsed, and the requests that came up in it."""

    def __init__(self, plan: ExecutionPlan, time: float) -> None:
        self._state = State()
        self._raised: dict[int, Raised] = {}
        self._told: dict[int, tuple[tuple[str | None, tuple[str, ...], bool], set[str]]] = {}
        """Of each request that there really was: who made it, whether before writing, and its paths."""
        self._seen: list[e.Touched] = []
        """Changes that were seen together and are still to be gone through."""
        self._seen_at = time
        self._writes = 0
        self.happen(e.RunStarted(plan=plan), time)

    def end(self) -> Rehearsal:
        self.flush()
        return Rehearsal(tuple(self._raised.values()), self._writes)

    def replay(self, event: e.Event, time: float) -> None:
        """One more record of the run."""
        if isinstance(event, e.Touched):
            together = self._seen and self._seen_at == time and self._seen[0].cause == event.cause
            if not together:
                self.flush()
            if not (self._state.plan.has_lanes and not is_lane(event.lane)):
                # What came into the repository's own tree from a lane was judged there.
                self._seen.append(event)
            self._seen_at = time
            return
        if isinstance(event, e.CoordinationRequest):
            if event.kind not in (*_BEFORE, RequestKind.CROSSED):
                return
            who = event.requester, event.candidates, event.kind in _BEFORE
            self._told[event.request] = who, set()
        if isinstance(event, e.CoordinationRequest | e.RequestGrew):
            self._asked(event, time)
        elif isinstance(event, e.HoldStarted | e.HoldEnded | e.RequestWithdrawn | e.CoordinationResponse):
            self.flush()
            for number in self._same(event.request):
                self.happen(event.model_copy(update={"request": number}), time)
        elif isinstance(event, _KEPT):
            self.flush()
            self.happen(event, time)

    def commit(self, agent: str, commit: Commit) -> None:
        """One commit by `agent`; what it asks is approved once."""
        author = Author(name=agent, evidence="the history")
        # The plan itself and the like are the operator's edits, whoever committed them.
        theirs = [path for path in commit.paths if not operators_own(path, None)]
        changes = [Change(path=path, before=_ABSENT, after=_FILE) for path in theirs]
        self._seen = [e.Touched(change=change, author=author) for change in changes]
        self._seen_at = commit.time
        self.flush()
        for request in self._state.open_requests:
            decision = e.CoordinationResponse(request=request.id, decision="approved", scope=Scope.ONCE)
            self.happen(decision, commit.time)

    def flush(self) -> None:
        """Go through what was seen together."""
        seen, self._seen = self._seen, []
        if not seen:
            return
        self._writes += len(seen)
        touches = tuple(
            c.Touch(each.change, each.author.model_copy(update={"under": None}), each.lane) for each in seen
        )
        command = c.Observe(touches, seen[0].cause)
        for event in boundary.observed(self._state, command, self._seen_at):
            if not isinstance(event, e.Touched):
                self.happen(event, self._seen_at)

    def happen(self, event: e.Event, time: float) -> None:
        """Let an event happen under the plan that is rehearsed."""
        run = self._state.run + isinstance(event, e.RunStarted)
        record = e.Record(seq=self._state.seq + 1, time=time, run=run, actor=ENGINE, event=event)
        self._state = apply(self._state, record)
        if isinstance(event, e.CoordinationRequest | e.RequestGrew):
            request = self._state.requests.get(event.request)
            if request is not None:
                owners = {crossing.owner for crossing in request.crossings.values()}
                owner = owners.pop() if len(owners) == 1 else None
                self._raised[request.id] = Raised(request.who, owner, request.paths)

    def _asked(self, event: e.CoordinationRequest | e.RequestGrew, time: float) -> None:
        """What was asked or stopped before it was written is asked or stopped again, where it crosses."""
        known = self._told.get(event.request)
        if known is None:
            return
        (requester, *_), paths = known
        fresh = [each.path for each in event.crossings if each.change is None and each.path not in paths]
        paths.update(each.path for each in event.crossings)
        if requester is None or requester == OPERATOR or not fresh:
            return
        self.flush()
        self._writes += len(fresh)
        stopped = isinstance(event, e.CoordinationRequest) and event.kind is RequestKind.HELD
        pid = event.pid if isinstance(event, e.CoordinationRequest) else None
        if not stopped or pid is None:
            for asked in boundary.asked(self._state, c.Ask(requester, tuple(fresh), "", pid), time):
                self.happen(asked, time)
            return
        for path in fresh:
            if boundary.may_write(self._state, requester, path, time, pid=pid).crosses:
                hold = c.Hold(requester, path, pid, "", "", until=time)
                for held in boundary.held(self._state, hold, time):
                    if not isinstance(held, e.HoldStarted):  # that comes as it came
                        self.happen(held, time)

    def _same(self, number: int) -> list[int]:
        """The open requests that are here what request `number` was there."""
        known = self._told.get(number)
        if known is None:
            return []
        who, paths = known
        return [
            request.id
            for request in self._state.open_requests
            if (request.requester, request.candidates, request.kind in _BEFORE) == who
            and not paths.isdisjoint(request.crossings)
        ]
