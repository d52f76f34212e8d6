"""Course: how an engine comes into a run, and when it may leave: with several hosts, it is one run.

The engine of the leading host begins the run and follows the plan's file; the others join it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.gates import stalled
from runebook_tui.core.hosts import host_words, leading, without_engine
from runebook_tui.core.resuming import lost_agents
from runebook_tui.core.state import State
from runebook_tui.core.types import OPERATOR, AgentStatus, ExecutionPlan
from runebook_tui.execution.effects import Effects
from runebook_tui.execution.plan import PlanFollower
from runebook_tui.execution.vault import Vault
from runebook_tui.place import PLAN_NAME

LOST = "agents were lost with tmux or the machine, and can be brought back"
"""Why a runner leaves a run that is not over."""


class Host(Protocol):
    """What the course needs of the runner."""

    host: str
    vault: Vault

    @property
    def state(self) -> State:
        """The state now."""

    @property
    def mine(self) -> State:
        """That of this host's agents and requests."""

    async def handle(self, command: c.Command, actor: str = ...) -> object:
        """Carry out a command. Raises Refused, LogError."""

    async def handle_surely(self, command: c.Command, actor: str = ...) -> None:
        """Carry out what has happened already, however long the log takes."""

    async def last_touch(self, path: str) -> e.Touched | None:
        """The newest touch of a path of this host's checkout."""


class Course:
    """Begins, joins and ends runs of `plan`, the plan of the file when this engine began."""

    def __init__(
        self,
        host: Host,
        plan: ExecutionPlan,
        effects: Effects,
        follower: PlanFollower,
        say: Callable[[str], None],
        *,
        fresh: bool,
        keep: bool,
        resume: bool,
    ) -> None:
        self._host = host
        self._plan = plan
        self._effects = effects
        self._follower = follower
        self._say = say
        self._fresh = fresh
        self._keep = keep
        self._resume = resume
        self._joined = False
        self._anew = False

    @property
    def leads(self) -> bool:
        """Whether this host's copy of the plan's file counts."""
        plan = self._host.state.plan if self._under_way else self._plan
        return leading(plan) == self._host.host

    @property
    def _under_way(self) -> bool:
        return self._host.state.run > 0 and self._host.state.outcome is None

    async def begin(self, pid: int, machine: str, adopted: tuple[str, ...], *, file: bool) -> None:
        """Take the engine's place, and begin or join a run; `file` says that the plan came from a file."""
        await self._host.handle(c.TakeEngine(pid, machine, adopted, self._host.host))
        if not self.leads:
            self._host.vault.keep(self._plan)
            if not self._under_way:
                await self._effects.end_all()
                self._say(f"waits for {host_words(leading(self._plan))} to begin a run")
            return
        if self._fresh and self._under_way:
            await self._host.handle(c.EndRun("stopped", "the operator began a new run"))
            await self._effects.end_all()
        state = self._host.state
        if state.run == 0 or (state.outcome is not None and (self._fresh or not self._keep)):
            await self._host.handle(c.StartRun(self._host.vault.keep(self._plan)))
        elif state.outcome is None and (not adopted or not file):
            # While agents live, the first look at the tree tells who edited the plan's file meanwhile.
            await self._follower.begin(self._plan, await self._host.last_touch(PLAN_NAME))

    def note(self, records: Sequence[e.Record]) -> None:
        """Take note of a run that another host's engine began: what runs here is of the last one."""
        began = any(isinstance(record.event, e.RunStarted) for record in records)
        self._anew = self._anew or (began and not self.leads)
        self._joined = self._joined or began

    async def settle(self) -> None:
        """Leave nothing of an earlier run at work, and bring back who was lost when that is wanted."""
        if self._anew:
            self._anew = False
            await self._effects.end_all()
        self._joined = self._joined or self._under_way
        if self._resume and not self._effects.settling:
            # At the start, once it is known who is lost.
            self._resume = False
            if lost := lost_agents(self._host.mine):
                named = tuple(agent.id for agent in lost)
                await self._host.handle_surely(c.ResumeAgents(named), OPERATOR)

    async def why_over(self) -> str:
        """Why this engine's part is over, in words; "" while it is not. A run that cannot go on is ended."""
        state = self._host.state
        if state.outcome is None and not state.open_requests and not without_engine(state):
            reasons = stalled(state)
            if reasons and lost_agents(self._host.mine):
                return LOST
            if reasons and not lost_agents(state):
                await self._host.handle_surely(c.EndRun("failed", "; ".join(reasons)))
        over = self._host.state.outcome is not None and (self._joined or self.leads)
        return "the run is over" if over else ""

    async def end_agents(self, reason: str) -> None:
        """Leave no process behind; nothing else is touched."""
        for agent in self._host.mine.live_agents():
            if agent.status is not AgentStatus.COMPLETED:
                await self._host.handle_surely(c.StopAgent(agent.id, reason or "the run is over"))
        await self._effects.end_all()
        for agent in self._host.mine.live_agents():
            await self._host.handle_surely(c.ReportExited(agent.id, reason=reason))
