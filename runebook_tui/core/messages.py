"""Messages: words from one agent or person to others, kept in the log and delivered to their readers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from runebook_tui.core.fact import Fact
from runebook_tui.core.state import Message, State

EVERYBODY = "all"
"""Every agent of the plan, as a reader."""

KEPT = 200
"""How many messages the state remembers."""


class MessageSent(Fact):
    """Words were sent. The readers are told when their client next listens."""

    type: Literal["MessageSent"] = "MessageSent"
    message: int
    """Its number, from 1, over all runs."""
    sender: str
    """OPERATOR, ENGINE or an agent's id."""
    to: tuple[str, ...]
    """Agents' ids, OPERATOR, or EVERYBODY."""
    text: str
    request: int | None = None
    """The request that it is about."""


class MessageDelivered(Fact):
    """A reader was given messages."""

    type: Literal["MessageDelivered"] = "MessageDelivered"
    reader: str
    messages: tuple[int, ...]
    by: str
    """How: "hook", "mcp", "prompt", "command"."""


@dataclass(frozen=True)
class SendMessage:
    """Send `text` to others."""

    sender: str
    to: tuple[str, ...]
    text: str
    request: int | None = None


@dataclass(frozen=True)
class ReportDelivered:
    """A reader was given messages."""

    reader: str
    messages: tuple[int, ...]
    by: str


def sent(
    state: State, sender: str, to: tuple[str, ...], text: str, request: int | None = None
) -> MessageSent:
    """The event of one more message."""
    return MessageSent(message=state.last_message + 1, sender=sender, to=to, text=text, request=request)


def delivered(state: State, command: ReportDelivered) -> tuple[MessageDelivered, ...]:
    """The event that `command` brings about: only of what the reader had not been given."""
    new = {each.id for each in unread(state, command.reader)}
    fresh = tuple(each for each in command.messages if each in new)
    return (MessageDelivered(reader=command.reader, messages=fresh, by=command.by),) if fresh else ()


def applied(state: State, event: MessageSent | MessageDelivered, time: float) -> State:
    """The state after a message was sent or delivered."""
    match event:
        case MessageSent():
            message = Message(event.message, event.sender, event.to, event.text, time, event.request)
            newest = (*state.messages, message)[-KEPT:]
            return replace(state, messages=newest, last_message=max(state.last_message, event.message))
        case MessageDelivered():
            return replace(
                state,
                messages=tuple(
                    replace(each, read=each.read | {event.reader}) if each.id in event.messages else each
                    for each in state.messages
                ),
            )


def unread(state: State, reader: str) -> tuple[Message, ...]:
    """What `reader` has not been given yet, oldest first."""
    return tuple(
        each
        for each in state.messages
        if reader not in each.read and each.sender != reader and (reader in each.to or EVERYBODY in each.to)
    )
