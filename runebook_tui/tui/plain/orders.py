"""Orders: a typed line, understood as one of the declared commands and what it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from runebook_tui.core.printable import visible
from runebook_tui.tui import modes
from runebook_tui.tui.commands import Command, key_sign
from runebook_tui.tui.keys import plain

_SHOWN = 60


class NotUnderstoodError(Exception):
    """The line is no command; the text is one line for people."""


@dataclass(frozen=True)
class Form:
    """A command as it is typed: its id, what follows its word, and other words for it."""

    id: str
    takes: str = ""
    names: tuple[str, ...] = ()


FORMS = (
    Form("request.next"),
    Form("request.open", "[REQUEST]", ("diff", "show")),
    Form("request.approve", "[REQUEST or AGENT] [REASON]", ("yes",)),
    Form("request.reject", "[REQUEST or AGENT] [REASON]", ("no",)),
    Form("request.undo", "[REQUEST]", ("undo",)),
    Form("request.mine", "[REQUEST]", ("mine",)),
    Form("request.take_back", names=("take-back",)),
    Form("card.task", "[REQUEST]"),
    Form("card.plan", "[REQUEST]"),
    Form("card.hand_over", "[REQUEST] [REASON]"),
    Form("plain.agents"),
    Form("agent.why", "AGENT"),
    Form("agent.say", "AGENT,AGENT or all, then TEXT"),
    Form("agent.snooze", "AGENT"),
    Form("agent.restart", "AGENT"),
    Form("agent.resume", names=("resume",)),
    Form("agent.stop", "AGENT"),
    Form("mode.cockpit", names=("status",)),
    Form("mode.requests"),
    Form("mode.files", "TEXT"),
    Form("mode.suggestions"),
    Form("suggestion.take", "NUMBER"),
    Form("suggestion.dismiss", "NUMBER"),
    Form("mode.plan", names=("phases",)),
    Form("mode.panes", "AGENT", ("pane",)),
    Form("look.log", "[HOW MANY]", ("timeline",)),
    Form("look.away", names=("away",)),
    Form("plain.hear", "all, or calls"),
    Form("run.engine", names=("start",)),
    Form("run.new"),
    Form("run.down"),
    Form("help"),
    Form("quit", names=("leave", "exit")),
)
"""What can be typed, in the order in which the help tells it."""


@dataclass(frozen=True)
class Order:
    """A command's id, and the rest of the line."""

    id: str
    rest: str = ""


def declared() -> dict[str, Command]:
    """The commands of FORMS, by id."""
    known = {each.id: each for each in (*modes.everything(), *plain.TABLE)}
    return {form.id: known[form.id] for form in FORMS}


def letter(command: Command, keys: Mapping[str, str]) -> str:
    """The one letter or sign that stands for the command, in the person's own choice of `keys`; or ""."""
    signs = (key_sign(key) for key in keys.get(command.id, command.key).split(",") if key)
    return next((sign for sign in signs if len(sign) == 1 and sign.isascii()), "")


def understood(line: str, keys: Mapping[str, str]) -> Order | None:
    """What a typed line asks for; None for an empty one. Raises NotUnderstoodError.

    A word may be as long as `reject and undo`; case counts in single letters only, as with keys.
    """
    words = line.split()
    if not words:
        return None
    named = _names()
    for count in range(min(4, len(words)), 0, -1):
        name = " ".join(words[:count]).casefold()
        if len(name) > 1 and name in named:
            return Order(named[name], _after(line, count))
    for id, command in declared().items():
        if letter(command, keys) == words[0]:
            return Order(id, _after(line, 1))
    near = get_close_matches(words[0].casefold(), [name for name in named if len(name) > 1], n=1)
    meant = f"did you mean {near[0]}?" if near else "help lists what there is"
    raise NotUnderstoodError(f"{visible(words[0], _SHOWN)} is no command here; {meant}")


def help_lines(keys: Mapping[str, str]) -> Iterator[str]:
    """Every command: its word and what follows, its letter, and what it does."""
    known = declared()
    for form in FORMS:
        command = known[form.id]
        takes = f" {form.takes}" if form.takes else ""
        sign = letter(command, keys)
        other = [f"or {each}" for each in ((sign,) if sign else ()) + form.names]
        yield f"{', '.join([f'{command.word}{takes}', *other])}: {command.help}"


def _names() -> dict[str, str]:
    known = declared()
    return {name.casefold(): form.id for form in FORMS for name in (*form.names, known[form.id].word)}


def _after(line: str, count: int) -> str:
    """The line after its first `count` words, as it was typed."""
    parts = line.split(maxsplit=count)
    return parts[count].strip() if len(parts) > count else ""
