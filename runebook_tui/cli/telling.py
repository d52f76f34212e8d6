"""The commands for words between agents and the operator: tell, inbox, recommend."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from runebook_tui.cli import shapes
from runebook_tui.cli.asking import ask_engine, request_number
from runebook_tui.cli.moments import clock
from runebook_tui.core.printable import visible, visible_lines
from runebook_tui.core.speakers import ENGINE, OPERATOR

_NAMES = {OPERATOR: "you", ENGINE: "Runebook"}


def tell(arguments: Namespace) -> int:
    """Send words to agents, to the operator, or to all."""
    about = None if arguments.request is None else request_number(arguments.request)
    sent = ask_engine("tell", to=arguments.to, text=arguments.text, request=about)
    if arguments.json:
        print(shapes.dump(message_shape(sent)))
    else:
        print(f"message {sent['id']} to {visible(', '.join(sent['to']))}")
    return 0


def inbox(arguments: Namespace) -> int:
    """Show the messages that have not been read; one's own count as read from now on."""
    answer = ask_engine("inbox", agent=arguments.agent, all=arguments.all)
    messages = answer["messages"]
    if arguments.json:
        print(shapes.dump([message_shape(each) for each in messages]))
        return 0
    for each in messages:
        print(_words(each))
    if not messages:
        print("no message" if arguments.all else "no new message")
    return 0


def recommend(arguments: Namespace) -> int:
    """Say what an owner thinks of a request about its paths."""
    answer = ask_engine(
        "recommend",
        request=request_number(arguments.request),
        advice=arguments.advice,
        reason=arguments.reason,
        agent=arguments.agent,
    )
    if arguments.json:
        shape = {"id": answer["request"], **{name: answer[name] for name in ("agent", "advice", "reason")}}
        print(shapes.dump(shape))
    else:
        said = f"{answer['agent']} recommends to {answer['advice']} request {answer['request']}"
        print(f"{visible(said)}; the operator decides")
    return 0


def message_shape(message: dict[str, Any]) -> dict[str, Any]:
    """A message as `--json` gives it."""
    known = {name: message[name] for name in ("id", "from", "to", "text", "request", "read")}
    return {**known, "time": shapes.moment(message["time"])}


def _words(message: dict[str, Any]) -> str:
    sender = _NAMES.get(message["from"], str(message["from"]))
    read = ", read" if message["read"] else ""
    head = f"{message['id']}  {clock(message['time'])}  {visible(sender)}{read}"
    return "\n".join([head, *(f"    {line}" for line in visible_lines(message["text"]).split("\n"))])
