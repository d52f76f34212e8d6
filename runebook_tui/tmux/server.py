"""The private tmux server: one session, one window per agent."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from runebook_tui.core.screen import Screen
from runebook_tui.tmux import configuration
from runebook_tui.tmux.command import Command, private_server
from runebook_tui.tmux.panes import (
    DEADLINE,
    HEIGHT,
    SESSION,
    WIDTH,
    PaneInfo,
    TmuxError,
    check_agent,
    check_keys,
    check_launch,
    check_pane_id,
    is_agent,
    typable,
)

__all__ = ["OLDEST", "TmuxError", "TmuxServer", "check"]

OLDEST = (3, 2)
"""The oldest tmux that has everything used here (attach flags, `copy-mode -q`, `-N`)."""

_MARK = "@runebook_agent"

# Free text comes last, so that nothing a program puts into its title can move another field.
_FORMAT = (
    "#{pid} #{pane_id} #{window_index} #{==:#{session_name},runebook} #{pane_pid} #{pane_dead} "
    "#{pane_dead_status} #{pane_dead_signal} #{pane_width} #{pane_height} "
    "#{?@runebook_agent,#{@runebook_agent},-} #{pane_title}"
)
_ROW = re.compile(
    r"(?P<server>\d+) (?P<pane_id>%\d+) (?P<index>\d+) (?P<ours>[01]) (?P<pid>\d+) (?P<dead>[01]) "
    r"(?P<status>\d*) (?P<signal>\d*) (?P<width>\d+) (?P<height>\d+) (?P<agent>\S+) (?P<title>.*)"
)
_LOOK = "#{cursor_x} #{cursor_y} #{pane_dead}"
_NOT_RUNNING = ("no server running", "error connecting to", "server exited", "lost server")
_GONE = ("can't find pane", "can't find window", "can't find session")


def check() -> None:
    """Raise TmuxError unless a tmux of at least version 3.2 is installed."""
    program = shutil.which("tmux")
    if program is None:
        raise TmuxError("tmux is not installed; Runebook needs tmux 3.2 or newer")
    try:
        said = subprocess.run([program, "-V"], capture_output=True, timeout=DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TmuxError(f"{program} cannot be run: {error}") from error
    version = said.stdout.decode("utf-8", "replace").strip()
    if version == "tmux master" or "openbsd" in version:
        return
    number = re.search(r"(\d+)\.(\d+)", version)
    if number is None:
        raise TmuxError(f"{program} does not tell its version; Runebook needs tmux 3.2 or newer")
    if (int(number[1]), int(number[2])) < OLDEST:
        raise TmuxError(f"{version} is too old; Runebook needs tmux 3.2 or newer")


class TmuxServer:
    """The agents' panes in a tmux server of its own (`-L socket_name`); implements `Panes`.

    The server's configuration is generated into `folder`, for about so many `panes`; `deadline` is in
    seconds. Any number of objects, in any processes, may stand for the same server, but only one of them
    should start panes.
    """

    def __init__(self, socket_name: str, folder: Path, deadline: float = DEADLINE, *, panes: int = 1) -> None:
        self.socket_name = socket_name
        self.folder = folder
        self._server = private_server(socket_name, folder / "tmux.conf", deadline)
        self._starting = threading.Lock()
        self._expected = panes

    def start_pane(self, agent: str, argv: list[str], cwd: Path, env: Mapping[str, str]) -> PaneInfo:
        """Start `argv` in a new window of the session `runebook`; see `Panes.start_pane`."""
        check_agent(agent)
        check_launch(argv, cwd)
        with self._starting:
            try:
                configuration.write(self.folder, self._expected)
            except OSError as error:
                raise TmuxError(f"cannot write {self.folder / 'tmux.conf'}: {error.strerror}") from error
            rows = self._rows()
            for row in rows:
                if row["agent"] == agent:
                    raise TmuxError(f"agent {agent} already has pane {row['pane_id']}")
            if any(row["ours"] == "1" for row in rows):
                index = 1 + max(int(row["index"]) for row in rows)
                answer = self._server.run(*_new_window(agent, index, argv, cwd, env))
            else:
                answer = self._new_session(agent, argv, cwd, env)
        return _info(_parse(_checked(answer, f"start agent {agent}")))

    def panes(self) -> list[PaneInfo]:
        """Every agent's pane; see `Panes.panes`."""
        rows = self._rows()
        for row in rows:
            if row["dead"] == "1" and not row["status"] and not row["signal"]:
                _reap(int(row["server"]))
                break
        return [_info(row) for row in rows if is_agent(row["agent"])]

    def respawn(self, pane_id: str, argv: list[str], cwd: Path, env: Mapping[str, str]) -> PaneInfo:
        """Restart a pane; see `Panes.respawn`.

        A control client that stopped reading can crash tmux here (tmux #5499): ours attach with `no-output`.
        """
        check_pane_id(pane_id)
        check_launch(argv, cwd)
        answer = self._server.run(
            ["respawn-pane", "-k", "-t", pane_id, *_launch(argv, cwd, env)],
            ["display-message", "-p", "-t", pane_id, _FORMAT],
        )
        return _info(_parse(_checked(answer, f"restart pane {pane_id}")))

    def capture(self, pane_id: str, lines: int = 20) -> list[str]:
        """The last lines of a pane, its scrollback included; see `Panes.capture`."""
        check_pane_id(pane_id)
        answer = self._server.run(["capture-pane", "-p", "-S", str(-lines), "-t", pane_id])
        text = [line.rstrip() for line in _checked(answer, f"read pane {pane_id}")]
        while text and not text[-1]:
            text.pop()
        return text[-lines:] if lines > 0 else []

    def send_text(self, pane_id: str, text: str, submit: bool) -> None:
        """Paste text, bracketed where the program asked for that; see `Panes.send_text`."""
        doing = f"send text to pane {pane_id}"
        if self._dead(pane_id, doing):
            raise TmuxError(f"cannot {doing}: its program has ended")
        commands = [["copy-mode", "-q", "-t", pane_id]]
        pasted = typable(text).encode("utf-8", "replace")
        if pasted:
            # A buffer from standard input has no limit; a command line ends at 16 KB.
            buffer = f"runebook-{uuid.uuid4().hex}"
            commands.append(["load-buffer", "-b", buffer, "-"])
            commands.append(["paste-buffer", "-d", "-p", "-b", buffer, "-t", pane_id])
        if submit:
            commands.append(["send-keys", "-t", pane_id, "Enter"])
        _checked(self._server.run(*commands, input=pasted), doing)

    def look(self, pane_id: str) -> Screen:
        """What the pane shows, and its cursor; see `Panes.look`."""
        check_pane_id(pane_id)
        commands = ["capture-pane", "-p", "-t", pane_id], ["display-message", "-p", "-t", pane_id, _LOOK]
        *lines, numbers = _checked(self._server.run(*commands), f"read pane {pane_id}")
        column, row, dead = map(int, numbers.split())
        return Screen(tuple(line.rstrip() for line in lines), (column, row), dead == 1)

    def press(self, pane_id: str, keys: Sequence[str]) -> None:
        """Press keys; see `Panes.press`."""
        check_keys(keys)
        doing = f"press keys in pane {pane_id}"
        if self._dead(pane_id, doing):
            raise TmuxError(f"cannot {doing}: its program has ended")
        leave, press = ["copy-mode", "-q", "-t", pane_id], ["send-keys", "-t", pane_id, *keys]
        _checked(self._server.run(leave, press), doing)

    def pipe(self, pane_id: str, command: str) -> None:
        """Pipe a pane's output; see `Panes.pipe`."""
        check_pane_id(pane_id)
        # tmux expands formats in the command.
        answer = self._server.run(["pipe-pane", "-O", "-t", pane_id, command.replace("#", "##")])
        _checked(answer, f"read pane {pane_id}")

    def interrupt(self, pane_id: str) -> None:
        """Press Ctrl-C; see `Panes.interrupt`."""
        doing = f"interrupt pane {pane_id}"
        if not self._dead(pane_id, doing):
            # The byte itself, for a program may have asked tmux to encode keys in another way.
            leave, press = ["copy-mode", "-q", "-t", pane_id], ["send-keys", "-t", pane_id, "-H", "03"]
            _checked(self._server.run(leave, press), doing)

    def kill_pane(self, pane_id: str) -> None:
        """End a pane; see `Panes.kill_pane`."""
        check_pane_id(pane_id)
        answer = self._server.run(["kill-pane", "-t", pane_id])
        if not answer.error.startswith((*_GONE, *_NOT_RUNNING)):
            _checked(answer, f"end pane {pane_id}")

    def kill_server(self) -> None:
        """End this private server, and return when it is gone; see `Panes.kill_server`."""
        answer = self._server.run(["kill-server"])
        if not answer.error.startswith(_NOT_RUNNING):
            _checked(answer, "end the tmux server")
        deadline = time.monotonic() + self._server.deadline
        # A server that is on its way out still accepts connections, and would swallow the next start.
        while not (answer := self._server.run(["list-sessions"])).error.startswith(_NOT_RUNNING):
            if time.monotonic() > deadline:
                raise TmuxError(f"tmux does not end: {answer.error or 'it still answers'}")
            time.sleep(0.01)

    def _new_session(self, agent: str, argv: list[str], cwd: Path, env: Mapping[str, str]) -> Command:
        first = ["new-session", "-d", "-s", SESSION, "-n", agent, "-x", str(WIDTH), "-y", str(HEIGHT + 1)]
        target = f"={SESSION}:"
        # What -e gives to a session, every later window of it would inherit.
        forget = [["set-environment", "-t", target, "-u", name] for name in env]
        commands = [[*first, *_launch(argv, cwd, env)], *forget, *_mark(agent, target)]
        answer = self._server.run(*commands, marked=True)
        if answer.error.startswith(_NOT_RUNNING):
            answer = self._server.run(*commands, marked=True)
        return answer

    def _rows(self) -> list[re.Match[str]]:
        answer = self._server.run(["list-panes", "-a", "-F", _FORMAT])
        if answer.error.startswith(_NOT_RUNNING):
            return []
        found = (_ROW.fullmatch(line) for line in _checked(answer, "list the panes"))
        # A window that people linked into a second session is listed once for each.
        unique = {row["pane_id"]: row for row in found if row is not None}
        return sorted(unique.values(), key=lambda row: int(row["index"]))

    def _dead(self, pane_id: str, doing: str) -> bool:
        check_pane_id(pane_id)
        # list-panes fails for a pane that is gone; display-message would answer with blanks.
        answer = self._server.run(["list-panes", "-F", "#{pane_id} #{pane_dead}", "-t", pane_id])
        return f"{pane_id} 1" in _checked(answer, doing)


def _new_window(
    agent: str, index: int, argv: list[str], cwd: Path, env: Mapping[str, str]
) -> list[list[str]]:
    target = f"={SESSION}:{index}"
    new = ["new-window", "-d", "-t", target, "-n", agent, *_launch(argv, cwd, env)]
    return [new, *_mark(agent, target)]


def _mark(agent: str, target: str) -> list[list[str]]:
    """The commands that say whose pane it is and answer with its row, run before anybody else's."""
    return [
        ["set-option", "-p", "-t", target, _MARK, agent],
        ["display-message", "-p", "-t", target, _FORMAT],
    ]


def _launch(argv: list[str], cwd: Path, env: Mapping[str, str]) -> list[str]:
    """The arguments that start `argv` as it stands: folder, environment, command."""
    words = ["-c", _literal(str(cwd.absolute()))]
    for name, value in env.items():
        words += ["-e", f"{name}={value}"]
    # tmux hands a single word to the user's shell, and runs several without one.
    command = argv if len(argv) > 1 else ["/bin/sh", "-c", 'exec "$0"', argv[0]]
    return [*words, "--", *command]


def _literal(text: str) -> str:
    """`text` so that tmux's format expansion leaves it as it is (it keeps `#`s before `[` by itself)."""
    return re.sub(r"#+(?!#)(?!\[)", lambda hashes: hashes.group() * 2, text)


def _reap(server: int) -> None:
    """Have the tmux server collect its dead children; the next listing knows how they ended.

    tmux 3.3a overlooks about one death in thirty, and tells its status only after another child has died.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(server, signal.SIGCHLD)


def _checked(answer: Command, doing: str) -> list[str]:
    if answer.error:
        raise TmuxError(f"cannot {doing}: {answer.error}")
    return answer.stdout


def _parse(lines: list[str]) -> re.Match[str]:
    row = _ROW.fullmatch(lines[0]) if lines else None
    if row is None:
        raise TmuxError(f"tmux gave an unexpected answer: {lines[:1]}")
    return row


def _info(row: re.Match[str]) -> PaneInfo:
    return PaneInfo(
        pane_id=row["pane_id"],
        agent=row["agent"],
        pid=int(row["pid"]),
        dead=row["dead"] == "1",
        status=int(row["status"]) if row["status"] else None,
        signal=int(row["signal"]) if row["signal"] else None,
        width=int(row["width"]),
        height=int(row["height"]),
        title=row["title"],
    )
