"""The mailbox: what agents and the operator say to each other by the engine's socket, and who has got it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from runebook_tui.core import commands as c
from runebook_tui.core.messages import (
    EVERYBODY,
    MOST_CHARACTERS,
    ReportDelivered,
    SendMessage,
    cleaned,
    unread,
)
from runebook_tui.core.reviews import Recommend
from runebook_tui.core.state import Message, State
from runebook_tui.core.types import ENGINE, OPERATOR
from runebook_tui.execution import wire
from runebook_tui.execution.server import Connection
from runebook_tui.orchestrator.coordinator import Refused

Answer = dict[str, Any]
Verb = Callable[[Connection, Answer], Awaitable[Answer]]

MOST_TOLD = 8000
"""Characters that a hook tells at once (Claude Code takes 10,000); what is left comes with the next."""
_WAYS = ("command", "mcp")


class Host(Protocol):
    """What the mailbox needs of the runner."""

    @property
    def state(self) -> State:
        """The state now."""

    async def handle(self, command: c.Command, actor: str) -> object:
        """Carry out a command. Raises Refused, LogError."""


class Mailbox:
    """Answers the verbs `tell`, `inbox` and `recommend`, and gives hooks what is unread."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.verbs: Mapping[str, Verb] = {
            "tell": self._tell,
            "inbox": self._inbox,
            "recommend": self._recommend,
        }

    async def take(self, agent: str, by: str) -> str:
        """What `agent` has not read, in words, and from now on has; "" when there is nothing."""
        given = portion(unread(self._host.state, agent))
        if given:
            await self._deliver(agent, given, by)
        return told(given)

    async def decided(self, agent: str, request: int) -> None:
        """`agent` has been answered about its request otherwise: the notice of it has nothing new."""
        notices = [
            each
            for each in unread(self._host.state, agent)
            if (each.sender, each.request) == (ENGINE, request)
        ]
        if notices:
            await self._deliver(agent, notices, "command")

    async def _deliver(self, reader: str, messages: list[Message], by: str) -> None:
        await self._host.handle(ReportDelivered(reader, tuple(each.id for each in messages), by), reader)

    async def _tell(self, connection: Connection, message: Answer) -> Answer:
        """Nobody speaks in another's name, the operator neither."""
        sender = connection.speaker.agent or OPERATOR
        if message.get("agent") not in (None, sender):
            raise Refused(f"{sender} cannot speak for {message['agent']}")
        to = tuple(dict.fromkeys(wire.texts_field(message, "to", limit=100)))
        text = cleaned(wire.text_field(message, "text", limit=MOST_CHARACTERS))
        about = wire.number_field(message, "request") if message.get("request") is not None else None
        await self._host.handle(SendMessage(sender, to, text, about), sender)
        return shape(self._host.state.messages[-1], sender)

    async def _inbox(self, connection: Connection, message: Answer) -> Answer:
        """The reader's own messages count as given; the operator may look at an agent's without that."""
        named, own = message.get("agent"), connection.speaker.agent
        reader = connection.speaks_for(named, OPERATOR)
        state = self._host.state
        if reader not in (OPERATOR, *state.agents):
            raise Refused(f"the plan has no agent {reader!r}")
        fresh = unread(state, reader)
        whole = message.get("all") is True
        listed = tuple(each for each in state.messages if is_to(each, reader)) if whole else fresh
        answer = {"reader": reader, "messages": [shape(each, reader) for each in listed]}
        if fresh and reader == (own or OPERATOR):
            by = wire.text_field(message, "by", default="command", limit=16)
            await self._deliver(reader, list(fresh), by if by in _WAYS else "command")
        return answer

    async def _recommend(self, connection: Connection, message: Answer) -> Answer:
        agent = connection.speaks_for(message.get("agent"))
        number = wire.number_field(message, "request")
        advice = wire.text_field(message, "advice", limit=16)
        if advice not in ("approve", "reject"):
            raise wire.WireError("recommend approve or reject")
        reason = cleaned(wire.text_field(message, "reason", default="", limit=2000))
        await self._host.handle(
            Recommend(agent, number, "approve" if advice == "approve" else "reject", reason),
            connection.speaker.name or agent,
        )
        return {"request": number, "agent": agent, "advice": advice, "reason": reason}


def is_to(message: Message, reader: str) -> bool:
    """Whether `reader` is meant."""
    return message.sender != reader and (reader in message.to or EVERYBODY in message.to)


def shape(message: Message, reader: str) -> Answer:
    """A message as the socket gives it; `time` in unix seconds."""
    return {
        "id": message.id,
        "from": message.sender,
        "to": list(message.to),
        "text": message.text,
        "request": message.request,
        "time": message.time,
        "read": reader in message.read,
    }


def portion(messages: Iterable[Message]) -> list[Message]:
    """As many of the messages as are told at once, the first ones."""
    given: list[Message] = []
    size = 0
    for message in messages:
        size += len(message.text) + 100
        if given and size > MOST_TOLD:
            break
        given.append(message)
    return given


def told(messages: list[Message]) -> str:
    """Messages as a model reads them; "" for none."""
    if not messages:
        return ""
    parts = [f"Runebook: {len(messages)} message{'s' if len(messages) > 1 else ''} for you."]
    for each in messages:
        sender = {OPERATOR: "the operator", ENGINE: "Runebook"}.get(each.sender, f"the agent {each.sender}")
        parts.append(f"From {sender} (message {each.id}): {each.text}")
    return "\n".join(parts)
