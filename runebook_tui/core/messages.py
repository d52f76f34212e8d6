"""Messages: words from one agent or person to others, kept in the log and delivered to their readers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

from runebook_tui.core.fact import Fact
from runebook_tui.core.printable import visible
from runebook_tui.core.secrets import without_secrets
from runebook_tui.core.state import Message, State
from runebook_tui.core.types import ENGINE, OPERATOR

EVERYBODY = "all"
"""Every agent of the plan, as a reader."""

KEPT = 200
"""How many messages the state remembers."""

MOST_CHARACTERS = 4000
"""How long the text of a message may be."""

MOST_A_MINUTE = 20
"""How many messages one agent may send within a minute: a loop must not fill the log."""


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
    """How: "hook", "mcp", "prompt", "typed", "command"."""


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


def cleaned(text: str, limit: int = MOST_CHARACTERS) -> str:
    """`text` without what looks like a secret, and with what is no text as visible symbols, line by line."""
    lines = without_secrets(text, limit).replace("\r\n", "\n").split("\n")
    return "\n".join(visible(line.expandtabs(4)) for line in lines)


def why_not(state: State, command: SendMessage, now: float) -> str:
    """Why the message is not sent, in words; "" when it is. People and the engine may always send."""
    if len(command.text) > MOST_CHARACTERS:
        return f"a message has at most {MOST_CHARACTERS} characters, not {len(command.text)}"
    if command.sender in (OPERATOR, ENGINE):
        return ""
    recent = sum(each.sender == command.sender and 0 <= now - each.time < 60 for each in state.messages)
    if recent < MOST_A_MINUTE:
        return ""
    return f"{command.sender} has sent {recent} messages within a minute: wait before the next"


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
            kept = _kept((*state.messages, message))
            return replace(state, messages=kept, last_message=max(state.last_message, event.message))
        case MessageDelivered():
            return replace(
                state,
                messages=tuple(
                    replace(each, read=each.read | {event.reader}) if each.id in event.messages else each
                    for each in state.messages
                ),
            )


def _kept(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """At most KEPT: the oldest that all its readers have goes first, else the oldest of who sent most."""
    if len(messages) <= KEPT:
        return messages
    gone = next((each for each in messages[:-1] if set(each.to) <= each.read), None)
    if gone is None:
        most = Counter(each.sender for each in messages).most_common(1)[0][0]
        gone = next(each for each in messages if each.sender == most)
    return tuple(each for each in messages if each is not gone)


def unread(state: State, reader: str) -> tuple[Message, ...]:
    """What `reader` has not been given yet, oldest first."""
    return tuple(
        each
        for each in state.messages
        if reader not in each.read and each.sender != reader and (reader in each.to or EVERYBODY in each.to)
    )
