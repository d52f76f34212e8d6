"""The command that takes back what a request had written, and brings it back."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runebook_tui.cli import shapes
from runebook_tui.cli.asking import ask_engine, request_number
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.printable import visible

if TYPE_CHECKING:
    from runebook_tui.core.state import State

PATIENCE = 600.0


def undo(arguments: Namespace) -> int:
    """Take back what a request had written, bring back what an undo removed, or list the undos."""
    root = root_of_plan()
    chosen = [arguments.request is not None, arguments.restore is not None, arguments.list]
    if sum(chosen) != 1:
        raise CommandError("say the number of a request, or --restore UNDO-ID, or --list", 2)
    if arguments.list:
        return _list(arguments, root)
    if arguments.restore is not None:
        answer = ask_engine("restore", root, patience=PATIENCE, undo=_undo_name(arguments.restore))
    else:
        answer = ask_engine("undo", root, patience=PATIENCE, request=request_number(arguments.request))
    return show(arguments, root, answer, restored=arguments.restore is not None)


def show(arguments: Namespace, root: Path, answer: dict[str, Any], *, restored: bool) -> int:
    """Print what became of an undo or a restore; the exit status: 1 when any path was refused."""
    from runebook_tui.cli import words

    refused: dict[str, str] = answer["refused"]
    if arguments.json:
        print(shapes.dump(shapes.undo_shape(_state(root).undos[answer["undo"]], refused)))
    elif answer["done"]:
        print(words.undo_words(answer["undo"], answer["done"], answer["patch"], restored=restored))
    patch = answer["patch"] if restored else answer["refused_patch"]
    for path, reason in refused.items():
        kept = f"; the change is kept in {patch}" if patch else ""
        verb = "restored" if restored else "undone"
        print(f"runebook-tui: not {verb}: {visible(path)}: {visible(reason)}{kept}", file=sys.stderr)
    return 1 if refused else 0


def _list(arguments: Namespace, root: Path) -> int:
    from runebook_tui.cli import words

    undos = list(_state(root).undos.values())
    if arguments.json:
        print(shapes.dump([shapes.undo_shape(each) for each in undos]))
        return 0
    for each in undos:
        print(words.undo_line(each))
    if not undos:
        print("nothing was undone")
    return 0


def _state(root: Path) -> State:
    from runebook_tui.execution.follow import open_log
    from runebook_tui.log.loading import load

    log = open_log(root)
    try:
        return load(log)
    finally:
        log.close()


def _undo_name(text: str) -> str:
    number = text.lower().removeprefix("u").removeprefix("-")
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        raise CommandError(f"{text!r} is not the id of an undo, such as u1", 2)
    return f"u{int(number)}"
