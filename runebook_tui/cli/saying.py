"""The commands that speak to agents for the operator: say, answer."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from runebook_tui.cli import shapes
from runebook_tui.cli.asking import ask_engine, show
from runebook_tui.cli.place import CommandError
from runebook_tui.core.printable import visible
from runebook_tui.core.speech import MOST_BYTES

_TYPING_SECONDS = 120.0
_OUTCOMES = {"submitted": "has it", "typed": "was typed to, but not submitted", "held": "was not typed to"}


def say(arguments: Namespace) -> int:
    """Type words into agents' panes and submit them; 1 unless all have them."""
    answer = ask_engine(
        "say",
        patience=_TYPING_SECONDS,
        agents=arguments.agents,
        text=_text(arguments.text),
        force=arguments.force,
    )
    said = answer["said"]
    print(shapes.dump(said) if arguments.json else "\n".join(visible(_words(each)) for each in said))
    return 0 if all(each["outcome"] == "submitted" for each in said) else 1


def answer(arguments: Namespace) -> int:
    """Answer what an agent's client asks of its user."""
    told = ask_engine("answer", patience=_TYPING_SECONDS, agent=arguments.agent, answer=arguments.answer)
    shape = {"id": told["agent"], **{name: told[name] for name in ("question", "answer", "by")}}
    show(arguments, shape, f"{told['agent']} was answered {told['answer']}: {told['question']}")
    return 0


def _text(given: str) -> str:
    """The text, or what standard input holds. Raises CommandError."""
    if given != "-":
        return given
    try:
        return sys.stdin.buffer.read(MOST_BYTES + 1).decode()
    except UnicodeDecodeError:
        raise CommandError("standard input is not UTF-8", 2) from None


def _words(said: dict[str, Any]) -> str:
    return f"{said['id']} {_OUTCOMES[said['outcome']]}: {said['why']}"
