"""The foreground: whether an agent's own program has its terminal, or another that was started in it.

A terminal gives what is typed to one group of processes, and a shell that starts a program moves it there
(proc(5), `tpgid`). The agent's program begins in the group of the pane's first process, its front; its
parent is the front or the gate's server, which is in a session of its own (gate/front.py).
"""

from __future__ import annotations

from typing import NamedTuple

from runebook_tui.core.printable import visible


class _Process(NamedTuple):
    parent: int
    group: int
    session: int
    terminals: int
    """The group that has its terminal; -1 without one."""


def stranger(front: int) -> str:
    """The program that has the terminal of the pane whose first process is `front`, unless it is the agent's.

    "" also where that cannot be told: without /proc, or when a process has just gone.
    """
    pane = _process(front)
    if pane is None or pane.terminals in (pane.group, -1, 0):
        return ""
    leader = _process(pane.terminals)
    above = None if leader is None else _process(leader.parent)
    if leader is None or above is None or leader.parent == front or above.session != leader.session:
        return ""
    try:
        with open(f"/proc/{pane.terminals}/comm", "rb") as file:
            return visible(file.read(64).decode("utf-8", "replace").strip()) or "another program"
    except OSError:
        return ""


def _process(pid: int) -> _Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # After the name, which is free text: state, parent, group, session, terminal, its group.
            fields = file.read().rpartition(b")")[2].split()
            return _Process(int(fields[1]), int(fields[2]), int(fields[3]), int(fields[5]))
    except (OSError, ValueError, IndexError):
        return None
