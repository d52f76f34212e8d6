"""Routing: to which host's engine a message belongs, where a plan names several.

What is about files and panes is done where they are; what is about the plan's file, on the leading host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from runebook_tui.core.hosts import host_of_agent, host_of_request, host_of_undo, hosts, leading
from runebook_tui.core.messages import EVERYBODY
from runebook_tui.core.state import State
from runebook_tui.execution.errands import SECONDS, Errands

Answer = dict[str, Any]
Here = Callable[[Answer], Awaitable[Answer]]

_BY_REQUEST = frozenset({"approve", "reject", "disown", "undo", "preview", "diff", "heads", "seen"})
_BY_AGENT = frozenset({"restart", "stop", "snooze", "lane-remove", "publish", "answer", "frame"})
_BY_PLAN = frozenset({"amend", "amend-preview", "dismiss-lesson", "new-run"})
FORWARDED = _BY_REQUEST | _BY_AGENT | _BY_PLAN | {"take-back", "restore", "say"}
"""What an engine does for the operator of another host."""

_TYPING_SECONDS = 110.0
_FILES_SECONDS = 590.0


async def routed(state: State, host: str, errands: Errands | None, message: Answer, here: Here) -> Answer:
    """The answer to the operator's message, from the engine that it belongs to; `here` is this one's.

    One that is about requests or agents of several hosts is answered by each for its part.
    Raises Refused, LogError.
    """
    if errands is None or hosts(state.plan) == (host,):
        return await here(message)
    seconds = patience(message)

    async def at(where: str, part: Answer) -> Answer:
        return await (here(part) if where == host else errands.ask(where, part, seconds))

    parts = _parts(state, message)
    if parts is None:
        where = destination(state, message)
        return await at(host if where is None else where, message)
    answers = [await at(where, part) for where, part in parts.items()]
    return _joined(answers)


def destination(state: State, message: Answer) -> str | None:
    """The host that a message belongs to; None when any may answer it."""
    do, known = message.get("do"), state.requests.get(_number(message.get("request")))
    if do in _BY_REQUEST:
        if known is None:
            return None
        widens = do == "preview" or message.get("means") in ("widened", "transferred")
        return leading(state.plan) if widens else host_of_request(state, known)
    if do in _BY_PLAN:
        return leading(state.plan)
    if do == "take-back":
        last = state.last_decision
        first = None if last is None else state.requests.get(last.requests[0])
        if last is not None and last.plan_before:
            return leading(state.plan)
        return None if first is None else host_of_request(state, first)
    if do == "restore":
        return host_of_undo(state, str(message.get("undo")))
    if do == "publish":
        interface = state.plan.interface(str(message.get("api")))
        return None if interface is None else host_of_agent(state, interface.owner)
    return host_of_agent(state, str(message.get("agent"))) if do in _BY_AGENT else None


def patience(message: Answer) -> float:
    """How long the answer of another host is waited for, in seconds."""
    if message.get("do") in ("say", "answer"):
        return _TYPING_SECONDS
    long = message.get("do") in ("undo", "restore", "take-back", "publish")
    return _FILES_SECONDS if long or message.get("undo") or message.get("means") else SECONDS


def _parts(state: State, message: Answer) -> dict[str, Answer] | None:
    """The message as each host is to have it; None when it names no several things."""
    do = message.get("do")
    field = "requests" if do in ("approve", "reject") else "agents" if do == "say" else ""
    named = message.get(field)
    if not field or not isinstance(named, list) or not named:
        return None
    if field == "agents" and EVERYBODY in named:
        named = [agent.id for agent in state.live_agents()]
    by_host: dict[str, list[Any]] = {}
    for each in named:
        if field == "agents":
            where = host_of_agent(state, str(each))
        else:
            request = state.requests.get(_number(each))
            where = None if request is None else host_of_request(state, request)
        by_host.setdefault(leading(state.plan) if where is None else where, []).append(each)
    return {host: {**message, field: those} for host, those in by_host.items()}


def _joined(answers: list[Answer]) -> Answer:
    """Several answers as one: their lists and tables put together."""
    whole: Answer = {}
    for answer in answers:
        for name, value in answer.items():
            if isinstance(value, list):
                whole[name] = [*whole.get(name, []), *value]
            elif isinstance(value, dict):
                whole[name] = {**whole.get(name, {}), **value}
            else:
                whole[name] = value
    return whole


def _number(value: object) -> int:
    return value if type(value) is int else 0
