"""Bindings: the declared commands as Textual wants them, and the keys in force on a screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual.binding import Binding, BindingType
from textual.screen import Screen

from runebook_tui.tui.commands import Command, key_sign


def bindings(commands: Iterable[Command]) -> list[BindingType]:
    """The bindings of the commands that have a key; none of them reaches through a modal screen."""
    return [
        Binding(command.key, command.action, command.word, id=command.id, tooltip=command.help)
        for command in commands
        if command.key
    ]


def in_force(screen: Screen[Any], commands: Iterable[Command]) -> dict[str, str]:
    """The key of each command on a screen as people read it, after the operator's own choice of keys."""
    keys = {command.id: command.key for command in commands}
    for key, active in screen.active_bindings.items():
        name = active.binding.id
        if name in keys and key not in keys[name].split(","):
            keys[name] = key
    return {name: key_sign(key) for name, key in keys.items()}
