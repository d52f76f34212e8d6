"""Suggesting: the verbs by which agents suggest, and people and agents take or dismiss what was suggested."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from runebook_tui.core import commands as c
from runebook_tui.core.messages import cleaned
from runebook_tui.core.state import State
from runebook_tui.core.suggested import Priority, Provenance, Suggestion
from runebook_tui.core.suggestions import (
    SNIPPET_CHARACTERS,
    TITLE_CHARACTERS,
    WORDS_CHARACTERS,
    ApplySuggestion,
    DismissSuggestion,
    Suggest,
    fingerprint_of,
    known,
    ranked,
)
from runebook_tui.core.types import OPERATOR
from runebook_tui.execution import wire
from runebook_tui.execution.server import Connection
from runebook_tui.orchestrator.coordinator import Refused

Answer = dict[str, Any]
Verb = Callable[[Connection, Answer], Awaitable[Answer]]

MOST_CHARACTERS = 400_000
"""Of the texts of one answer: as JSON it fits into one line of the socket, whatever they hold."""

_MOST_CONFIDENCE = 1e6  # what is above 1 is refused by the rule
_PRIORITIES: dict[str, Priority] = {"high": "high", "normal": "normal", "low": "low"}


class Host(Protocol):
    """What suggesting needs of the runner."""

    @property
    def state(self) -> State:
        """The state now."""

    async def handle(self, command: c.Command, actor: str) -> object:
        """Carry out a command. Raises Refused, LogError."""


class Suggesting:
    """Answers `suggest`, `suggestions`, `suggestion-apply` and `suggestion-dismiss`."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.verbs: Mapping[str, Verb] = {
            "suggest": self._suggest,
            "suggestions": self._suggestions,
            "suggestion-apply": self._close,
            "suggestion-dismiss": self._close,
        }

    async def _suggest(self, connection: Connection, message: Answer) -> Answer:
        agent = connection.speaks_for(message.get("agent"))
        if agent not in self._host.state.agents:
            raise Refused(f"the plan has no agent {agent!r}")
        confidence = message.get("confidence", 0.5)
        if (
            isinstance(confidence, bool)
            or not isinstance(confidence, int | float)
            or not 0 <= confidence <= 1
        ):
            raise wire.WireError("field 'confidence' must be a number from 0 to 1")
        priority = wire.text_field(message, "priority", default="normal", limit=16)
        if priority not in _PRIORITIES:
            raise wire.WireError(f"field 'priority' must be one of {', '.join(_PRIORITIES)}")
        command = Suggest(
            agent=agent,
            kind=wire.text_field(message, "kind", limit=32),
            title=_text(message, "title", TITLE_CHARACTERS).replace("\n", " "),
            priority=_PRIORITIES[priority],
            words=_text(message, "words", WORDS_CHARACTERS),
            snippet=_text(message, "snippet", SNIPPET_CHARACTERS),
            confidence=float(confidence),
            provenance=_provenance(message.get("provenance") or {}),
            fingerprint=wire.text_field(message, "fingerprint", default="", limit=128),
        )
        await self._host.handle(command, connection.speaker.name or agent)
        found = known(self._host.state, agent, fingerprint_of(command))
        if found is None:
            raise Refused("the suggestion was not kept")
        return shape(found)

    async def _suggestions(self, connection: Connection, message: Answer) -> Answer:
        kept = self._host.state.suggestions
        over = [each for each in reversed(kept) if not each.open] if message.get("all") is True else []
        return {"suggestions": bounded((*ranked(kept), *over))}

    async def _close(self, connection: Connection, message: Answer) -> Answer:
        by = connection.speaker.agent or OPERATOR
        number = wire.number_field(message, "suggestion")
        kind = ApplySuggestion if message["do"] == "suggestion-apply" else DismissSuggestion
        await self._host.handle(kind(number, by), by)
        return shape(next(each for each in self._host.state.suggestions if each.id == number))


def bounded(suggestions: Iterable[Suggestion], most: int = MOST_CHARACTERS) -> list[Answer]:
    """The shapes of as many `suggestions` as have `most` characters together."""
    found: list[Answer] = []
    for each in suggestions:
        most -= 500 + len(each.title) + len(each.words) + len(each.snippet)
        if most < 0:
            break
        found.append(shape(each))
    return found


def _text(message: Answer, name: str, limit: int) -> str:
    """A text field without secrets and control characters, which may make it longer than it was."""
    return cleaned(wire.text_field(message, name, default="", limit=limit), limit)[:limit]


def _provenance(given: object) -> Provenance:
    """Where a suggestion comes from, as an agent says it. Raises WireError."""
    if not isinstance(given, dict):
        raise wire.WireError("field 'provenance' must be an object")
    texts = {name: given.get(name) or "" for name in ("rule", "layer", "agent", "file")}
    if not all(isinstance(each, str) and len(each) <= 4096 for each in texts.values()):
        raise wire.WireError("field 'provenance' has texts that are none, or too long")
    numbers = {name: given.get(name) for name in ("command", "line")}
    if not all(each is None or type(each) is int for each in numbers.values()):
        raise wire.WireError("field 'provenance' has numbers that are none")
    try:
        return Provenance.model_validate({**texts, **numbers})
    except ValueError as error:
        raise wire.WireError(f"field 'provenance' has no layer {texts['layer']!r}") from error


def shape(suggestion: Suggestion) -> Answer:
    """A suggestion as the socket gives it; times in unix seconds."""
    return {
        "id": suggestion.id,
        "agent": suggestion.agent,
        "kind": suggestion.kind,
        "priority": suggestion.priority,
        "title": suggestion.title,
        "words": suggestion.words,
        "snippet": suggestion.snippet,
        "confidence": suggestion.confidence,
        "provenance": suggestion.provenance.model_dump(mode="json"),
        "fingerprint": suggestion.fingerprint,
        "first": suggestion.first,
        "time": suggestion.time,
        "count": suggestion.count,
        "applied": suggestion.applied,
        "status": suggestion.status,
        "by": suggestion.by,
    }
