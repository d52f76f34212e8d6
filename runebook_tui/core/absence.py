"""Absence: what happened while the operator was away, counted from the records and said in words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from runebook_tui.core import events as e
from runebook_tui.core.contract import ApiDrifted
from runebook_tui.core.messages import EVERYBODY, MessageSent
from runebook_tui.core.needs import needs
from runebook_tui.core.standing import Word
from runebook_tui.core.state import State
from runebook_tui.core.suggested import Suggestion
from runebook_tui.core.suggestions import SuggestionAdded, ranked
from runebook_tui.core.types import OPERATOR, AgentStatus

TYPES = (
    "RunStarted",
    "RunEnded",
    "PhaseStarted",
    "PhaseCompleted",
    "StatusUpdate",
    "AgentStarted",
    "ApiPublished",
    "ApiDrifted",
    "CoordinationRequest",
    "CoordinationResponse",
    "RequestWithdrawn",
    "HoldEnded",
    "Touched",
    "TouchesForgotten",
    "MessageSent",
    "AttemptRefused",
    "SuggestionAdded",
)
"""The types of records that are counted: no others need be read."""

T = TypeVar("T")

_AGENT_WORDS = {
    AgentStatus.RUNNING: "is working",
    AgentStatus.COMPLETED: "is done",
    AgentStatus.FAILED: "has failed",
    AgentStatus.STOPPED: "was stopped",
}
_SHOWN = 5


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Edits:
    """What one author wrote."""

    author: str | None
    """An agent, OPERATOR, or None where it is not certain."""
    edits: int
    files: int


@dataclass(frozen=True, slots=True)
class Absence:
    """What happened from `since` on, unix seconds."""

    since: float
    edits: tuple[Edits, ...] = ()
    """Who wrote most comes first."""
    raised: tuple[int, ...] = ()
    """Requests that were raised."""
    decisions: Mapping[str, int] = field(default_factory=_nothing)
    """How many requests were approved, rejected and withdrawn."""
    lapsed: tuple[int, ...] = ()
    """Requests that are open, and of which a write that waited was refused meanwhile."""
    waiting: tuple[int, ...] = ()
    """Requests that wait for a decision now."""
    calls: tuple[str, ...] = ()
    """Agents that have come to need the operator, beside those that failed: "alpha is idle"."""
    started: tuple[str, ...] = ()
    """Phases whose gates opened."""
    completed: tuple[str, ...] = ()
    """Phases that are complete."""
    agents: Mapping[str, AgentStatus] = field(default_factory=_nothing)
    """What agents came to, the last of each."""
    reasons: Mapping[str, str] = field(default_factory=_nothing)
    """Why, by agent, where something is said."""
    published: tuple[str, ...] = ()
    """Interfaces with their version: "storage v2"."""
    drifted: tuple[str, ...] = ()
    """Published interfaces that were found changed."""
    messages: int = 0
    """Messages to the operator."""
    attempts: int = 0
    """What was tried that only the operator may."""
    suggested: tuple[int, ...] = ()
    """Suggestions that were made, or made again."""
    best: Suggestion | None = None
    """The best of them that is open now."""
    outcome: str = ""
    """How the run ended, if it did."""
    forgotten: int = 0
    """Old changes of files that the log let go of; `edits` does not count them."""

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to tell."""
        return not lines(self)


def summary(records: Iterable[e.Record], since: float, state: State) -> Absence:
    """What the `records` after `since` (unix seconds) come to; `state` says what waits now."""
    edits: Counter[str | None] = Counter()
    files: dict[str | None, set[tuple[str, str]]] = {}
    decisions: Counter[str] = Counter()
    agents: dict[str, tuple[AgentStatus, str]] = {}
    raised: list[int] = []
    lapsed: list[int] = []
    started: list[str] = []
    completed: list[str] = []
    published: dict[str, str] = {}
    drifted: list[str] = []
    suggested: list[int] = []
    messages = attempts = forgotten = 0
    outcome = ""
    for record in records:
        if record.time <= since:
            continue
        match record.event:
            case e.Touched() as touched:
                author = touched.author.name
                edits[author] += 1
                files.setdefault(author, set()).add((touched.lane, touched.change.path))
            case e.TouchesForgotten() as trimmed:
                forgotten += trimmed.count
            case e.CoordinationRequest(request=number):
                raised.append(number)
            case e.CoordinationResponse(decision=decision):
                decisions[decision] += 1
            case e.RequestWithdrawn():
                decisions["withdrawn"] += 1
            case e.HoldEnded(request=number):
                lapsed.append(number)
            case e.PhaseStarted(phase=phase):
                started.append(phase)
            case e.PhaseCompleted(phase=phase):
                completed.append(phase)
            case e.StatusUpdate() as update if update.status in _AGENT_WORDS:
                agents[update.agent] = update.status, update.reason
            case e.AgentStarted(agent=name):
                agents[name] = AgentStatus.RUNNING, ""
            case e.ApiPublished(api=api, version=version):
                published[api] = f"{api} v{version}"
            case ApiDrifted(api=api):
                drifted.append(api)
            case MessageSent(sender=sender, to=to) if sender != OPERATOR:
                messages += OPERATOR in to or EVERYBODY in to
            case e.AttemptRefused(count=count):
                attempts += count
            case SuggestionAdded(suggestion=number):
                suggested.append(number)
            case e.RunStarted():
                outcome = ""
            case e.RunEnded(outcome=ended):
                outcome = ended
            case _:
                pass
    waiting = tuple(each.id for each in state.open_requests)
    return Absence(
        since=since,
        edits=tuple(Edits(author, count, len(files[author])) for author, count in edits.most_common()),
        raised=_each(raised),
        decisions=MappingProxyType(dict(decisions)),
        lapsed=tuple(number for number in _each(lapsed) if number in waiting),
        waiting=waiting,
        calls=tuple(_calls(state, since)),
        started=_each(started),
        completed=_each(completed),
        agents=MappingProxyType({name: status for name, (status, _) in agents.items()}),
        reasons=MappingProxyType({name: reason for name, (_, reason) in agents.items() if reason}),
        published=tuple(published.values()),
        drifted=_each(drifted),
        messages=messages,
        attempts=attempts,
        suggested=_each(suggested),
        best=next((each for each in ranked(state.suggestions) if each.id in suggested), None),
        outcome=outcome,
        forgotten=forgotten,
    )


def _calls(state: State, since: float) -> Iterator[str]:
    for need in needs(state, state.time):
        stands = need.standing
        if stands is None or stands.word in (Word.FAILED, Word.LOST) or (stands.since or 0.0) <= since:
            continue
        yield f"{need.agent} is {stands.word}" + _because(stands.line)


def _each(items: Sequence[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def lines(absence: Absence) -> tuple[str, ...]:
    """What happened, a line each, the most pressing first; () when nothing did."""
    said = [
        _counted(absence.waiting, "request waits for you", "requests wait for you"),
        _counted(absence.lapsed, "of them was refused meanwhile", "of them were refused meanwhile"),
        *absence.calls,
        f"the run {absence.outcome}" if absence.outcome else "",
        *(
            f"{name} {_AGENT_WORDS[status]}" + _because(absence.reasons.get(name, ""))
            for name, status in absence.agents.items()
        ),
        f"gates opened: {', '.join(absence.started)}" if absence.started else "",
        f"phases complete: {', '.join(absence.completed)}" if absence.completed else "",
        f"published: {', '.join(absence.published)}" if absence.published else "",
        f"changed after it was published: {', '.join(absence.drifted)}" if absence.drifted else "",
        _counted(absence.raised, "request was raised", "requests were raised"),
        _decided(absence.decisions),
        _edited(absence.edits),
        _number(absence.messages, "message for you", "messages for you"),
        _number(absence.attempts, "attempt was refused", "attempts were refused")
        + (" that only you may make" if absence.attempts else ""),
        _suggestions(absence),
        _forgotten(absence.forgotten),
    ]
    return tuple(each for each in said if each)


def _number(count: int, one: str, more: str) -> str:
    return "" if not count else f"{count} {one if count == 1 else more}"


def _counted(numbers: Sequence[int], one: str, more: str) -> str:
    """How many, and which."""
    if not numbers:
        return ""
    listed = ", ".join(map(str, numbers[:_SHOWN])) + (" …" if len(numbers) > _SHOWN else "")
    return f"{_number(len(numbers), one, more)}: {listed}"


def _decided(decisions: Mapping[str, int]) -> str:
    known = [word for word in ("approved", "rejected", "withdrawn") if word in decisions]
    parts = [f"{decisions[word]} {word}" for word in known]
    return f"requests: {', '.join(parts)}" if parts else ""


def _edited(edits: Sequence[Edits]) -> str:
    if not edits:
        return ""
    names = {OPERATOR: "you", None: "nobody for certain"}
    parts = [
        f"{names.get(each.author, each.author)} {each.edits} in {_number(each.files, 'file', 'files')}"
        for each in edits[:_SHOWN]
    ]
    more = [f"and {len(edits) - _SHOWN} more"] if len(edits) > _SHOWN else []
    return f"{_number(sum(each.edits for each in edits), 'edit', 'edits')}: {', '.join([*parts, *more])}"


def _suggestions(absence: Absence) -> str:
    if not absence.suggested:
        return ""
    best = f"the best is {absence.best.id}: {absence.best.title}" if absence.best else "none is open any more"
    return f"{_number(len(absence.suggested), 'suggestion', 'suggestions')}, {best}"


def _forgotten(count: int) -> str:
    return f"the log forgot {_number(count, 'old change', 'old changes')} of files" if count else ""


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
