"""Panes on a real private tmux server and in memory, played by the same few gestures."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable

import pytest

from runebook_tui.tmux.memory import MemoryPanes
from runebook_tui.tmux.panes import PaneInfo, Panes
from runebook_tui.tmux.server import TmuxServer

PATIENCE = 30.0


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as `condition` holds; fail after a generous while."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain for {what}")
        time.sleep(0.01)


def tmux(server: TmuxServer, *words: str) -> str:
    """What a tmux command of the test's own prints."""
    done = subprocess.run(
        ["tmux", "-u", "-L", server.socket_name, *words], capture_output=True, check=True, timeout=60
    )
    return done.stdout.decode().rstrip("\n")


class TmuxPlay:
    """Real panes, whose program is a shell that does what it is told."""

    argv = ("sh",)

    def __init__(self, server: TmuxServer) -> None:
        self.panes: Panes = server

    def print(self, pane_id: str, text: str) -> None:
        self.panes.send_text(pane_id, f"clear; printf '%s\\n' {shlex.quote(text)}", submit=True)

    def end(self, pane_id: str, status: int) -> None:
        self.panes.send_text(pane_id, f"exit {status}", submit=True)

    def kill(self, pane_id: str, signal: int) -> None:
        os.kill(self.info(pane_id).pid, signal)

    def retitle(self, pane_id: str, title: str) -> None:
        self.panes.send_text(pane_id, f"printf '\\033]2;%s\\033\\\\' {shlex.quote(title)}", submit=True)

    def info(self, pane_id: str) -> PaneInfo:
        return next(info for info in self.panes.panes() if info.pane_id == pane_id)


class MemoryPlay:
    """Panes in memory."""

    argv = ("sh",)

    def __init__(self) -> None:
        self.memory = MemoryPanes()
        self.panes: Panes = self.memory

    def print(self, pane_id: str, text: str) -> None:
        self.memory.print(pane_id, text)

    def end(self, pane_id: str, status: int) -> None:
        self.memory.end(pane_id, status)

    def kill(self, pane_id: str, signal: int) -> None:
        self.memory.end(pane_id, signal=signal)

    def retitle(self, pane_id: str, title: str) -> None:
        self.memory.retitle(pane_id, title)

    def info(self, pane_id: str) -> PaneInfo:
        return next(info for info in self.panes.panes() if info.pane_id == pane_id)
