"""MemoryPanes: panes without tmux or processes, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from runebook_tui.core.screen import Screen
from runebook_tui.tmux.panes import (
    HEIGHT,
    WIDTH,
    PaneInfo,
    TmuxError,
    check_agent,
    check_keys,
    check_launch,
    check_pane_id,
    typable,
)


@dataclass
class Program:
    """What a pane was started with, and what has happened to it since."""

    argv: list[str]
    cwd: Path
    env: dict[str, str]
    sent: list[str] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    interrupts: int = 0
    output: list[str] = field(default_factory=list)


class MemoryPanes:
    """The twin of TmuxServer in memory; implements `Panes`.

    Nothing runs: a test plays the program by `print`, `retitle` and `end`, and looks at `program(pane_id)`.
    While `failure` is set, every call raises it as a TmuxError. Process ids are above Linux's largest.
    """

    def __init__(self) -> None:
        self.failure: str | None = None
        self._infos: dict[str, PaneInfo] = {}
        self._programs: dict[str, Program] = {}
        self._numbers = count()
        self._pids = count(5_000_000)

    def start_pane(self, agent: str, argv: list[str], cwd: Path, env: Mapping[str, str]) -> PaneInfo:
        """Add a live pane for `agent`; see `Panes.start_pane`."""
        check_agent(agent)
        check_launch(argv, cwd)
        self._answer()
        for info in self._infos.values():
            if info.agent == agent:
                raise TmuxError(f"agent {agent} already has pane {info.pane_id}")
        pane_id = f"%{next(self._numbers)}"
        self._infos[pane_id] = PaneInfo(
            pane_id, agent, next(self._pids), False, None, None, WIDTH, HEIGHT, "memory"
        )
        self._programs[pane_id] = Program(list(argv), cwd, dict(env))
        return self._infos[pane_id]

    def panes(self) -> list[PaneInfo]:
        """Every agent's pane; see `Panes.panes`."""
        self._answer()
        return list(self._infos.values())

    def respawn(self, pane_id: str, argv: list[str], cwd: Path, env: Mapping[str, str]) -> PaneInfo:
        """Replace a pane's program by a fresh one; see `Panes.respawn`."""
        check_launch(argv, cwd)
        old = self._info(pane_id, "restart")
        self._infos[pane_id] = replace(old, pid=next(self._pids), dead=False, status=None, signal=None)
        self._programs[pane_id] = Program(list(argv), cwd, dict(env))
        return self._infos[pane_id]

    def capture(self, pane_id: str, lines: int = 20) -> list[str]:
        """The last lines that were printed; see `Panes.capture`."""
        self._info(pane_id, "read")
        text = [line.rstrip() for line in self._programs[pane_id].output]
        while text and not text[-1]:
            text.pop()
        return text[-lines:] if lines > 0 else []

    def send_text(self, pane_id: str, text: str, submit: bool) -> None:
        """Remember the text in `program(pane_id).sent`; see `Panes.send_text`."""
        if self._info(pane_id, "send text to").dead:
            raise TmuxError(f"cannot send text to pane {pane_id}: its program has ended")
        self._programs[pane_id].sent.append(typable(text) + ("\n" if submit else ""))

    def look(self, pane_id: str) -> Screen:
        """The last lines that were printed, with the cursor below them; see `Panes.look`."""
        info = self._info(pane_id, "read")
        lines = tuple(self._programs[pane_id].output[-HEIGHT + 1 :])
        return Screen(lines, (0, len(lines)), info.dead)

    def press(self, pane_id: str, keys: Sequence[str]) -> None:
        """Remember the keys in `program(pane_id).pressed`; see `Panes.press`."""
        check_keys(keys)
        if self._info(pane_id, "press keys in").dead:
            raise TmuxError(f"cannot press keys in pane {pane_id}: its program has ended")
        self._programs[pane_id].pressed.extend(keys)

    def pipe(self, pane_id: str, command: str) -> None:
        """Nothing is printed here; see `Panes.pipe`."""
        self._info(pane_id, "read")

    def interrupt(self, pane_id: str) -> None:
        """Count an interrupt; see `Panes.interrupt`."""
        if not self._info(pane_id, "interrupt").dead:
            self._programs[pane_id].interrupts += 1

    def kill_pane(self, pane_id: str) -> None:
        """Remove a pane; see `Panes.kill_pane`."""
        check_pane_id(pane_id)
        self._answer()
        self._infos.pop(pane_id, None)
        self._programs.pop(pane_id, None)

    def kill_server(self) -> None:
        """Remove every pane; see `Panes.kill_server`."""
        self._answer()
        self._infos.clear()
        self._programs.clear()

    def program(self, pane_id: str) -> Program:
        """What runs, or ran, in a pane."""
        return self._programs[pane_id]

    def print(self, pane_id: str, text: str) -> None:
        """Play a program that prints whole lines."""
        self._programs[pane_id].output.extend(text.split("\n"))

    def retitle(self, pane_id: str, title: str) -> None:
        """Play a program that sets its terminal's title."""
        self._infos[pane_id] = replace(self._infos[pane_id], title=title)

    def end(self, pane_id: str, status: int = 0, signal: int | None = None) -> None:
        """Play a program that exits with `status`, or dies by `signal`."""
        code = status if signal is None else None
        self._infos[pane_id] = replace(self._infos[pane_id], dead=True, status=code, signal=signal)

    def _answer(self) -> None:
        if self.failure is not None:
            raise TmuxError(self.failure)

    def _info(self, pane_id: str, doing: str) -> PaneInfo:
        check_pane_id(pane_id)
        self._answer()
        if pane_id not in self._infos:
            raise TmuxError(f"cannot {doing} pane {pane_id}: can't find pane: {pane_id}")
        return self._infos[pane_id]
