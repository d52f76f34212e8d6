"""Counting: the account of a run, from the records of its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from runebook_tui.core import events as e
from runebook_tui.core.acceptance import AcceptanceRan
from runebook_tui.core.activity import ActivityChanged, CommandRan
from runebook_tui.core.aftermath import DecisionTakenBack
from runebook_tui.core.suggestions import SuggestionAdded, SuggestionApplied, SuggestionDismissed
from runebook_tui.core.types import AgentStatus, ExecutionPlan, PlanInfo
from runebook_tui.report.account import (
    Account,
    AgentAccount,
    Check,
    Failure,
    PhaseAccount,
    Publication,
    RequestAccount,
    Span,
    SuggestionAccount,
    Written,
)

FAILURES = 100
"""So many failed commands of one agent are kept, the newest."""


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
            if isinstance(record.event, e.TouchesForgotten):
                self._account.forgotten += record.event.runs.get(self._account.run, 0)
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
            case SuggestionAdded() | SuggestionDismissed() | SuggestionApplied():
                self._suggested(event, record.time)
            case e.AttemptRefused():
                account.attempts += event.count
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
                    agent.failures = [
                        *agent.failures,
                        Failure(time, event.command or event.error, event.code),
                    ][-FAILURES:]
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

    def _suggested(
        self, event: SuggestionAdded | SuggestionDismissed | SuggestionApplied, time: float
    ) -> None:
        known = self._account.suggestions.get(event.suggestion)
        match event:
            case SuggestionAdded() if known is None:
                self._account.suggestions[event.suggestion] = SuggestionAccount(
                    event.suggestion, event.agent, event.priority, event.title, time
                )
            case SuggestionAdded() if known is not None:
                known.count, known.status = known.count + 1, "open"
            case SuggestionDismissed() if known is not None:
                known.status = "dismissed"
            case SuggestionApplied() if known is not None:
                known.status = "applied"
            case _:
                pass

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
