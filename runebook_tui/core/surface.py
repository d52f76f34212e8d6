"""The surface of a run: what status lines, prompts and editors show of a state, as plain bounded values.

Every place outside the screens shows the same snapshot. It is small, so that a shell can read it for
every prompt, and all text in it has been made visible: nothing in it moves a cursor or ends a line.
"""

from __future__ import annotations

from typing import Any

from runebook_tui.core.authority import standing
from runebook_tui.core.needs import needs
from runebook_tui.core.printable import visible
from runebook_tui.core.standing import Word
from runebook_tui.core.state import AgentState, RequestState, State
from runebook_tui.core.suggested import Suggestion
from runebook_tui.core.suggestions import ranked
from runebook_tui.core.types import AgentStatus

FORMAT = 1
"""The version of the snapshot's shape (docs/surfaces.md)."""

MOST_REQUESTS = 20
MOST_PATHS = 8
MOST_FILES = 100
MOST_AGENTS = 100
MOST_SUGGESTIONS = 10
TEXT_CHARACTERS = 200
PATH_CHARACTERS = 1000

COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")
"""The colours of owners, by their place in the plan: names that tmux, vim and terminals share."""

_ENDED = (Word.FAILED, Word.LOST)

_SIGNS = {
    Word.PENDING: "○",
    Word.STARTING: "◔",
    Word.WORKING: "●",
    Word.FINALIZING: "●",
    Word.WAITING: "◐",
    Word.BLOCKED: "◒",
    Word.IDLE: "◌",
    Word.LIMITED: "◑",
    Word.UNKNOWN: "¿",
    Word.SERVING: "✓",
    Word.DONE: "✓",
    Word.FAILED: "✗",
    Word.LOST: "✗",
    Word.STOPPED: "■",
}


def surface_of(state: State, now: float | None = None) -> dict[str, Any]:
    """The snapshot of a state at `now` (else when something happened last).

    Equal states give equal snapshots; times are unix seconds.
    """
    called = needs(state, state.time if now is None else now)
    requests = state.open_requests
    suggestions = ranked(state.suggestions)
    agents = tuple(state.agents.values())
    words = {agent.id: standing(state, agent).word for agent in agents}
    working = sum(word in (Word.WORKING, Word.STARTING, Word.FINALIZING) for word in words.values())
    held = sum(each.held_until is not None for each in requests)
    counts = {
        "requests": len(requests),
        "held": held,
        "agents": len(agents),
        "working": working,
        "calls": sum(each.standing is not None and each.standing.word not in _ENDED for each in called),
        "failed": sum(agent.status is AgentStatus.FAILED for agent in agents),
        "suggestions": len(suggestions),
    }
    return {
        "format": FORMAT,
        "prompt": _prompt(counts),
        "mood": _mood(state, counts),
        "advice": _plain(suggestions[0].title) if suggestions else "",
        "plan": visible(state.plan.plan.name, TEXT_CHARACTERS),
        "run": state.run,
        "outcome": state.outcome,
        "counts": counts,
        "agents": [
            _agent(state, at, agent, words[agent.id]) for at, agent in enumerate(agents[:MOST_AGENTS])
        ],
        "requests": [_request(each) for each in requests[:MOST_REQUESTS]],
        "suggestions": [_suggestion(each) for each in suggestions[:MOST_SUGGESTIONS]],
        "files": _files(state),
    }


def colour_of(at: int) -> str:
    """The colour of the agent at place `at` of the plan."""
    return COLOURS[at % len(COLOURS)]


def _prompt(counts: dict[str, int]) -> str:
    """The counts in ASCII words: what a shell's prompt can show as it stands."""
    parts = []
    if counts["requests"]:
        held = f" ({counts['held']} held)" if counts["held"] else ""
        parts.append(f"{_number(counts['requests'], 'request')}{held}")
    if counts["calls"]:
        parts.append(f"{_number(counts['calls'], 'agent')} {'needs' if counts['calls'] == 1 else 'need'} you")
    if counts["failed"]:
        parts.append(f"{counts['failed']} failed")
    parts.append(f"{counts['working']} working")
    if counts["suggestions"]:
        parts.append(_number(counts["suggestions"], "suggestion"))
    return ", ".join(parts)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _plain(title: str) -> str:
    """A title in printable ASCII that stands in quotes as it is, for whoever reads no JSON."""
    return "".join(each if " " <= each <= "~" and each not in '"\\' else "?" for each in title)[:100]


def _mood(state: State, counts: dict[str, int]) -> str:
    """What the colour of a short sign says, the most pressing first."""
    if counts["held"]:
        return "held"
    if counts["requests"] or counts["calls"]:
        return "asking"
    if counts["failed"] or state.outcome == "failed":
        return "failed"
    return "over" if state.outcome is not None else "calm"


def _agent(state: State, at: int, agent: AgentState, word: Word) -> dict[str, Any]:
    about = [each.id for each in state.open_requests if each.requester == agent.id]
    owned = [each.id for each in state.open_requests if agent.id in each.owners]
    return {
        "id": agent.id,
        "status": agent.status.value,
        "state": word.value,
        "sign": _SIGNS[word],
        "colour": colour_of(at),
        "alive": agent.alive,
        "pane": agent.pane,
        "lane": agent.lane or None,
        "doing": "" if agent.doing is None else visible(agent.doing.activity.value, TEXT_CHARACTERS),
        "task": agent.task,
        "asks": about,
        "asked": owned,
    }


def _request(request: RequestState) -> dict[str, Any]:
    return {
        "id": request.id,
        "kind": request.kind.value,
        "who": visible(request.who, TEXT_CHARACTERS),
        "owners": [visible(each, TEXT_CHARACTERS) for each in request.owners[:MOST_PATHS]],
        "paths": [visible(each, PATH_CHARACTERS) for each in request.paths[:MOST_PATHS]],
        "more": max(0, len(request.paths) - MOST_PATHS),
        "reason": visible(request.reason, TEXT_CHARACTERS),
        "opened_at": request.opened_at,
        "held_until": request.held_until,
    }


def _suggestion(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "id": suggestion.id,
        "agent": suggestion.agent,
        "kind": suggestion.kind,
        "priority": suggestion.priority,
        "title": visible(suggestion.title, TEXT_CHARACTERS),
        "confidence": suggestion.confidence,
        "count": suggestion.count,
        "file": visible(suggestion.provenance.file, PATH_CHARACTERS),
        "line": suggestion.provenance.line,
    }


def _files(state: State) -> dict[str, dict[str, Any]]:
    """The files that somebody has just written or asks for, the hottest first, with their owners."""
    found: dict[str, dict[str, Any]] = {}
    for request in state.open_requests[:MOST_REQUESTS]:
        for path in request.paths[:MOST_PATHS]:
            _file(state, found, path)["requests"].append(request.id)
    for touch in reversed(state.recent_touches):
        if len(found) >= MOST_FILES and visible(touch.path, PATH_CHARACTERS) not in found:
            continue
        file = _file(state, found, touch.path)
        if file["written_at"] is None:
            file["writer"], file["written_at"] = touch.author, touch.time
    return found


def _file(state: State, found: dict[str, dict[str, Any]], path: str) -> dict[str, Any]:
    claim = state.owners.owner_of(path)
    new: dict[str, Any] = {
        "owner": None if claim is None else claim.owner,
        "shared": claim is not None and claim.shared,
        "writer": None,
        "written_at": None,
        "requests": [],
    }
    return found.setdefault(visible(path, PATH_CHARACTERS), new)
