"""Modes: the screens that the number keys go to, each with its commands and where its screen is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from runebook_tui.tui import commands
from runebook_tui.tui.commands import Command
from runebook_tui.tui.keys import plan, requests, suggestions

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

    def load(self) -> Callable[[Backend, Callable[[], float]], ModeScreen]:
        """The class of the screen, imported when it is first wanted."""
        found = getattr(import_module(f"runebook_tui.tui.screens.{self.id}"), self.screen)
        return found  # type: ignore[no-any-return]


COCKPIT = Mode("cockpit", "1", "who needs you, what everybody does, where the plan is")

MODES: tuple[Mode, ...] = (
    COCKPIT,
    Mode(
        "requests",
        "2",
        "who asks for what, with the diff; what was decided",
        "RequestsScreen",
        requests.TABLE,
    ),
    Mode("suggestions", "5", "what agents suggest, and why", "SuggestionsScreen", suggestions.TABLE),
    Mode("plan", "6", "the phases as a graph, gates, interfaces, checks", "PlanScreen", plan.TABLE),
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


def everything() -> tuple[Command, ...]:
    """All commands of all screens, for the help."""
    return (*commands.EVERYTHING, *going(), *(command for mode in MODES for command in mode.table))
