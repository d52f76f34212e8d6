"""The account of a run: what its phases, agents, requests and files came to, counted from its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from runebook_tui.core import events as e
from runebook_tui.core.acceptance import AcceptanceRan
from runebook_tui.core.activity import ActivityChanged, CommandRan
from runebook_tui.core.aftermath import DecisionTakenBack
from runebook_tui.core.types import AgentStatus, ExecutionPlan, PlanInfo

FAILURES = 100
"""So many failed commands of one agent are kept, the newest."""


class Span(NamedTuple):
    """A time from one moment to another, unix seconds; `end` is None while it lasts."""

    start: float
    end: float | None
    status: str
    """How it ended, or "running"."""


@dataclass
class PhaseAccount:
    """One phase. Times are unix seconds."""

    id: str
    title: str
    continuous: bool
    started: float | None = None
    completed: float | None = None


@dataclass
class Written:
    """What one author wrote to one path."""

    edits: int = 0
    added: int = 0
    """Lines, where they could be counted."""
    removed: int = 0


@dataclass(frozen=True)
class Failure:
    """A command that failed."""

    time: float
    command: str
    code: int | None


@dataclass
class AgentAccount:
    """One agent. Times are unix seconds."""

    id: str
    title: str = ""
    phase: str = ""
    status: str = "not started"
    reason: str = ""
    spans: list[Span] = field(default_factory=list)
    """Each life of its program."""
    tasks: dict[str, float | None] = field(default_factory=dict)
    """When each was completed; None for those that are not."""
    files: dict[str, Written] = field(default_factory=dict)
    requests: list[int] = field(default_factory=list)
    commands: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    client: str = ""
    model: str = ""
    tokens: int | None = None
    """Tokens of its model's answers; None where its client said nothing."""
    cost: float | None = None
    """US dollars of the same answers."""


@dataclass
class RequestAccount:
    """One request, and what was decided. Times are unix seconds."""

    id: int
    kind: str
    requester: str
    owners: list[str]
    paths: list[str]
    reason: str
    opened: float
    decided: float | None = None
    status: str = "open"
    scope: str = ""
    by: str = ""
    answer: str = ""
    taken_back: int = 0


@dataclass(frozen=True)
class Check:
    """What an acceptance check last came to."""

    id: str
    title: str
    command: str
    passed: bool
    code: int | None
    seconds: float | None
    commit: str
    reason: str
    time: float
    runs: int


class Publication(NamedTuple):
    """An interface was published."""

    time: float
    api: str
    version: int
    agent: str


@dataclass
class Account:
    """What a run came to. Times are unix seconds."""

    run: int
    plan: str = ""
    started: float = 0.0
    last: float = 0.0
    """When its last event happened."""
    ended: float | None = None
    outcome: str = ""
    """"completed", "failed", "stopped", or "" while it is not over."""
    reason: str = ""
    phases: dict[str, PhaseAccount] = field(default_factory=dict)
    agents: dict[str, AgentAccount] = field(default_factory=dict)
    others: dict[str, dict[str, Written]] = field(default_factory=dict)
    """What was written by the operator ("operator"), and by nobody for certain ("")."""
    requests: dict[int, RequestAccount] = field(default_factory=dict)
    published: list[Publication] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)
    events: int = 0
    attempts: int = 0
    """What was tried that only the operator may."""

    @property
    def files(self) -> dict[str, dict[str, Written]]:
        """Who wrote what: by path, by author; "" stands for nobody for certain."""
        found: dict[str, dict[str, Written]] = {}
        for author, files in [
            *((each.id, each.files) for each in self.agents.values()),
            *self.others.items(),
        ]:
            for path, written in files.items():
                found.setdefault(path, {})[author] = written
        return dict(sorted(found.items()))


def account(records: Iterable[e.Record], run: int) -> Account:
    """What run number `run` came to, by all `records` of the log in order."""
    return _Counting(run).all(records)


class _Counting:
    """Counts the records of one run; of earlier ones, only the requests that were still open."""

    def __init__(self, run: int) -> None:
        self._account = Account(run)
        self._plan = ExecutionPlan(plan=PlanInfo(name="none"))
        self._before: dict[int, RequestAccount] = {}
        self._counted: dict[str, tuple[int | None, float | None]] = {}
        self._runs: Counter[str] = Counter()

    def all(self, records: Iterable[e.Record]) -> Account:
        """The account, once every record was looked at."""
        for record in records:
            if record.run < self._account.run:
                self._request(record, self._before)
            elif record.run == self._account.run:
                self._count(record)
        return self._account

    def _count(self, record: e.Record) -> None:
        account, event = self._account, record.event
        account.events += 1
        account.last = max(account.last, record.time)
        match event:
            case e.RunStarted():
                account.started = record.time
                account.requests = {n: each for n, each in self._before.items() if each.status == "open"}
                self._go_by(event.plan)
            case e.PlanChanged():
                self._go_by(event.plan)
            case e.RunEnded():
                account.ended, account.outcome = record.time, event.outcome
                account.reason = event.reason
            case e.PhaseStarted() if event.phase in account.phases:
                phase = account.phases[event.phase]
                phase.started = record.time if phase.started is None else phase.started
                phase.completed = None
            case e.PhaseCompleted() if event.phase in account.phases:
                account.phases[event.phase].completed = record.time
            case e.Touched():
                self._touched(event)
            case e.ApiPublished():
                account.published.append(Publication(record.time, event.api, event.version, event.agent))
            case AcceptanceRan():
                self._checked(event, record.time)
            case e.AttemptRefused():
                account.attempts += 1
            case e.StatusUpdate() | e.AgentStarted() | e.AgentExited() | e.TaskCompleted():
                self._agent_went_on(event, record.time)
            case CommandRan() | ActivityChanged():
                self._client_said(event, record.time)
            case _:
                self._request(record, account.requests)

    def _go_by(self, plan: ExecutionPlan) -> None:
        self._plan = plan
        account = self._account
        account.plan = plan.plan.name
        for phase in plan.roadmap.phases:
            known = account.phases.setdefault(phase.id, PhaseAccount(phase.id, "", False))
            known.title, known.continuous = phase.title, phase.continuous
        for spec in plan.agents:
            agent = self._agent(spec.id)
            agent.title, agent.phase = spec.title, spec.phase
            for task in spec.tasks:
                agent.tasks.setdefault(task.id, None)

    def _agent(self, name: str) -> AgentAccount:
        return self._account.agents.setdefault(name, AgentAccount(name))

    def _agent_went_on(
        self, event: e.StatusUpdate | e.AgentStarted | e.AgentExited | e.TaskCompleted, time: float
    ) -> None:
        agent = self._agent(event.agent)
        match event:
            case e.StatusUpdate():
                agent.status, agent.reason = event.status.value, event.reason
            case e.AgentStarted():
                agent.status, agent.reason = AgentStatus.RUNNING.value, ""
                agent.spans.append(Span(time, None, "running"))
            case e.AgentExited():
                if agent.spans and agent.spans[-1].end is None:
                    agent.spans[-1] = Span(
                        agent.spans[-1].start, time, "completed" if event.code == 0 else "failed"
                    )
            case e.TaskCompleted():
                agent.tasks[event.task] = time

    def _client_said(self, event: CommandRan | ActivityChanged, time: float) -> None:
        agent = self._agent(event.agent)
        match event:
            case CommandRan():
                agent.commands += 1
                if event.failed:
                    agent.failed += 1
                    agent.failures = [*agent.failures, Failure(time, event.command, event.code)][-FAILURES:]
            case ActivityChanged():
                agent.client, agent.model = event.client, event.model or agent.model
                tokens, cost = self._counted.get(agent.id, (None, None))
                # Its counters begin anew with each engine: what they grow by is what is added.
                if event.tokens is not None:
                    agent.tokens = (agent.tokens or 0) + int(_grown(tokens, event.tokens))
                if event.cost is not None:
                    agent.cost = (agent.cost or 0.0) + _grown(cost, event.cost)
                self._counted[agent.id] = (
                    tokens if event.tokens is None else event.tokens,
                    cost if event.cost is None else event.cost,
                )

    def _touched(self, event: e.Touched) -> None:
        name = event.author.name or ""
        agent = self._account.agents.get(name)
        files = self._account.others.setdefault(name, {}) if agent is None else agent.files
        written = files.setdefault(event.change.path, Written())
        written.edits += 1
        written.added += event.change.added or 0
        written.removed += event.change.removed or 0

    def _checked(self, event: AcceptanceRan, time: float) -> None:
        self._runs[event.check] += 1
        titles = {each.id: each.title for each in self._plan.acceptance}
        self._account.checks[event.check] = Check(
            event.check,
            titles.get(event.check) or event.check,
            event.command,
            event.passed,
            event.code,
            event.seconds,
            event.commit,
            event.reason,
            time,
            self._runs[event.check],
        )

    def _request(self, record: e.Record, requests: dict[int, RequestAccount]) -> None:
        event = record.event
        match event:
            case e.CoordinationRequest():
                requests[event.request] = _raised(event, record.time)
                for name in {event.requester, *event.candidates} & self._account.agents.keys():
                    self._account.agents[str(name)].requests.append(event.request)
            case e.RequestGrew() if event.request in requests:
                known = requests[event.request]
                known.paths += [each.path for each in event.crossings if each.path not in known.paths]
            case e.CoordinationResponse() if event.request in requests:
                known = requests[event.request]
                known.status, known.decided, known.by = event.decision, record.time, record.actor
                known.scope = event.scope.value if event.decision == "approved" else ""
                known.answer = event.reason
            case e.RequestWithdrawn() if event.request in requests:
                known = requests[event.request]
                known.status, known.decided, known.answer = "withdrawn", record.time, event.reason
            case DecisionTakenBack() if event.request in requests:
                known = requests[event.request]
                known.status, known.decided, known.scope, known.by, known.answer = "open", None, "", "", ""
                known.taken_back += 1
            case _:
                pass


def _raised(event: e.CoordinationRequest, time: float) -> RequestAccount:
    return RequestAccount(
        event.request,
        event.kind.value,
        event.requester or " or ".join(event.candidates) or "somebody",
        list(dict.fromkeys(each.owner or "operator" for each in event.crossings)),
        list(dict.fromkeys(each.path for each in event.crossings)),
        event.reason,
        time,
    )


def _grown(before: float | None, now: float) -> float:
    return now if before is None or now < before else now - before
