"""Effects: brings the panes into the shape that the state asks for, and reports what they do.

It compares the state with what tmux says, rather than following events: so an engine that starts
anew finds its way from wherever the last one was killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

from runebook_tui.core import commands as c
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import AgentStatus
from runebook_tui.execution.speakers import Supervisors, tmux_above
from runebook_tui.git.process import GitError
from runebook_tui.tmux.panes import PaneInfo, Panes, TmuxError

LAST_LINES = 20
UNREAPED_SECONDS = 3.0
"""How long tmux may take to learn how a program in a dead pane ended."""

_GONE_STEP_SECONDS = 0.02

STOP_SECONDS = 5.0
"""How long an agent that is stopped has between SIGTERM and the end of its pane."""

Handle = Callable[[c.Command], Awaitable[object]]


class Effects:
    """Starts, stops and adopts agents' panes.

    `look` is awaited before an agent starts and before its end is told: what was written by then is
    in the log by then. `prepare` gives the top of the tree that an agent starts in, or None to wait.
    """

    def __init__(
        self,
        root: Path,
        panes: Panes,
        supervisors: Supervisors,
        handle: Handle,
        state: Callable[[], State],
        look: Callable[[], Awaitable[None]],
        prepare: Callable[[str], Awaitable[Path | None]],
    ) -> None:
        self._root = root
        self._panes = panes
        self._supervisors = supervisors
        self._handle = handle
        self._state = state
        self._look = look
        self._prepare = prepare
        self._fronts = asyncio.Condition()
        self._told: dict[str, tuple[int, float]] = {}
        self._left: dict[str, float] = {}
        self._unreaped: dict[int, float] = {}
        self._exits: dict[int, tuple[int | None, int | None]] = {}
        self.trouble = ""
        """Why tmux could not be asked the last time; "" when it could."""

    @property
    def settling(self) -> bool:
        """Whether it is not known yet who is lost: tmux does not answer, or what is left of an agent ends."""
        return bool(self.trouble or self._left)

    async def adopt(self) -> tuple[str, ...]:
        """Find the agents whose panes outlived the last engine."""
        panes = await asyncio.to_thread(self._panes.panes)
        adopted = []
        for pane in panes:
            agent = self._state().agents.get(pane.agent)
            if agent is not None and not pane.dead:
                await self._know(pane.pid, pane.agent)
                if agent.alive and agent.pid == pane.pid:
                    adopted.append(agent.id)
        return tuple(adopted)

    async def front_agent(self, pid: int, seconds: float) -> str | None:
        """The agent in whose pane `pid` is the first process; waits for a pane that is just starting."""
        try:
            async with asyncio.timeout(seconds), self._fronts:
                await self._fronts.wait_for(lambda: self._supervisors.agent_of(pid) is not None)
        except TimeoutError:
            return None
        return self._supervisors.agent_of(pid)

    def note_exit(self, pid: int, code: int | None, signal_number: int | None) -> None:
        """Remember how the program of the front `pid` ended: tmux does not always learn it."""
        self._exits[pid] = (code, signal_number)

    async def _know(self, pid: int, agent: str) -> None:
        self._supervisors.register(pid, agent)
        async with self._fronts:
            self._fronts.notify_all()

    async def reconcile(self) -> None:
        """One round: start what should run, end what should not, report what ended."""
        try:
            listed = await asyncio.to_thread(self._panes.panes)
        except TmuxError as error:
            self.trouble = str(error)
            return
        self.trouble = ""
        panes = {pane.agent: pane for pane in listed}
        for agent in self._state().agents.values():
            try:
                await self._reconcile_agent(agent, panes.get(agent.id), listed=bool(listed))
            except TmuxError as error:
                self.trouble = str(error)

    async def _reconcile_agent(self, agent: AgentState, pane: PaneInfo | None, *, listed: bool) -> None:
        if agent.status is AgentStatus.STARTING:
            await self._start(agent, pane)
        elif agent.alive and pane is None:
            await self._lost(agent, listed=listed)
        elif agent.alive and pane is not None and pane.dead:
            await self._report_exit(agent, pane)
        elif agent.alive and pane is not None and agent.status is AgentStatus.STOPPED:
            await self._end(agent, pane, STOP_SECONDS, signalled=True)
        elif agent.alive and pane is not None and agent.finalizing:
            seconds = self._state().plan.policy.finalize_seconds
            await self._end(agent, pane, seconds, signalled=not agent.spec.waits_for_finalize)
        else:
            self._told.pop(agent.id, None)

    async def _lost(self, agent: AgentState, *, listed: bool) -> None:
        """Its pane is gone; `listed` says that others are there. What is left of it ends first.

        It must never be at work twice.
        """
        if agent.pid is not None and self._supervisors.is_front(agent.pid, agent.id):
            server = None if listed else tmux_above(agent.pid)
            if server is not None:
                # Its socket was removed; tmux(1): this makes it anew.
                _send(server, signal.SIGUSR1)
                self.trouble = "the socket of the private tmux server is gone"
                return
            await self._end_left(agent.id)
            return
        if await self._end_left(agent.id):
            return  # its front ended first: what it had started ends a moment later
        self._left.pop(agent.id, None)
        killed = signal.SIGKILL if agent.id in self._told else None
        await self._look()
        reason = "its pane is gone (tmux ended or the machine restarted)"
        await self._handle(c.ReportExited(agent.id, signal=killed, reason=reason, lost=killed is None))

    async def _end_left(self, agent: str) -> bool:
        """End what is left of an agent whose pane or front is gone; whether anything was."""
        now = asyncio.get_running_loop().time()
        since = self._left.setdefault(agent, now)
        left = await asyncio.to_thread(self._supervisors.members_of, agent)
        for pid in left:
            _send(pid, signal.SIGTERM if now - since < STOP_SECONDS else signal.SIGKILL)
        return bool(left)

    async def _start(self, agent: AgentState, pane: PaneInfo | None) -> None:
        if pane is not None and not pane.dead and not agent.alive:
            # The last engine was killed between starting the pane and writing that down.
            await self._know(pane.pid, agent.id)
            await self._handle(c.ReportStarted(agent.id, pane.pane_id, pane.pid))
            return
        try:
            top = await self._prepare(agent.id)
        except GitError as error:
            await self._handle(c.ReportExited(agent.id, reason=f"could not be started: {error}"))
            return
        if top is None:
            return
        await self._look()
        if self._state().agents[agent.id].status is not AgentStatus.STARTING:
            return  # what was seen holds it back
        self._told.pop(agent.id, None)
        argv = [sys.executable, "-P", "-m", "runebook_tui", "exec", agent.id]
        environment = {"RUNEBOOK_AGENT": agent.id, "RUNEBOOK_ROOT": os.fspath(self._root)}
        try:
            started = await asyncio.to_thread(self._open, agent.id, pane, argv, top, environment)
        except TmuxError as error:
            await self._handle(c.ReportExited(agent.id, reason=f"could not be started: {error}"))
            return
        await self._handle(c.ReportStarted(agent.id, started.pane_id, started.pid))
        await self._know(started.pid, agent.id)

    def _open(
        self, agent: str, pane: PaneInfo | None, argv: list[str], top: Path, environment: Mapping[str, str]
    ) -> PaneInfo:
        if pane is None:
            return self._panes.start_pane(agent, argv, top, environment)
        return self._panes.respawn(pane.pane_id, argv, top, environment)

    async def _report_exit(self, agent: AgentState, pane: PaneInfo) -> None:
        code, number = (None, pane.signal) if pane.signal else (pane.status, None)
        if code is None and number is None:
            code, number = self._exits.get(pane.pid, (None, None))
        now = asyncio.get_running_loop().time()
        untold = code is None and number is None
        if untold and now - self._unreaped.setdefault(pane.pid, now) < UNREAPED_SECONDS:
            return
        # A front that was killed could not say how its program ended: that may go on, and must not be two.
        if number == signal.SIGKILL and pane.pid not in self._exits and await self._end_left(agent.id):
            return
        self._left.pop(agent.id, None)
        self._unreaped.pop(pane.pid, None)
        self._exits.pop(pane.pid, None)
        self._told.pop(agent.id, None)
        try:
            lines = await asyncio.to_thread(self._panes.capture, pane.pane_id, LAST_LINES)
        except TmuxError:
            lines = []
        # tmux's own closing words ("Pane is dead ...") are no words of the agent.
        kept = tuple(line for line in lines if not line.startswith("Pane is dead"))
        await self._look()
        await self._handle(c.ReportExited(agent.id, code, number, last_lines=kept))

    async def _end(self, agent: AgentState, pane: PaneInfo, seconds: float, *, signalled: bool) -> None:
        """SIGTERM (at once if `signalled`), and after `seconds` the end of the pane."""
        now = asyncio.get_running_loop().time()
        pid, since = self._told.get(agent.id, (0, now))
        if pid != pane.pid:
            self._told[agent.id] = (pane.pid, now)
            if signalled:
                _send(pane.pid, signal.SIGTERM)
        elif now - since > seconds + STOP_SECONDS:
            await asyncio.to_thread(self._panes.kill_pane, pane.pane_id)
        elif now - since > seconds and not signalled:
            _send(pane.pid, signal.SIGTERM)

    async def end_all(self) -> None:
        """End every agent's program, what it left running behind itself, and the private tmux server."""
        try:
            for pane in await asyncio.to_thread(self._panes.panes):
                if not pane.dead:
                    _send(pane.pid, signal.SIGTERM)
            await self._until_gone(signal.SIGTERM)
            await self._until_gone(signal.SIGKILL)
        finally:
            await asyncio.to_thread(self._panes.kill_server)

    async def _until_gone(self, number: signal.Signals) -> None:
        """Send a signal to every process of an agent, and wait a while for them to go."""
        deadline = asyncio.get_running_loop().time() + STOP_SECONDS
        told: set[int] = set()
        while members := await asyncio.to_thread(self._supervisors.members):
            for pid in members:
                if pid not in told:
                    _send(pid, number)
            told.update(members)
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(_GONE_STEP_SECONDS)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
