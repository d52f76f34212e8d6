"""Modes: the screens that the number keys go to, each with its commands and where its screen is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

from runebook_tui.core.printable import visible
from runebook_tui.tui import commands
from runebook_tui.tui.commands import Command
from runebook_tui.tui.keys import files, pane, panes, plan, requests, suggestions, timeline

if TYPE_CHECKING:
    from runebook_tui.tui.backend import Backend
    from runebook_tui.tui.screens.mode import ModeScreen


@dataclass(frozen=True)
class Mode:
    """One mode: its id, which is its module below `screens`, its name, and what it shows, in a few words."""

    id: str
    key: str
    help: str
    screen: str = ""
    """The screen's class in that module; "" of the cockpit, which the program starts with."""
    table: tuple[Command, ...] = ()
    """The commands that only this mode has."""
    common: tuple[Command, ...] = ()
    """The commands that it has in common with other screens, where these are not every mode's."""

    def load(self) -> Callable[[Backend, Callable[[], float]], ModeScreen]:
        """The class of the screen, imported when it is first wanted."""
        found = getattr(import_module(f"runebook_tui.tui.screens.{self.id}"), self.screen)
        return found  # type: ignore[no-any-return]


COCKPIT = Mode(
    "cockpit",
    "1",
    "who needs you, what everybody does, where the plan is",
    common=commands.COCKPIT,
)

MODES: tuple[Mode, ...] = (
    COCKPIT,
    Mode(
        "requests",
        "2",
        "who asks for what, with the diff; what was decided",
        "RequestsScreen",
        requests.TABLE,
        requests.COMMON,
    ),
    Mode("files", "3", "every file: whose it is, who changed it, and when", "FilesScreen", files.TABLE),
    Mode("timeline", "4", "what happened when, to each phase and agent", "TimelineScreen", timeline.TABLE),
    Mode("suggestions", "5", "what agents suggest, and why", "SuggestionsScreen", suggestions.TABLE),
    Mode("plan", "6", "the phases as a graph, gates, interfaces, checks", "PlanScreen", plan.TABLE),
    Mode("panes", "7", "what the agents' terminals show", "PanesScreen", panes.TABLE),
)
"""In the order of their keys."""


def by_id(mode: str) -> Mode:
    """The mode of that id; raises KeyError."""
    return {each.id: each for each in MODES}[mode]


def going() -> tuple[Command, ...]:
    """The commands that go to each mode, the same on every screen."""
    return tuple(
        Command(
            f"mode.{each.id}",
            each.key,
            each.id,
            each.help,
            f"app.mode('{each.id}')",
            commands.LOOK,
        )
        for each in MODES
    )


def commands_of(mode: str) -> tuple[Command, ...]:
    """Every command of a mode's screen: its bindings, its part of the palette, and where keys may clash.

    A command that every mode has gives way to the mode's own where both have a key.

    Raises KeyError.
    """
    known = by_id(mode)
    leaving = () if known is COCKPIT else commands.FILTER
    own = {key for each in known.table for key in each.key.split(",")}
    shared = (*leaving, *commands.EVERYWHERE, *going())
    return (*known.common, *known.table, *(_yielding(each, own) for each in shared))


def _yielding(command: Command, keys: Collection[str]) -> Command:
    """A command of every mode without the keys that a mode has for something else; the palette keeps it."""
    left = ",".join(key for key in command.key.split(",") if key not in keys)
    return command if left == command.key else replace(command, key=left)


def everything() -> tuple[Command, ...]:
    """All commands of all screens, for the help."""
    of_modes = (command for mode in MODES for command in mode.table)
    return (*commands.EVERYTHING, *going(), *of_modes, *pane.TABLE)


def keymap(wanted: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """The person's keys (`[keys]` of the settings) that can be used, and one line on the first that cannot.

    A key that another command of the same screen has is not taken from it.
    """
    known = {command.id: command for command in everything()}
    used: dict[str, str] = {}
    problems = [f"[keys] {visible(name, 60)}: nothing has that id" for name in wanted if name not in known]
    for name in (each for each in wanted if each in known):
        tried = {**used, name: wanted[name]}
        if (other := _clash(name, tried)) is None:
            used = tried
        else:
            problems.append(f"[keys] {name}: {visible(wanted[name], 40)} is the key of {other}")
    return used, problems[0] if problems else ""


def _clash(name: str, keys: Mapping[str, str]) -> str | None:
    """The other command of a screen with `name` that has one of its keys, if `keys` are in force."""
    mine = set(keys[name].split(","))
    for table in tables():
        if any(command.id == name for command in table):
            for command in table:
                if command.id != name and mine & set(keys.get(command.id, command.key).split(",")):
                    return command.id
    return None


def tables() -> tuple[tuple[Command, ...], ...]:
    """The commands of each screen together."""
    of_modes = (commands_of(mode.id) for mode in MODES)
    return (*of_modes, commands.CARD, commands.PATCH, commands.LOG, commands.LINES, commands.ROWS)
