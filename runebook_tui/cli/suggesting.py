"""The command `suggest`: what would help by what failed here, and taking or dismissing it.

Reading asks the log and needs no engine. Nothing is ever executed: `apply` prints the snippet.
"""

from __future__ import annotations

import base64
import re
import sys
from argparse import Namespace
from typing import Any

from runebook_tui.cli import shapes
from runebook_tui.cli.asking import ask_engine
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.printable import visible, visible_lines
from runebook_tui.core.suggested import Suggestion
from runebook_tui.core.suggestions import ranked
from runebook_tui.execution import suggesting
from runebook_tui.execution.follow import open_log
from runebook_tui.log.loading import load


def suggest(arguments: Namespace) -> int:
    """Show, take or dismiss suggestions."""
    if (arguments.id is not None) != (arguments.step in ("apply", "dismiss")):
        raise CommandError("say which: `suggest apply ID` or `suggest dismiss ID`", 2)
    if arguments.step == "apply":
        return _apply(arguments)
    if arguments.step == "dismiss":
        return _dismiss(arguments)
    with open_log(root_of_plan()) as log:
        kept = load(log).suggestions
    best = ranked(kept)
    if arguments.step == "status":
        return _status(arguments, best)
    over = tuple(each for each in reversed(kept) if not each.open) if arguments.all else ()
    listed = {
        "list": (*best, *over),
        "top": best[:1],
        "last": tuple(sorted(best, key=lambda each: (each.time, each.id)))[-1:],
    }[arguments.step]
    if arguments.json:
        print(shapes.dump([suggestion_shape(suggesting.shape(each)) for each in listed]))
    else:
        print("\n".join(map(_words, listed)) or "no suggestion")
    return 0 if listed or arguments.step == "list" else 1


def suggestion_shape(given: dict[str, Any]) -> shapes.Shape:
    """A suggestion as `--json` gives it."""
    return {**given, "first": shapes.moment(given["first"]), "time": shapes.moment(given["time"])}


def number(text: str) -> int:
    """The number of a suggestion, as people write it. Raises CommandError."""
    match = re.fullmatch(r"(?:[Ss]-?)?([0-9]{1,9})", text)
    if match is None:
        raise CommandError(f"{text!r} is not the number of a suggestion", 2)
    return int(match[1])


def _status(arguments: Namespace, best: tuple[Suggestion, ...]) -> int:
    high = sum(each.priority == "high" for each in best)
    top = best[0] if best else None
    if arguments.json:
        shape = {"open": len(best), "high": high, "top": None if top is None else top.id}
        print(shapes.dump({**shape, "title": "" if top is None else top.title}))
    elif top is not None:
        count = f"{len(best)} suggestion{'s' if len(best) > 1 else ''}" + (f", {high} high" if high else "")
        print(visible(f"{count}: {top.id} {top.title}"))
    return 0


def _apply(arguments: Namespace) -> int:
    answer = ask_engine("suggestion-apply", suggestion=number(arguments.id))
    if arguments.json:
        print(shapes.dump(suggestion_shape(answer)))
    else:
        print(visible_lines(answer["snippet"] or answer["words"] or answer["title"]))
    if arguments.copy:
        _copy(answer["snippet"])
    return 0


def _copy(text: str) -> None:
    """Put `text` into the terminal's clipboard (OSC 52, as xterm's control sequences have it)."""
    if not sys.stderr.isatty():
        raise CommandError("--copy needs a terminal")
    coded = base64.b64encode(text.encode("utf-8", "replace")).decode()
    print(f"\x1b]52;c;{coded}\x07", end="", file=sys.stderr, flush=True)


def _dismiss(arguments: Namespace) -> int:
    answer = ask_engine("suggestion-dismiss", suggestion=number(arguments.id))
    if arguments.json:
        print(shapes.dump(suggestion_shape(answer)))
    else:
        print(f"suggestion {answer['id']} is dismissed")
    return 0


def _words(each: Suggestion) -> str:
    again = f", {each.count} times" if each.count > 1 else ""
    over = "" if each.open else f", {each.status}"
    sure = f"{each.kind}, {each.priority}, {each.confidence:.0%}{again}{over}"
    lines = [f"{each.id}  {visible(each.title)}  ({sure})"]
    where = each.provenance
    if where.file:
        lines.append(f"    {visible(where.file)}" + (f":{where.line}" if where.line else ""))
    lines += [f"    {line}" for line in visible_lines(each.words).split("\n") if line]
    lines += [f"    $ {line}" for line in visible_lines(each.snippet).split("\n") if line]
    return "\n".join(lines)
