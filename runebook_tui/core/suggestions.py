"""Suggestions: what would help, kept in the log, ranked, each once; nothing of it is ever executed.

An agent suggests the same again when it meets the same again: that counts up. What was dismissed
stays dismissed; what was applied is open again when it did not help.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from runebook_tui.core.fact import Fact
from runebook_tui.core.state import State
from runebook_tui.core.suggested import RANKS, Priority, Provenance, Suggestion
from runebook_tui.core.types import OPERATOR

ASK_MODEL: Final = "ask-model"
"""The kind whose snippet goes to a language model once it is applied: the operator's alone to apply."""

KEPT = 100
"""How many open suggestions the state keeps, and how many of those that are over: the newest."""

TITLE_CHARACTERS = 200
WORDS_CHARACTERS = 2000
SNIPPET_CHARACTERS = 8000

MOST_A_MINUTE = 60
"""How many different suggestions an agent may make within a minute."""

AGAIN_SECONDS = 5.0
"""The same suggestion within so short a time is the same occasion, and no record."""

_KIND = re.compile(r"[a-z][a-z-]{0,31}")


class SuggestionAdded(Fact):
    """An agent suggests something; with the number of an earlier one, the same again."""

    type: Literal["SuggestionAdded"] = "SuggestionAdded"
    suggestion: int
    """Its number, from 1, over all runs."""
    agent: str
    kind: str
    priority: Priority
    title: str
    words: str = ""
    snippet: str = ""
    confidence: float
    provenance: Provenance = Provenance()
    fingerprint: str


class SuggestionDismissed(Fact):
    """A suggestion is not wanted, by the operator; or no longer needed, by the agent that made it."""

    type: Literal["SuggestionDismissed"] = "SuggestionDismissed"
    suggestion: int
    by: str


class SuggestionApplied(Fact):
    """Somebody took a suggestion's snippet, to do with it what they think right."""

    type: Literal["SuggestionApplied"] = "SuggestionApplied"
    suggestion: int
    by: str


@dataclass(frozen=True)
class Suggest:
    """`agent` suggests something. `fingerprint` "" stands for the kind, title and snippet."""

    agent: str
    kind: str
    title: str
    priority: Priority = "normal"
    words: str = ""
    snippet: str = ""
    confidence: float = 0.5
    provenance: Provenance = field(default_factory=Provenance)
    fingerprint: str = ""


@dataclass(frozen=True)
class DismissSuggestion:
    """`by` (OPERATOR or an agent) does not want a suggestion."""

    suggestion: int
    by: str


@dataclass(frozen=True)
class ApplySuggestion:
    """`by` (OPERATOR or an agent) takes a suggestion's snippet."""

    suggestion: int
    by: str


def fingerprint_of(command: Suggest) -> str:
    """What makes a suggestion the same as another of the same agent."""
    if command.fingerprint:
        return command.fingerprint
    whole = "\0".join((command.kind, command.title, command.snippet))
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def ranked(suggestions: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """The open ones, the best first: by priority, then confidence, then the newest."""
    return tuple(
        sorted(
            (each for each in suggestions if each.open),
            key=lambda each: (RANKS[each.priority], -each.confidence, -each.time, -each.id),
        )
    )


def known(state: State, agent: str, fingerprint: str) -> Suggestion | None:
    """The suggestion of `agent` that has this fingerprint; None when it is new."""
    return next((s for s in state.suggestions if (s.agent, s.fingerprint) == (agent, fingerprint)), None)


def why_not(state: State, command: Suggest | DismissSuggestion | ApplySuggestion, now: float) -> str:
    """Why the command is not carried out, in words; "" when it is."""
    if isinstance(command, Suggest):
        return _why_not_suggested(state, command, now)
    found = next((each for each in state.suggestions if each.id == command.suggestion), None)
    if found is None:
        return f"there is no suggestion {command.suggestion} (any more)"
    if isinstance(command, DismissSuggestion):
        theirs = command.by in (OPERATOR, found.agent)
        return "" if theirs else f"suggestion {found.id} is {found.agent}'s: only the operator dismisses it"
    if found.kind == ASK_MODEL and command.by != OPERATOR:
        return f"suggestion {found.id} would send text to a model: only the operator may apply it"
    return f"suggestion {found.id} was dismissed" if found.status == "dismissed" else ""


def _why_not_suggested(state: State, command: Suggest, now: float) -> str:
    if _KIND.fullmatch(command.kind) is None:
        return f"the kind of a suggestion is a short word, not {command.kind!r}"
    if command.priority not in RANKS:
        return f"the priority of a suggestion is {', '.join(RANKS)}, not {command.priority!r}"
    if not 0 <= command.confidence <= 1:
        return f"the confidence of a suggestion is from 0 to 1, not {command.confidence}"
    if not command.title.strip():
        return "a suggestion has a title"
    limits = (
        ("title", command.title, TITLE_CHARACTERS),
        ("words", command.words, WORDS_CHARACTERS),
        ("snippet", command.snippet, SNIPPET_CHARACTERS),
        ("fingerprint", command.fingerprint, 128),
    )
    for name, text, most in limits:
        if len(text) > most:
            return f"the {name} of a suggestion has at most {most} characters, not {len(text)}"
    if known(state, command.agent, fingerprint_of(command)) is not None:
        return ""
    recent = sum(each.agent == command.agent and 0 <= now - each.first < 60 for each in state.suggestions)
    if recent < MOST_A_MINUTE:
        return ""
    return f"{command.agent} has made {recent} suggestions within a minute: wait before the next"


def suggested(state: State, command: Suggest, now: float) -> tuple[SuggestionAdded, ...]:
    """The event of a suggestion; () when it was dismissed, or made a moment ago."""
    fingerprint = fingerprint_of(command)
    before = known(state, command.agent, fingerprint)
    if before is not None:
        again = before.open and 0 <= now - before.time < AGAIN_SECONDS
        if again or before.status == "dismissed":
            return ()
    return (
        SuggestionAdded(
            suggestion=state.last_suggestion + 1 if before is None else before.id,
            agent=command.agent,
            kind=command.kind,
            priority=command.priority,
            title=command.title,
            words=command.words,
            snippet=command.snippet,
            confidence=command.confidence,
            provenance=command.provenance,
            fingerprint=fingerprint,
        ),
    )


def closed(
    state: State, command: DismissSuggestion | ApplySuggestion
) -> tuple[SuggestionDismissed | SuggestionApplied, ...]:
    """The event of a suggestion that is dismissed or applied; () when it was dismissed already."""
    found = next(each for each in state.suggestions if each.id == command.suggestion)
    if isinstance(command, ApplySuggestion):
        return (SuggestionApplied(suggestion=found.id, by=command.by),)
    if found.status == "dismissed":
        return ()
    return (SuggestionDismissed(suggestion=found.id, by=command.by),)


def applied(
    state: State, event: SuggestionAdded | SuggestionDismissed | SuggestionApplied, time: float
) -> State:
    """The state after something was suggested, dismissed or applied."""
    before = next((each for each in state.suggestions if each.id == event.suggestion), None)
    match event:
        case SuggestionAdded():
            after = _added(event, before, time)
        case SuggestionDismissed() if before is not None:
            after = replace(before, status="dismissed", by=event.by)
        case SuggestionApplied() if before is not None:
            after = replace(before, status="applied", by=event.by, applied=before.applied + 1)
        case _:
            return state
    others = tuple(each for each in state.suggestions if each.id != after.id)
    return replace(
        state,
        suggestions=_kept((*others, after)),
        last_suggestion=max(state.last_suggestion, event.suggestion),
    )


def _added(event: SuggestionAdded, before: Suggestion | None, time: float) -> Suggestion:
    return Suggestion(
        id=event.suggestion,
        agent=event.agent,
        kind=event.kind,
        priority=event.priority,
        title=event.title,
        words=event.words,
        snippet=event.snippet,
        confidence=event.confidence,
        provenance=event.provenance,
        fingerprint=event.fingerprint,
        first=time if before is None else before.first,
        time=time,
        count=1 if before is None else before.count + 1,
        applied=0 if before is None else before.applied,
        by="" if before is None else before.by,
    )


def _kept(suggestions: tuple[Suggestion, ...]) -> tuple[Suggestion, ...]:
    """At most KEPT open ones and KEPT that are over; what changed last is at the end."""
    live = [each for each in suggestions if each.open][-KEPT:]
    over = [each for each in suggestions if not each.open][-KEPT:]
    kept = {each.id for each in (*live, *over)}
    return tuple(each for each in suggestions if each.id in kept)
