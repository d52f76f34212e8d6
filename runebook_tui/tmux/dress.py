"""What a tmux server shows of a run: a segment of the status line, and a label on each pane's border.

The words are in user options (`@runebook_status`, `@runebook_pane`, `@runebook_colour`) that formats
refer to, so tmux expands nothing of what they hold: a `#(command)` in a file's name is text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runebook_tui.tmux.command import PrivateServer, private_server
from runebook_tui.tmux.panes import DEADLINE, TmuxError

STATUS = "@runebook_status"
PANE = "@runebook_pane"
COLOUR = "@runebook_colour"


@dataclass(frozen=True)
class Label:
    """What stands on the border of a pane, and its owner's colour as tmux names it."""

    text: str
    colour: str


@dataclass(frozen=True)
class Look:
    """What one server is to show: texts with tmux's styles (`#[…]`), other people's words escaped."""

    status: str = ""
    panes: Mapping[str, Label] = field(default_factory=dict)
    """By pane id."""


def escaped(text: str) -> str:
    """Other people's text so that tmux draws it as it stands (a `#` begins a style)."""
    return text.replace("#", "##")


class Dress:
    """Keeps the private server looking as told; sends only what has changed, in one call.

    `key` is what the prefix key and R do, as the words of a tmux command.
    """

    def __init__(self, socket_name: str, folder: Path, key: list[str], deadline: float = DEADLINE) -> None:
        self._server = private_server(socket_name, folder / "tmux.conf", deadline)
        self._key = key
        self._pid = ""
        self._known = Look()

    def show(self, look: Look) -> None:
        """Make the server look so. Raises TmuxError; a server that is not running is fine."""
        answer = self._server.run(["list-sessions", "-F", "#{pid}"])
        pid = answer.stdout[0] if not answer.error and answer.stdout else ""
        if pid != self._pid:
            self._pid, self._known = pid, Look()
            if pid:
                self._server.run(["bind-key", "-T", "prefix", "R", *self._key])
        if pid:
            send(self._server, changes(self._known, look))
            self._known = look


def changes(known: Look, wanted: Look) -> list[list[str]]:
    """The commands that make a server which looks like `known` look like `wanted`."""
    commands = []
    if wanted.status != known.status:
        commands.append(["set-option", "-g", STATUS, wanted.status])
    for pane, label in wanted.panes.items():
        if known.panes.get(pane) != label:
            commands += labelled(pane, label)
    return commands


def labelled(pane: str, label: Label) -> list[list[str]]:
    """The commands that put a label on a pane."""
    return [
        ["set-option", "-p", "-t", pane, PANE, label.text],
        ["set-option", "-p", "-t", pane, COLOUR, label.colour],
    ]


def send(server: PrivateServer, commands: list[list[str]]) -> None:
    """Carry out commands in one call; where a pane has gone meanwhile, each of the others by itself."""
    if not commands:
        return
    if server.run(*commands).error:
        for command in commands:
            server.run(command)


__all__ = ["COLOUR", "PANE", "STATUS", "Dress", "Label", "Look", "TmuxError", "escaped", "labelled", "send"]
