"""Authority: who of those that know something of an agent is believed. The first that knows it counts.

1. Its process has ended, or the plan has not begun with it: certain.
2. A request of its own is open, and it waits for the answer: certain.
3. What its client says by its hook; of what the hook never tells, such as a no to its question, a newer
   look at its pane.
4. What the last lines of its pane say, where a rule knows them.
5. A program of the plan's that is no client for people works as long as it runs.

Else it is unknown: nothing is guessed.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from runebook_tui.core import events as e
from runebook_tui.core.activity import Activity, Doing
from runebook_tui.core.aftermath import DecisionTakenBack
from runebook_tui.core.asking import asking
from runebook_tui.core.observed import Reading
from runebook_tui.core.resuming import is_lost
from runebook_tui.core.standing import KEPT, Source, Standing, Word
from runebook_tui.core.state import AgentState, RequestState, State
from runebook_tui.core.types import AgentStatus

_SAID = {
    Activity.WORKING: Word.WORKING,
    Activity.WAITING: Word.WAITING,
    Activity.IDLE: Word.IDLE,
    Activity.LIMITED: Word.LIMITED,
    Activity.DONE: Word.UNKNOWN,
}


def standing(state: State, agent: AgentState) -> Standing:
    """What the agent does now, by the one authority that counts."""
    found = _found(state, agent)
    last = agent.standings[-1] if agent.standings else None
    since = last.since if last is not None and last.word is found.word else state.started_at
    return replace(found, since=since)


def stands(before: State, after: State, event: e.Event, time: float) -> State:
    """`after`, with the standings remembered of the agents that `event` is about."""
    for name in _about(before, after, event):
        agent = after.agents.get(name)
        if agent is None:
            continue
        now = _found(after, agent)
        last = agent.standings[-1] if agent.standings else None
        if last is not None and _same(last, now):
            continue
        kept = (*agent.standings, replace(now, since=time))[-KEPT:]
        fresh = replace(agent, standings=kept, snoozed_until=None)
        after = replace(after, agents=MappingProxyType({**after.agents, name: fresh}))
    return after


def _same(last: Standing, now: Standing) -> bool:
    """Whether nothing has changed: another question of the same kind is another call."""
    if last.word is not now.word:
        return False
    return not now.calls or (last.rule, last.line, last.request) == (now.rule, now.line, now.request)


def _about(before: State, after: State, event: e.Event) -> tuple[str, ...]:
    match event:
        case e.RunStarted() | e.PlanChanged() | e.Touched():
            return ()
        case (
            e.CoordinationRequest()
            | e.HoldStarted()
            | e.HoldEnded()
            | e.RequestWithdrawn()
            | e.CoordinationResponse()
            | DecisionTakenBack()
        ):
            known = (state.requests.get(event.request) for state in (before, after))
            return tuple(dict.fromkeys(each.requester for each in known if each and each.requester))
        case _:
            agent = getattr(event, "agent", None)
            return (agent,) if isinstance(agent, str) else ()


def _found(state: State, agent: AgentState) -> Standing:
    match agent.status:
        case AgentStatus.PENDING | AgentStatus.WAITING:
            waits = agent.reason or f"phase {agent.spec.phase}"
            return Standing(Word.PENDING, Source.PLAN, "what it waits for", waits)
        case AgentStatus.STARTING:
            return Standing(Word.STARTING, Source.PLAN, "nothing holds it back", agent.reason)
        case AgentStatus.FAILED:
            return _failed(agent)
        case AgentStatus.STOPPED:
            return Standing(Word.STOPPED, Source.PLAN, "it was stopped", agent.reason)
        case AgentStatus.COMPLETED:
            word = Word.DONE if not agent.alive else Word.FINALIZING if agent.finalizing else Word.SERVING
            if agent.alive or agent.code is None:
                return Standing(word, Source.PLAN, "its tasks are done", agent.reason)
            return Standing(word, Source.PROCESS, "exit status", f"exit {agent.code}")
        case AgentStatus.RUNNING:
            return _at_work(state, agent)


def _failed(agent: AgentState) -> Standing:
    if is_lost(agent):
        return Standing(Word.LOST, Source.PROCESS, "its pane is gone", agent.reason)
    if agent.code is None and agent.signal is None:
        return Standing(Word.FAILED, Source.PLAN, "why it failed", agent.reason)
    end = f"exit {agent.code}" if agent.signal is None else f"signal {agent.signal}"
    return Standing(Word.FAILED, Source.PROCESS, "exit status", agent.reason or end)


def _at_work(state: State, agent: AgentState) -> Standing:
    request = asking(state, agent.id)
    if request is not None:
        return _blocked(request)
    if agent.finalizing:
        return Standing(Word.FINALIZING, Source.PLAN, "it was told to finalize")
    doing, reading = _said(agent), _seen(agent)
    if doing is not None and not (reading and _newer(reading, doing) and _beside(reading, doing)):
        how = "it has ended its session" if doing.activity is Activity.DONE else f"{doing.client} says it"
        return Standing(_SAID[doing.activity], Source.HOOK, how, doing.about)
    if reading is not None and reading.word is not None:
        return Standing(reading.word, Source.PANE, reading.rule, reading.line)
    if agent.spec.client is not None:
        return Standing(Word.UNKNOWN, Source.PANE, "no hook has spoken, and no rule knows its last lines")
    return Standing(Word.WORKING, Source.PROCESS, "its program runs")


def _blocked(request: RequestState) -> Standing:
    words = f"request {request.id}: {request.paths[0] if request.paths else request.reason}"
    if request.hook:
        return Standing(Word.BLOCKED, Source.HOOK, "an edit that waits", words, request=request.id)
    if request.held_until is not None:
        return Standing(Word.BLOCKED, Source.GATE, "a write that waits", words, request=request.id)
    return Standing(Word.BLOCKED, Source.REQUEST, "it asked", words, request=request.id)


def _said(agent: AgentState) -> Doing | None:
    """What its client has said since it was started."""
    doing = agent.doing
    fresh = doing is not None and (agent.started_at is None or doing.since >= agent.started_at)
    return doing if fresh else None


def _seen(agent: AgentState) -> Reading | None:
    """What its pane has said since it was started."""
    reading = agent.observed
    return None if reading is None or reading.word is None else reading


def _beside(reading: Reading, doing: Doing) -> bool:
    """Whether the pane counts beside the hook: of what the hook never tells, such as a no to its dialog."""
    answered = doing.activity is Activity.WAITING and reading.word in (Word.IDLE, Word.WORKING)
    return reading.unhooked or answered


def _newer(reading: Reading, doing: Doing) -> bool:
    return reading.since is not None and reading.since >= doing.since
