"""Words: requests, agents, phases and changes in sentences that sound right when they are read aloud.

What matters most comes first, times last; no sign stands for a word. Everything others wrote is made safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runebook_tui.core.authority import standing
from runebook_tui.core.calls import Call
from runebook_tui.core.gates import agent_unmet, phase_unmet
from runebook_tui.core.needs import Need, counts, needs
from runebook_tui.core.printable import visible
from runebook_tui.core.questions import Question
from runebook_tui.core.reviews import words as advice
from runebook_tui.core.sentences import KIND_WORDS, SCOPE_WORDS, process
from runebook_tui.core.snoozing import is_snoozed
from runebook_tui.core.standing import explained
from runebook_tui.core.state import AgentState, RequestState, State
from runebook_tui.core.suggested import Suggestion
from runebook_tui.core.types import OPERATOR, AgentStatus, TaskStatus

_TEXT = 500
_PATHS = 10
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def span(seconds: float) -> str:
    """How long: "14 seconds", "2 minutes", "1 hour 5 minutes", "3 days"."""
    left = max(0, round(seconds))
    found = []
    for size, name in _UNITS:
        count, left = divmod(left, size)
        if count:
            found.append(f"{count} {name}{'' if count == 1 else 's'}")
        if found and size in (86_400, 60) or len(found) == 2:
            break
    return " ".join(found) or "no time"


def listed(words: Sequence[str]) -> str:
    """Several, as people say them: "one, two and three"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def owner(name: str) -> str:
    """Who owns a path."""
    return "you" if name == OPERATOR else name


def request_words(request: RequestState) -> str:
    """Who wants what of whom: "request 12: alpha wants to write src/b.py, which beta owns"."""
    paths = request.paths or ("nothing",)
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    whose = listed([owner(each) for each in request.owners])
    owns = f", which {whose} own{'s' if len(request.owners) == 1 and whose != 'you' else ''}" if whose else ""
    lane = f", in the worktree of {request.lane}" if request.lane else ""
    return visible(
        f"request {request.id}: {request.who} {KIND_WORDS[request.kind]} {paths[0]}{more}{owns}{lane}", _TEXT
    )


def waiting_words(request: RequestState, now: float) -> str:
    """How long it is open, and when it is refused by itself."""
    if request.held_until is not None:
        return f"the write waits, and is refused in {span(request.held_until - now)}"
    return f"open for {span(now - request.opened_at)}"


def request_line(request: RequestState, now: float) -> str:
    """One request in one line."""
    said = f", saying: {visible(request.reason, _TEXT)}" if request.reason else ""
    return f"{request_words(request)}{said}; {waiting_words(request, now)}"


def request_details(request: RequestState, now: float) -> Iterator[str]:
    """All that is known of a request but for its difference, a line each."""
    yield request_line(request, now)
    for path in request.paths[1:_PATHS]:
        yield f"also {visible(path, _TEXT)}"
    if len(request.paths) > _PATHS:
        yield f"and {len(request.paths) - _PATHS} more files"
    if request.pid is not None or request.program:
        yield f"by {visible(process(request), _TEXT)}"
    if request.evidence:
        yield f"evidence: {visible(request.evidence, _TEXT)}"
    if request.open and request.hold_over:
        yield visible(
            f"no write waits any more: {request.hold_over}; approving lets the next try pass", _TEXT
        )
    yield from (visible(line, _TEXT) for line in advice(request))
    if not request.open:
        scope = f" {SCOPE_WORDS[request.scope]}" if request.status == "approved" else ""
        yield visible(f"it is {request.status}{scope}{_because(request.answer)}", _TEXT)


def question_line(asked: Question, now: float) -> str:
    """What an agent's client asks in its pane."""
    since = "" if asked.since is None else f"; for {span(now - asked.since)}"
    return f"{asked.agent} asks in its pane: {visible(asked.words, _TEXT)}{since}"


def need_line(state: State, need: Need, now: float) -> str:
    """One who needs the operator."""
    if need.request is not None:
        return request_line(state.requests[need.request], now)
    return agent_line(state, state.agents[need.agent], now)


def call_line(state: State, call: Call, now: float) -> str:
    """What the operator is told of unasked."""
    request = None if call.request is None else state.requests.get(call.request)
    return call.words if request is None else request_line(request, now)


def agent_line(state: State, agent: AgentState, now: float) -> str:
    """What an agent does, its tasks, and for how long: "alpha: working, 1 of 2 tasks done; 4 minutes"."""
    stands = standing(state, agent)
    parts = [f"{agent.id}: {stands.word}"]
    if is_snoozed(agent, now):
        parts.append("its call is put off")
    if stands.calls and stands.line:
        parts.append(visible(stands.line, _TEXT))
    if agent.status in (AgentStatus.PENDING, AgentStatus.WAITING):
        missing = listed(agent_unmet(state, agent))
        parts += [f"waits for {visible(missing, _TEXT)}"] if missing else []
    tasks = state.tasks_of(agent.id)
    if tasks:
        done = sum(task.status is TaskStatus.COMPLETED for task in tasks)
        parts.append(f"{done} of {len(tasks)} tasks done")
    since = "" if stands.since is None else f"; {span(now - stands.since)}"
    return f"{', '.join(parts)}{since}"


def why_lines(state: State, agent: AgentState, now: float) -> Iterator[str]:
    """What an agent does, how that is known, and what it did before."""
    yield agent_line(state, agent, now)
    yield visible(explained(standing(state, agent)), _TEXT)
    for each in reversed(agent.standings[:-1]):
        yield visible(f"before: {each.word}; {explained(each)}", _TEXT)


def phase_lines(state: State) -> Iterator[str]:
    """Each phase, what it waits for, and who works in it; then the interfaces."""
    for phase in state.phases.values():
        spec = state.plan.phase(phase.id)
        missing = () if spec is None else phase_unmet(state, spec)
        waits = f", waits for {listed(missing)}" if missing and phase.status == "pending" else ""
        agents = listed([f"{each.id} {standing(state, each).word}" for each in state.agents_of(phase.id)])
        yield visible(f"phase {phase.id}: {phase.status}{waits}; {agents or 'no agents'}", _TEXT)
    for interface in state.plan.interfaces:
        api = state.apis.get(interface.name)
        done = "not published" if api is None else f"published, version {api.version}"
        yield visible(f"interface {interface.name} of {interface.owner}: {done}; {interface.path}", _TEXT)


def status_lines(state: State, alive: bool, now: float) -> Iterator[str]:
    """The plan, how many do what, and who needs the operator."""
    ended = f", {state.outcome}{_because(state.outcome_reason)}" if state.outcome else ""
    run = f"run {state.run}{ended}" if state.run else "nothing has run yet"
    engine = "the engine runs" if alive else "no engine runs: start the engine brings one"
    yield visible(f"plan {state.plan.plan.name}, {run}; {engine}", _TEXT)
    if state.watch_blind:
        yield visible(f"the live watch is blind: {state.watch_blind}", _TEXT)
    yield (
        listed([f"{count} {word}" for word, count in counts(state, now).items()]) or "the plan has no agents"
    )
    yield needs_words(state, now)


def needs_words(state: State, now: float) -> str:
    """How much waits for the operator."""
    waiting = needs(state, now)
    requests = sum(each.request is not None for each in waiting)
    agents = len(waiting) - requests
    said = [
        f"{n} {name}{'' if n == 1 else 's'}" for n, name in ((requests, "request"), (agents, "agent")) if n
    ]
    if not said:
        return "nobody needs you"
    return f"{listed(said)} need{'s' if len(waiting) == 1 else ''} you: next goes to the first"


def suggestion_lines(suggestion: Suggestion) -> Iterator[str]:
    """A suggestion: what it says, its text, and who says so."""
    yield visible(f"suggestion {suggestion.id}: {suggestion.title}; by {suggestion.agent}", _TEXT)
    if suggestion.words:
        yield visible(suggestion.words, _TEXT)
    yield from (f"text: {visible(line, _TEXT)}" for line in suggestion.snippet.splitlines()[:_PATHS])


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
