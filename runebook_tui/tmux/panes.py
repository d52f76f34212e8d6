"""Panes: the surface by which the rest of the program starts, reads and ends agents' panes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runebook_tui.core.screen import Screen

SESSION = "runebook"
"""The name of the session that holds every agent's window."""

DEADLINE = 5.0
"""Seconds that tmux has to answer one command."""

WIDTH = 200
"""Columns of a new pane while no terminal is attached."""

HEIGHT = 50
"""Rows of a new pane while no terminal is attached."""

_AGENT = re.compile(r"[a-z0-9][a-z0-9_-]*")
_PANE_ID = re.compile(r"%[0-9]+")
_KEY = re.compile(r"[A-Za-z0-9]|Enter|Escape|Up|Down|Tab")


class TmuxError(Exception):
    """tmux is missing, refused, or did not answer; the message is one line for people."""


@dataclass(frozen=True)
class PaneInfo:
    """One agent's pane at one moment.

    A pane stays, `dead`, after its program ended. `status` is the exit status and `signal` the number of the
    signal that ended the program; a dead pane with neither has closed its terminal without being reaped yet
    (or tmux is older than 3.3, which does not tell the signal). `title` is whatever the program set: hostile.
    """

    pane_id: str
    agent: str
    pid: int
    dead: bool
    status: int | None
    signal: int | None
    width: int
    height: int
    title: str


class Panes(Protocol):
    """The life of agents' panes, one pane per agent.

    Calls block (up to `DEADLINE` when tmux is stuck), so async callers use a thread. Every method raises
    TmuxError when tmux does not answer or refuses.
    """

    def start_pane(self, agent: str, argv: list[str], cwd: Path, env: Mapping[str, str]) -> PaneInfo:
        """Start `argv` in a new pane of `agent`.

        `env` is added to the server's environment; it holds no secrets, for `ps` shows it for a moment.
        Raises TmuxError when the agent already has a pane or `cwd` is no folder.
        """

    def panes(self) -> list[PaneInfo]:
        """Every agent's pane in the order of their windows; empty when the server is not running."""

    def respawn(self, pane_id: str, argv: list[str], cwd: Path, env: Mapping[str, str]) -> PaneInfo:
        """Restart a pane with `argv`, ending (by hang-up) what still runs in it."""

    def capture(self, pane_id: str, lines: int = 20) -> list[str]:
        """The last lines of a pane as plain text, oldest first, without the blank ones at the end."""

    def send_text(self, pane_id: str, text: str, submit: bool) -> None:
        """Paste `text` into a pane, then press Enter if `submit`.

        Control characters other than newline and tab are left out. Raises TmuxError for a dead pane.
        """

    def pipe(self, pane_id: str, command: str) -> None:
        """Have tmux write what a pane prints from now on to a shell `command`, instead of any before it."""

    def look(self, pane_id: str) -> Screen:
        """What the pane's program shows now, also while a person looks at its history."""

    def press(self, pane_id: str, keys: Sequence[str]) -> None:
        """Press keys one after the other: letters, digits, Enter, Escape, Up, Down, Tab.

        Raises ValueError for another key, TmuxError for a dead pane.
        """

    def interrupt(self, pane_id: str) -> None:
        """Press Ctrl-C in a pane; nothing happens in a dead one."""

    def kill_pane(self, pane_id: str) -> None:
        """End a pane and what runs in it (by hang-up); a pane that is gone already is fine."""

    def kill_server(self) -> None:
        """End every pane and the server itself; a server that is gone already is fine."""


def is_agent(text: str) -> bool:
    """Whether `text` is an agent id."""
    return _AGENT.fullmatch(text) is not None


def check_agent(agent: str) -> None:
    """Raise ValueError unless `agent` is an agent id."""
    if not is_agent(agent):
        raise ValueError(f"not an agent id: {agent!r}")


def check_pane_id(pane_id: str) -> None:
    """Raise ValueError unless `pane_id` is tmux's name of a pane, such as `%3`."""
    if not _PANE_ID.fullmatch(pane_id):
        raise ValueError(f"not a pane id: {pane_id!r}")


def check_keys(keys: Sequence[str]) -> None:
    """Raise ValueError unless all `keys` are such as `Panes.press` knows."""
    for key in keys:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a key: {key!r}")


def check_launch(argv: list[str], cwd: Path) -> None:
    """Raise ValueError for an empty command, TmuxError for a working folder that is not there.

    tmux itself would silently start the program in the home folder instead.
    """
    if not argv or not argv[0]:
        raise ValueError("the command of a pane is empty")
    if not cwd.is_dir():
        raise TmuxError(f"cannot start a pane in {str(cwd)!r}: no such folder")


def typable(text: str) -> str:
    """`text` without the control characters that a paste must not contain (ESC would end the bracket)."""
    return "".join(c for c in text if c in "\n\t" or not (c < " " or "\x7f" <= c <= "\x9f"))
