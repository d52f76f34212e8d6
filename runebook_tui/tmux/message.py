"""A message in the user's own tmux server, for all who look at it; only where it was invited (`guest.py`)."""

from __future__ import annotations

from pathlib import Path

from runebook_tui.tmux.command import guest_server
from runebook_tui.tmux.dress import escaped

_SECONDS = 5
_MOST_CLIENTS = 10


def show_message(socket: Path, text: str) -> int:
    """Show `text` (one line, safe to print) to the clients of the server at `socket`; to how many.

    tmux expands nothing in it, neither its formats nor strftime's. Raises TmuxError where tmux is missing or
    does not answer.
    """
    if not socket.exists():
        return 0
    server = guest_server(socket)
    if server.run(["show-options", "-gqv", "@runebook_surface"]).stdout != ["on"]:
        return 0
    listed = server.run(["list-clients", "-F", "#{client_control_mode} #{client_name}"])
    names = [line[2:] for line in listed.stdout if line.startswith("0 ")][:_MOST_CLIENTS]
    for name in names:
        server.run(
            ["display-message", "-c", name, "-d", str(_SECONDS * 1000), escaped(text).replace("%", "%%")]
        )
    return len(names)
