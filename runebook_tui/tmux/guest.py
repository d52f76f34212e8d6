"""Runebook as a guest in the user's own tmux server: only where it was invited, and nothing is left behind.

The invitation is the option `@runebook_surface on`, set by the file that `surface install tmux` writes.
Of each session with a pane in the repository the status line gets one segment; with
`@runebook_borders on`, such windows get borders with labels. Everything is borrowed, and put back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from runebook_tui.tmux.borrowed import Place, borrow, effective, local, put_back
from runebook_tui.tmux.command import guest_server
from runebook_tui.tmux.dress import COLOUR, PANE, STATUS, Label, labelled, send

_ROW = re.compile(
    r"(?P<session>\$\d+) (?P<window>@\d+) (?P<pane>%\d+) (?P<on>on|-) (?P<borders>on|-) (?P<path>.*)"
)
_FORMAT = (
    "#{session_id} #{window_id} #{pane_id} #{?#{==:#{@runebook_surface},on},on,-} "
    "#{?#{==:#{@runebook_borders},on},on,-} #{pane_current_path}"
)
_SEGMENT = f"#{{{STATUS}}} "
_ROOM = 80
_BORDERS = {
    "pane-border-status": "top",
    "pane-border-format": f" #{{?{PANE},#{{{PANE}}},#{{pane_index}} #{{pane_title}}}} ",
    "pane-border-style": f"fg=#{{?{COLOUR},#{{{COLOUR}}},default}}",
}

LabelOf = Callable[[str], Label | None]
"""The label of a pane whose program is in this folder; None for a folder outside the repository."""


class Guest:
    """The guest of the server at `socket`."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._server = guest_server(socket)
        self._sessions: set[str] = set()
        self._windows: set[str] = set()
        self._sent: dict[str, object] = {}

    def show(self, status: str, label_of: LabelOf) -> bool:
        """Show `status` and labels in what lies in the repository; whether the server has an invitation.

        Raises TmuxError. What has left the repository is as it was before.
        """
        if not self.socket.exists():
            self._forget()
            return False
        answer = self._server.run(["list-panes", "-a", "-F", _FORMAT])
        rows = [found for line in answer.stdout if (found := _ROW.fullmatch(line))]
        if answer.error or not any(row["on"] == "on" for row in rows):
            self.leave()
            return False
        commands: list[list[str]] = []
        sessions, windows = set(), set()
        for row in rows:
            label = label_of(row["path"])
            if label is None:
                continue
            sessions.add(row["session"])
            if row["borders"] == "on":
                windows.add(row["window"])
                if self._sent.get(row["pane"]) != label:
                    self._sent[row["pane"]] = label
                    commands += labelled(row["pane"], label)
        for session in sessions:
            if self._sent.get(session) != status:
                self._sent[session] = status
                commands.append(["set-option", "-t", session, STATUS, status])
        send(self._server, commands)
        for session in sessions - self._sessions:
            self._enter_session(session)
        for window in windows - self._windows:
            for option, value in _BORDERS.items():
                borrow(self._server, ("-w", "-t", window), option, value)
        self._leave(self._sessions - sessions, self._windows - windows)
        self._sessions, self._windows = sessions, windows
        return True

    def leave(self) -> None:
        """Put everything back, also what another process borrowed that was killed. Raises TmuxError."""
        if not self.socket.exists():
            self._forget()
            return
        rows = self._server.run(["list-panes", "-a", "-F", "#{session_id} #{window_id} #{pane_id}"]).stdout
        words = [line.split() for line in rows]
        self._leave({each[0] for each in words}, {each[1] for each in words})
        panes = [each[2] for each in words if local(self._server, ("-p", "-t", each[2]), PANE) is not None]
        send(
            self._server,
            [["set-option", "-p", "-u", "-t", pane, name] for pane in panes for name in (PANE, COLOUR)],
        )
        self._forget()

    def farewell(self) -> None:
        """Leave, and take the invitation and the key along. Raises TmuxError."""
        self.leave()
        if self.socket.exists() and not self._server.run(["list-sessions"]).error:
            for option in ("@runebook_surface", "@runebook_borders"):
                self._server.run(["set-option", "-g", "-u", option])
            bound = self._server.run(["list-keys", "-T", "prefix", "R"]).stdout
            if any("surface menu" in line for line in bound):
                self._server.run(["unbind-key", "-T", "prefix", "R"])

    def _enter_session(self, session: str) -> None:
        place: Place = ("-t", session)
        if local(self._server, place, "@runebook_was_status-right") is not None:
            put_back(self._server, place, "status-right")
            put_back(self._server, place, "status-right-length")
        right = effective(self._server, place, "status-right")
        if STATUS in right:
            return  # the user has given it a place
        length = effective(self._server, place, "status-right-length")
        room = _ROOM + (int(length) if length.isdigit() else 0)
        borrow(self._server, place, "status-right", _SEGMENT + right)
        borrow(self._server, place, "status-right-length", str(room))

    def _leave(self, sessions: set[str], windows: set[str]) -> None:
        for session in sessions:
            place: Place = ("-t", session)
            for option in ("status-right", "status-right-length"):
                put_back(self._server, place, option)
            if local(self._server, place, STATUS) is not None:
                self._server.run(["set-option", "-u", *place, STATUS])
            self._sent.pop(session, None)
        for window in windows:
            for option in _BORDERS:
                put_back(self._server, ("-w", "-t", window), option)

    def _forget(self) -> None:
        self._sessions, self._windows = set(), set()
        self._sent.clear()


def default_socket() -> Path:
    """The socket of the server that this process runs in, else of the user's usual one (tmux(1), TMUX)."""
    inside = os.environ.get("TMUX", "").partition(",")[0]
    if inside:
        return Path(inside)
    return Path(os.environ.get("TMUX_TMPDIR") or "/tmp") / f"tmux-{os.getuid()}" / "default"
