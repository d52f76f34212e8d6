"""One tmux command: libtmux's server with a deadline, raw arguments and standard input."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import libtmux
from libtmux.common import tmux_cmd

from runebook_tui import mark
from runebook_tui.tmux.panes import DEADLINE, TmuxError


class Command(tmux_cmd):
    """A finished tmux command: `stdout` and `stderr` as lines, and `returncode`.

    libtmux's own class waits for ever. Raises TmuxError when tmux is missing or misses the deadline.
    """

    def __init__(
        self,
        *args: Any,
        tmux_bin: str | None = None,
        input: bytes = b"",
        deadline: float = DEADLINE,
        marked: bool = False,
    ) -> None:
        program = tmux_bin or shutil.which("tmux")
        if program is None:
            raise TmuxError("tmux is not installed; Runebook needs tmux 3.2 or newer")
        before = [sys.executable, "-I", "-S", mark.__file__] if marked else []
        self.cmd = [*before, program, *map(str, args)]
        try:
            done = subprocess.run(self.cmd, input=input, capture_output=True, timeout=deadline, check=False)
        except subprocess.TimeoutExpired:
            raise TmuxError(f"tmux did not answer within {deadline:g} seconds") from None
        except (OSError, ValueError) as error:
            raise TmuxError(f"tmux cannot be run: {error}") from error
        self.returncode = done.returncode
        self.stdout = _lines(done.stdout)
        self.stderr = _lines(done.stderr)

    @property
    def error(self) -> str:
        """What tmux said went wrong, in one line; empty after success."""
        if self.returncode == 0:
            return ""
        return " ".join(self.stderr) or f"exit status {self.returncode}"


class PrivateServer(libtmux.Server):
    """A libtmux server that reads only Runebook's configuration and always answers or raises."""

    deadline = DEADLINE

    def cmd(self, cmd: str, *args: Any, **kwargs: Any) -> tmux_cmd:
        """Run one tmux command (the seam through which libtmux's own objects speak, too)."""
        target = kwargs.get("target")
        targeted = ["-t", str(target), *args] if target is not None else [*args]
        return self.run([cmd, *map(str, targeted)])

    def options(self) -> list[str]:
        """What is said before every command."""
        return ["-u", f"-L{self.socket_name}", f"-f{self.config_file}"]

    def run(self, *commands: list[str], input: bytes = b"", marked: bool = False) -> Command:
        """Run commands in one tmux call; the first one that fails is the last.

        `marked` says that it may start the server, whose processes are to carry the mark of agents.
        """
        words: list[str] = []
        for command in commands:
            if words:
                words.append(";")
            # A word that ends in ";" would end the command there.
            words.extend(word[:-1] + r"\;" if word.endswith(";") else word for word in command)
        return Command(
            *self.options(),
            *words,
            tmux_bin=self.tmux_bin,
            input=input,
            deadline=self.deadline,
            marked=marked,
        )


class GuestServer(PrivateServer):
    """A server of the user's at a socket's path: never started, and no configuration is read."""

    def options(self) -> list[str]:
        """What is said before every command."""
        return ["-u", "-N", "-f/dev/null", f"-S{self.socket_path}"]


def guest_server(socket: Path, deadline: float = DEADLINE) -> GuestServer:
    """The user's server that listens at `socket`, whether it is running or not."""
    server = GuestServer(socket_path=socket)
    server.deadline = deadline
    return server


def private_server(socket_name: str, configuration: Path, deadline: float) -> PrivateServer:
    """The server on the socket `socket_name`, whether it is running or not."""
    server = PrivateServer(socket_name=socket_name, config_file=str(configuration))
    server.deadline = deadline
    return server


def _lines(output: bytes) -> list[str]:
    lines = output.decode("utf-8", "replace").split("\n")
    while lines and lines[-1] == "":
        lines.pop()
    return lines
