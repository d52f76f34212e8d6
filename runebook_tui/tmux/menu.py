"""A menu at one tmux client (tmux(1), display-menu), whose texts tmux expands nothing of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runebook_tui.tmux.command import guest_server
from runebook_tui.tmux.dress import escaped
from runebook_tui.tmux.panes import TmuxError


@dataclass(frozen=True)
class MenuItem:
    """One entry: its text, its key, and the words of the tmux command that it runs."""

    title: str
    key: str
    command: Sequence[str]


def show_menu(socket: Path, client: str, title: str, items: Sequence[MenuItem], nothing: str) -> None:
    """Open a menu at `client` of the server at `socket`; without items a message. Raises TmuxError."""
    server = guest_server(socket)
    if not items:
        done = server.run(["display-message", "-c", client, escaped(nothing)])
    else:
        words = ["display-menu", "-c", client, "-x", "C", "-y", "C", "-T", escaped(title)]
        for item in items:
            words += [escaped(item.title), item.key, " ".join(_word(each) for each in item.command)]
        done = server.run(words)
    if done.error:
        raise TmuxError(f"cannot open a menu: {done.error}")


def _word(text: str) -> str:
    """A word as tmux's own parser reads it back; the command of an entry is expanded as a format first."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("#", "##")
    return f'"{quoted}"'
