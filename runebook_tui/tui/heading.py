"""Heading: what a decision card says above the diff, of the request, its owner and what hangs on it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from textual.content import Content

from runebook_tui.core import consequences, reviews
from runebook_tui.core.activity import Activity, activity_words
from runebook_tui.core.names import from_words
from runebook_tui.core.sentences import SCOPE_WORDS, process
from runebook_tui.core.standing import Word
from runebook_tui.core.state import AgentState, RequestState, State
from runebook_tui.core.types import AgentStatus, RequestKind
from runebook_tui.tui import glyphs
from runebook_tui.tui.text import age, cut_path, safe
from runebook_tui.tui.view import status_word, waited

NOW_SECONDS = 60.0
"""An owner that wrote one of the files less long ago is changing it right now."""

_VERBS = {
    RequestKind.ASKED: "wants to write",
    RequestKind.HELD: "wants to write",
    RequestKind.CROSSED: "wrote",
    RequestKind.DRIFT: "changed the published",
    RequestKind.CONFLICT: "cannot be integrated in",
}
_PATH_CELLS = 200
_GATES_SHOWN = 4
_PATHS_SHOWN = 3


def title(request: RequestState, place: str = "") -> Content:
    """Who wants what from whom; `place` says where its files are."""
    paths = request.paths
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    owners = " and ".join(owner_name(owner) for owner in request.owners)
    return Content.assemble(
        safe(request.who, glyphs.STRONG),
        f" {_VERBS[request.kind]} ",
        (cut_path(paths[0] if paths else "nothing", _PATH_CELLS), f"{glyphs.STRONG} {glyphs.BUSY}"),
        more,
        (place, glyphs.MUTED),
        (", owned by ", glyphs.MUTED),
        safe(owners, glyphs.STRONG),
    )


def deadline(request: RequestState, now: float) -> Content:
    """How long the request is open; of a write that waits, until when, by the clock on the wall."""
    if request.held_until is None:
        return Content(f"open {age(now - request.opened_at)}")
    at = time.strftime("%H:%M:%S", time.localtime(request.held_until))
    return Content.styled(
        f"waiting {waited(request, now)} · refused at {at} unless you answer", glyphs.ACCENT
    )


def why(state: State, request: RequestState, now: float) -> Content:
    """The agent's words, the owner, what it recommends, what depends on it, the evidence; a line each."""
    lines = [*_asked(request), *owner_lines(state, request, now)]
    lines += [safe(each, glyphs.BUSY, limit=500) for each in reviews.words(request)]
    depends = consequences.depends(state, request)
    if depends:
        gates = "; ".join(depends[:_GATES_SHOWN])
        more = f"; and {len(depends) - _GATES_SHOWN} more" if len(depends) > _GATES_SHOWN else ""
        lines.append(Content.assemble(("depends on it: ", glyphs.MUTED), safe(gates + more, limit=500)))
    evidence = _evidence(request)
    if evidence:
        lines.append(Content.assemble(("evidence: ", glyphs.MUTED), safe(evidence, glyphs.MUTED, limit=500)))
    return Content("\n").join(lines) if lines else Content.styled("no reason given", glyphs.MUTED)


def _asked(request: RequestState) -> Iterator[Content]:
    if request.reason:
        yield safe(f'"{request.reason}"', limit=1000)
    if request.open and request.hold_over:
        words = f"no write waits: {request.hold_over}; approving lets the next try pass"
        yield safe(words, glyphs.CAUTION, limit=500)


def owner_lines(state: State, request: RequestState, now: float) -> Iterator[Content]:
    """What each owner does, and whether it is changing one of the files right now."""
    for name in request.owners:
        agent = state.agents.get(name)
        if agent is None or name == request.requester:
            continue
        wrote = _wrote(state, request, name)
        changing = wrote is not None and now - wrote < NOW_SECONDS
        words = _state_words(state, agent, now)
        if wrote is not None:
            it = "it" if len(request.paths) == 1 else "one of the files"
            since = f"wrote {it} {age(now - wrote)} ago"
            words += f"; changing {it} right now ({since})" if changing else f"; it {since}"
        style = glyphs.CAUTION if changing else ""
        yield Content.assemble(("owner: ", glyphs.MUTED), safe(f"{name} {words}", style, limit=300))


def _state_words(state: State, agent: AgentState, now: float) -> str:
    words = f"is {status_word(state, agent)}"
    if agent.status in (AgentStatus.FAILED, AgentStatus.COMPLETED, AgentStatus.STOPPED) and not agent.alive:
        words = {AgentStatus.FAILED: "has failed", AgentStatus.STOPPED: "was stopped"}.get(
            agent.status, "is done"
        )
    elif agent.status is AgentStatus.COMPLETED:
        words = "is done and serves"
    task = state.tasks.get(agent.task or "")
    if task is not None and agent.alive:
        working = words == f"is {Word.WORKING.value}"
        words += f" on {task.title or task.id}" if working else f", its task is {task.title or task.id}"
    doing = agent.doing
    if doing is not None and agent.alive and doing.activity is not Activity.DONE:
        since = f" for {age(now - doing.since)}" if doing.activity is not Activity.WORKING else ""
        words += f"; {activity_words(doing)}{since}"
    return words


def _wrote(state: State, request: RequestState, owner: str) -> float | None:
    """When the owner itself last wrote one of the paths, as far as the newest touches tell."""
    for touch in reversed(state.recent_touches):
        if touch.path in request.crossings and touch.author == owner:
            return touch.time
    return None


def _evidence(request: RequestState) -> str:
    evidence = request.evidence
    named = request.program if request.pid is None else f"pid {request.pid}"
    if request.held_until is not None and named not in evidence:
        evidence += f"{', ' if evidence else ''}now {process(request)}"
    elif request.program and request.program not in evidence:
        evidence += f"{', ' if evidence else ''}by {request.program}"
    return evidence


def owner_name(owner: str | None) -> str:
    """An owner as people read it."""
    return "you" if owner in (None, "operator") else str(owner)


def decided(request: RequestState, now: float) -> str:
    """One earlier decision, in a line: "8  capture: approved once, 12:40 ago: go on"."""
    how = {"": "", "widened": ", the plan was widened", "transferred": ", the file was transferred"}.get(
        request.means, f", {request.means}"
    )
    scope = f" {SCOPE_WORDS[request.scope]}" if request.status == "approved" else ""
    ago = "" if request.decided_at is None else f", {age(now - request.decided_at)} ago"
    ago = from_words(request.decided_from) + ago
    answer = f": {request.answer}" if request.answer else ""
    paths = ", ".join(request.paths[:_PATHS_SHOWN])
    more = f" and {len(request.paths) - _PATHS_SHOWN} more" if len(request.paths) > _PATHS_SHOWN else ""
    return f"{request.id}  {request.who}, {paths}{more}: {request.status}{scope}{how}{ago}{answer}"
