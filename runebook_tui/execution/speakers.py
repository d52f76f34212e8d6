"""Who is speaking on the engine's socket: told by the peer's process, never by what it says.

An agent's processes descend from its pane's supervisor. The operator descends from no supervisor,
carries no more seccomp filters than the engine, and does not wear the mark that everything in an agent's
pane and in the private tmux server is born with. Everybody else is unknown, and refused.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from runebook_tui import mark
from runebook_tui.core.types import OPERATOR
from runebook_tui.execution.peers import Peer
from runebook_tui.log.lease import process_start

_MAX_DEPTH = 256


class Speaker(NamedTuple):
    """Who is at the other end: `name` is OPERATOR, an agent's id, or None for an unknown process."""

    name: str | None
    pid: int
    why: str
    host: str | None = None
    """The host whose operator speaks through the store; None for whoever is on this one."""

    @property
    def is_operator(self) -> bool:
        """Whether this is the person who may decide."""
        return self.name == OPERATOR

    @property
    def agent(self) -> str | None:
        """The agent's id, or None."""
        return None if self.is_operator else self.name


def parent_of(pid: int) -> int | None:
    """The parent of process `pid`, or None when it is gone or cannot be told."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def tmux_above(pid: int) -> int | None:
    """The tmux server whose pane the process `pid` is the first of, if that lives."""
    above = parent_of(pid)
    try:
        with open(f"/proc/{above}/comm", "rb") as file:
            return above if file.read().startswith(b"tmux: server") else None
    except OSError:
        return None


def seccomp_filters(pid: int) -> int | None:
    """How many seccomp filters process `pid` carries; None when it cannot be told."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            for line in file:
                if line.startswith(b"Seccomp_filters:"):
                    return int(line.split()[1])
    except OSError:
        return None
    return 0


class Supervisors:
    """The processes that supervise agents of the repository at `root`: pane fronts and gate servers."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._agents: dict[int, tuple[str, float]] = {}
        self._own_filters = seccomp_filters(os.getpid()) or 0
        self._own_limit = mark.limit_of(os.getpid())

    def register(self, pid: int, agent: str) -> None:
        """Remember that `pid` supervises `agent`."""
        started = process_start(pid)
        if started is not None:
            self._agents[pid] = (agent, started)

    def agent_of(self, pid: int) -> str | None:
        """The agent that the process `pid` itself supervises, or None."""
        known = self._agents.get(pid)
        if known is None:
            return None
        if process_start(pid) != known[1]:
            del self._agents[pid]
            return None
        return known[0]

    def agent_above(self, pid: int) -> str | None:
        """The agent from whose supervisor process `pid` descends, or None."""
        ancestor: int | None = pid
        for _ in range(_MAX_DEPTH):
            if ancestor is None or ancestor <= 1:
                return None
            agent = self.agent_of(ancestor)
            if agent is not None:
                return agent
            ancestor = parent_of(ancestor)
        return None

    def descends(self, pid: int) -> bool:
        """Whether process `pid` is an agent's."""
        return self.agent_above(pid) is not None

    def members(self) -> list[int]:
        """Every living process of an agent, the supervisors that are known left out.

        One that lost its supervisor before it was known is found by the environment it was given.
        """
        if not os.path.isdir("/proc/self"):
            return []
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
        return [
            pid
            for pid in pids
            if self.agent_of(pid) is None and (self.descends(pid) or self._given_here(pid) is not None)
        ]

    def members_of(self, agent: str) -> list[int]:
        """Every living process of one agent, its supervisors too."""
        if not os.path.isdir("/proc/self"):
            return []
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
        return [pid for pid in pids if agent in (self.agent_above(pid), self._given_here(pid))]

    def is_front(self, pid: int | None, agent: str) -> bool:
        """Whether the process `pid`, which was the first of the agent's pane, lives still."""
        return pid is not None and self._given_here(pid) == agent

    def _given_here(self, pid: int) -> str | None:
        """The agent that the environment names which process `pid` was started with, if it is one of here."""
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                environment = file.read().split(b"\0")
        except OSError:
            return None
        ours = b"RUNEBOOK_ROOT=" + os.fsencode(self._root)
        named = [each for each in environment if each.startswith(b"RUNEBOOK_AGENT=")]
        return os.fsdecode(named[0].partition(b"=")[2]) if named and ours in environment else None

    def unfiltered(self, pid: int) -> bool:
        """Whether process `pid` carries no more seccomp filters than the engine."""
        filters = seccomp_filters(pid)
        return filters is not None and filters <= self._own_filters

    def marked(self, pid: int) -> bool:
        """Whether process `pid` was born in an agent's pane or in the private tmux server."""
        limit = mark.limit_of(pid)
        return self._own_limit is not None and (limit is None or limit < self._own_limit)

    def orphan_of(self, pid: int) -> str | None:
        """Whose pane an unfiltered process with no supervisor above it says that it was started in.

        Believed for want of anybody better: only while no supervisor of that agent is known to live. So the
        supervisor of what outlived its pane finds the next engine.
        """
        name = self._given_here(pid)
        living = {self.agent_of(each) for each in list(self._agents)}
        return name if name not in living else None

    def identify(self, peer: Peer) -> Speaker:
        """Who the process at the other end speaks for; nobody once it has ended."""
        found = self._identify(peer.pid, peer.uid)
        # Only now is it sure that what was read is of this process, and not of a later one with its number.
        return found if peer.lives() else Speaker(None, peer.pid, "a process that has gone already")

    def _identify(self, pid: int, uid: int) -> Speaker:
        if uid != os.getuid():
            return Speaker(None, pid, "another user's process")
        if process_start(pid) is None:
            return Speaker(None, pid, "a process that has gone already")
        agent = self.agent_above(pid)
        if agent is not None:
            return Speaker(agent, pid, f"descends from the supervisor of {agent}")
        if not self.unfiltered(pid):
            return Speaker(None, pid, "a gated process whose supervisor is not known")
        if self.marked(pid):
            orphaned = self.orphan_of(pid)
            if orphaned is not None:
                return Speaker(orphaned, pid, f"was started in the pane of {orphaned}")
            return Speaker(None, pid, "a process of an agent's pane whose supervisor has ended")
        return Speaker(OPERATOR, pid, "descends from no supervisor")
