"""Attaching: what brings a person's terminal to an agent's pane, and the one key that brings it back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from runebook_tui.tmux.panes import SESSION, check_pane_id

BACK = "F12"
"""The key that goes back, as tmux names it. It is bound on the private server alone, without a prefix."""

BINDING = f"bind-key -n {BACK} detach-client"
"""The line of the private server's configuration that binds it."""


def inside(socket_name: str, environment: Mapping[str, str]) -> bool:
    """Whether the terminal is a pane of the private server itself, as tmux's variable TMUX says."""
    return PurePath(environment.get("TMUX", "").partition(",")[0]).name == socket_name


def attach_command(socket_name: str, pane_id: str) -> list[str]:
    """The command that shows a pane in this terminal until it is left.

    It starts no server, reads no configuration, and leaves the server's environment as it is. To be run
    without TMUX in the environment, or tmux refuses to run within tmux.
    """
    check_pane_id(pane_id)
    return [
        *_tmux(socket_name), *_select(pane_id), ";", "attach-session", "-E", "-t", f"={SESSION}",
    ]  # fmt: skip


def _tmux(socket_name: str) -> list[str]:
    return ["tmux", "-u", "-N", "-f", "/dev/null", "-L", socket_name]


def _select(pane_id: str) -> list[str]:
    """Show the pane as it works now: not the past that somebody was reading in it."""
    return ["select-window", "-t", pane_id, ";", "select-pane", "-t", pane_id]
