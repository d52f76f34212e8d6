"""The runner: carries a plan out on this host, from the lease to the last pane.

It holds the one coordinator, and joins effects, observer and socket around it. `execute` returns
when the run is over; `kill -9` of its process loses nothing, and the next runner goes on.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.hosts import part, tree_of
from runebook_tui.core.messages import ReportDelivered
from runebook_tui.core.rules import DOWN
from runebook_tui.core.state import State
from runebook_tui.core.types import ENGINE, OPERATOR, AgentSpec, ExecutionPlan
from runebook_tui.execution.amending import Amending
from runebook_tui.execution.attempts import Attempts
from runebook_tui.execution.calling import Caller
from runebook_tui.execution.carrier import Carrier
from runebook_tui.execution.command_queue import CommandQueue
from runebook_tui.execution.course import Course
from runebook_tui.execution.effects import Effects
from runebook_tui.execution.enginelog import shorten
from runebook_tui.execution.errands import Errands
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.handle import CoordinationHandle
from runebook_tui.execution.interfaces import Interfaces
from runebook_tui.execution.lanes import Lanes
from runebook_tui.execution.lookout import Lookout
from runebook_tui.execution.machine import UNTESTED, test_machine
from runebook_tui.execution.observer import Observer
from runebook_tui.execution.others import Others, Shared
from runebook_tui.execution.outfit import Outfit, fit_out
from runebook_tui.execution.outputs import Outputs
from runebook_tui.execution.pauses import Pauses
from runebook_tui.execution.plan import PlanFollower
from runebook_tui.execution.post import Post
from runebook_tui.execution.reports import Report
from runebook_tui.execution.retention import Retention
from runebook_tui.execution.showing import Showing
from runebook_tui.execution.speakers import Supervisors
from runebook_tui.execution.supervision import Supervision
from runebook_tui.execution.surfaces import Surfaces
from runebook_tui.execution.trees import Trees
from runebook_tui.execution.typist import Typist
from runebook_tui.execution.undoing import Undoing
from runebook_tui.execution.vault import Vault
from runebook_tui.execution.verbs import Verbs
from runebook_tui.history.versions import History
from runebook_tui.log.eventlog import EventLog
from runebook_tui.log.lease import lease_name, own_lease
from runebook_tui.log.nudge import Bell
from runebook_tui.log.opening import store_of
from runebook_tui.orchestrator.planner import load_plan
from runebook_tui.orchestrator.seed import seed_plan
from runebook_tui.place import find_repository, runtime_folder, tmux_socket_name
from runebook_tui.tmux.control import ControlClient
from runebook_tui.tmux.panes import Panes
from runebook_tui.tmux.server import TmuxServer

_ROUND_SECONDS = 0.5


class ParallelExecutionRunner:
    """Runs one plan in the repository at `root`.

    `plan_file` says that the plan is followed there when the operator edits it; `keep` that the runner
    stays when the run is over; `fresh` that a new run begins even if the last one is not over; `resume`
    that agents that were lost with tmux or the machine are brought back at the start. `host` is the one of
    the plan whose agents it sees to (docs/hosts.md), "" for those that have none, and `shared` what joins
    it to the engines of the others.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        *,
        root: Path,
        log: EventLog,
        panes: Panes,
        plan_file: Path | None = None,
        keep: bool = False,
        fresh: bool = False,
        resume: bool = False,
        host: str = "",
        shared: Shared | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.root = root
        self.host = host
        self._seen: tuple[State, State] | None = None
        self.vault = Vault()
        self._say: Callable[[str], None] = lambda line: say(self.vault.secrets.hide(line))
        self._wake = asyncio.Event()
        self._commands = CommandQueue(log, far=shared is not None, say=self._say, wake=self._wake.set)
        self.attempts = Attempts(self.report)
        self.panes = panes
        self._plan = plan
        self.plan_file = plan_file
        self._log = log
        self._keep = keep
        self._bell = Bell(runtime_folder(root, create=True))
        self._supervisors = Supervisors(root)
        self._pauses = Pauses()
        self._post = Post(root)
        self._follow_plan = PlanFollower(
            plan_file, self.handle_surely, lambda: self.state, self.vault, lambda: self._course.leads
        )
        edited, hear = self._follow_plan.edited, self._pauses.hear
        descends, mine = self._supervisors.descends, lambda: self.mine
        self._trees = Trees(root, tree_of(host), log, descends, self.handle_surely, mine, edited, hear)
        self._lanes = Lanes(root, self._trees, self.handle_surely, mine, self._say)
        self._interfaces = Interfaces(self, self._lanes, self.last_touch)
        self.machine = UNTESTED
        self.amending = Amending(self)
        self._supervision = Supervision(self)
        self.showing = Showing(self)
        self._verbs = Verbs(self, self._supervision, log, self._commands.use)
        self._lease = lease_name(host, shared=shared is not None)
        use, do = self._commands.use, self._verbs.visited
        self._others = None if shared is None else Others(self, shared, log, use, do, self._say)
        self.undoing: Undoing | None = None
        self._leaving = ""
        self.begun = False
        """Whether it has taken its place in the log: from then on another can take up what it leaves."""
        self._surfaces = Surfaces(root, lambda: self.state, self._say)
        glass = ControlClient(tmux_socket_name(root))
        self.typist = Typist(panes)
        self._carrier = Carrier(self.typist, mine, self.handle_surely)
        self._lookout = Lookout(glass, mine, self.handle_surely, self.vault)
        self._caller = Caller(root, lambda: self.state, time.time)
        self.outputs = Outputs(self, panes, self._say)
        prepare, surely = self._lanes.prepare, self.handle_surely
        self._effects = Effects(root, panes, self._supervisors, surely, mine, self.sweep, prepare)
        self._course: Course = Course(
            self, plan, self._effects, self._follow_plan, self._say, fresh=fresh, keep=keep, resume=resume
        )

    @classmethod
    def create(
        cls, plan: ExecutionPlan | None = None, *, root: Path | None = None
    ) -> tuple[ParallelExecutionRunner, CoordinationHandle]:
        """A runner for `plan` (the seed's plan when None) in the repository around the current folder.

        Raises FileNotFoundError when that is no git repository, LogError, TmuxError.
        """
        top = root or find_repository(Path.cwd())
        if top is None:
            raise FileNotFoundError("the current folder is not in a git repository")
        folder = make_state_folder(top)
        runner = cls(
            plan or seed_plan(top.name),
            root=top,
            log=store_of(top).open(),
            panes=TmuxServer(tmux_socket_name(top), folder / "tmux"),
        )
        return runner, CoordinationHandle(runner)

    def close(self) -> None:
        """Let go of what a runner that never executed holds."""
        self._bell.close()
        self._trees.main.history.close()
        self._log.close()

    # ── what the verbs and the handle need ──────────────────────────────────────────────────────

    @property
    def state(self) -> State:
        """The state now."""
        return self._commands.state

    @property
    def mine(self) -> State:
        """The state with only the agents and requests of this host: what this engine sees to."""
        state = self.state
        if self._seen is None or self._seen[0] is not state:
            self._seen = state, part(state, self.host)
        return self._seen[1]

    @property
    def errands(self) -> Errands | None:
        """What has other hosts' engines do something; None where there are no others."""
        return None if self._others is None else self._others.errands

    @property
    def observer(self) -> Observer | None:
        """Observes the repository's own tree; None until it does."""
        return self._trees.main.observer

    async def handle(self, command: c.Command, actor: str = ENGINE) -> tuple[e.Record, ...]:
        """Carry out one command. Raises Refused, LogError."""
        return await self._commands.handle(command, actor)

    async def handle_surely(self, command: c.Command, actor: str = ENGINE) -> None:
        """Carry out what has happened already: when the log cannot take it, try until it can."""
        await self._commands.handle_surely(command, actor)

    async def report(self, report: Report, actor: str = ENGINE) -> None:
        """Record what need not be in the log before its sender goes on. Raises Refused, LogError."""
        await self._commands.report(report, actor)

    async def take(self, records: Sequence[e.Record]) -> None:
        """Fold what the engines of other hosts have appended."""
        await self._commands.take(records)

    def recorded(self, agent: str, records: Sequence[Mapping[str, object]]) -> None:
        """Take what the gate of `agent` saw being written. Raises ValueError, TypeError."""
        self._trees.recorded(agent, records)

    def missed(self, agent: str) -> None:
        """Writes of `agent` went unrecorded."""
        self._trees.missed(agent)

    async def changed(self, condition: Callable[[State], bool], seconds: float) -> bool:
        """Wait until `condition` holds of the state; False after `seconds`."""
        return await self._commands.changed(condition, seconds)

    async def front_agent(self, pid: int, seconds: float) -> str | None:
        """The agent in whose pane `pid` is the first process."""
        return await self._effects.front_agent(pid, seconds)

    def supervise(self, pid: int, agent: str) -> None:
        """Remember that `pid` supervises `agent`."""
        self._supervisors.register(pid, agent)

    async def outfit(self, spec: AgentSpec) -> Outfit:
        """What an agent runs, its client's files written. Raises Refused."""
        agent, spec = self.state.agents.get(spec.id), self.vault.spec(spec)
        session = agent.resumes or None if agent is not None else None
        outfit = await asyncio.to_thread(fit_out, self.root, self.state, spec, session)
        if outfit.told:
            await self.handle_surely(ReportDelivered(spec.id, outfit.told, "prompt"), spec.id)
        return outfit

    def shut_down(self) -> None:
        """End everything that was started, soon."""
        self._leaving = DOWN
        self._wake.set()

    async def new_run(self) -> None:
        """Start over with the plan as it is in the file. Raises Refused while a run is under way."""
        plan = self._plan if self.plan_file is None else await asyncio.to_thread(load_plan, self.plan_file)
        await self.handle(c.StartRun(self.vault.keep(plan)), OPERATOR)

    async def sweep(self) -> None:
        """Look at every tree now; what is found is in the log afterwards, also of published interfaces."""
        await self._trees.sweep()
        await self._interfaces.settle()

    def root_of(self, agent: str) -> Path:
        """The top of the tree in which `agent` works."""
        return self._lanes.root_of(agent)

    def history_of(self, agent: str) -> History:
        """The history of the tree in which `agent` works."""
        return (self._trees.get(agent) or self._trees.main).history

    async def publish(self, agent: str, api: str, actor: str) -> None:
        """Publish an interface, its file and its command checked. Raises Refused, LogError."""
        await self._interfaces.publish(agent, api, actor)

    async def remove_lane(self, agent: str) -> bool:
        """Remove the worktree of `agent`; whether its branch went too. Raises Refused."""
        return await self._lanes.remove(agent)

    def program_ended(self, front: int, code: int | None, signal: int | None) -> None:
        """The program of the pane whose first process is `front` ended so."""
        self._effects.note_exit(front, code, signal)
        self._wake.set()

    # ── the run ─────────────────────────────────────────────────────────────────────────────────

    async def execute(self) -> State:
        """Run until the run is over (with `keep`, until it is told to leave); the state then.

        Raises LeaseTaken when another engine runs here, LogError, TmuxError.
        """
        lease = own_lease(time.time(), self._lease)
        self._log.take_lease(lease)
        async with AsyncExitStack() as stack:
            stack.callback(self._log.release_lease, lease.pid)
            stack.push_async_callback(self._commands.close)
            stack.callback(self._bell.close)
            stack.push_async_callback(self._trees.close)
            stack.callback(self._supervision.close)
            stack.callback(self._verbs.close)
            stack.callback(self.attempts.close)
            stack.callback(self.outputs.close)
            self.machine = await test_machine()
            self._commands.open(self._published, self.vault.clean)
            self._retention = Retention(self._log, self._commands, self._trees.unexpected, self._say)
            await self._post.open(stack, self._supervisors, self._verbs, self._pauses)
            stack.push_async_callback(self._surfaces.close)
            stack.push_async_callback(self._interfaces.close)
            stack.push_async_callback(self.showing.close)
            if self._others is not None:
                stack.push_async_callback(self._others.close)
            stack.push_async_callback(self._lookout.close)
            stack.push_async_callback(self._carrier.close)
            stack.push_async_callback(self._caller.close)
            adopted = await self._effects.adopt()
            if adopted:
                self._trees.resume(self.state.time)
            file = self.plan_file is not None
            await self._course.begin(lease.pid, socket.gethostname(), adopted, file=file)
            self.begun = True
            if self._others is not None:
                self._others.begin()
            self._surfaces.begin()
            self._lookout.begin()
            self._caller.begin()
            await self._supervision.wait_attached(adopted)
            await self._supervision.end_forgotten()
            await self._trees.begin()
            await self._lanes.resume()
            self.undoing = Undoing(self, self._log, self._trees.get)
            await self._trees.settle()
            self._interfaces.look_again()
            await self._rounds()
            await self._course.end_agents(self._leaving)
            await self.sweep()
            await self._lanes.integrate_completed()
            await self._trees.close()
            await self.handle_surely(c.LeaveEngine(self._leaving or "the run is over", self.host))
        return self.state

    async def last_touch(self, path: str) -> e.Touched | None:
        """The newest touch of a path of this host's checkout."""
        return await self._commands.last_touch(path, tree_of(self.host))

    async def _rounds(self) -> None:
        while not self._leaving:
            self._wake.clear()
            if self._post.rescue(self._log, self._say):
                self._bell.ring()
            shorten(self.root)
            before = self._effects.trouble
            await self._course.settle()
            await self._interfaces.settle()
            await self._effects.reconcile()
            await self.outputs.settle()
            self._carrier.settle()
            if self._effects.trouble not in ("", before):
                self._say(f"tmux: {self._effects.trouble}")
            await self._supervision.report_silent()
            await self._lanes.integrate_completed()
            self._trees.check()
            if self._others is not None:
                self._others.check()
            else:
                await self._retention.settle()
            why = "" if self._keep else await self._course.why_over()
            if why:
                self._leaving = why
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_ROUND_SECONDS):
                    await self._wake.wait()

    def _published(self, state: State, records: Sequence[e.Record]) -> None:
        self._bell.ring()
        self._surfaces.note()
        self._caller.note()
        self._supervision.published(state)
        self._trees.published(state)
        self._course.note(records)
        self._retention.note(records)
        self._interfaces.note(records)
        self.outputs.note(records)
