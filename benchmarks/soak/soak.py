"""One soak: the engine, the agents in their panes, the operator, the gauges, and the end of them all."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.engine import END_SECONDS, Engine
from benchmarks.frame import Frame
from benchmarks.session import BenchmarkError
from benchmarks.soak import client as clients
from benchmarks.soak.gauges import Gauge, children, stopped
from benchmarks.soak.ground import Ground
from benchmarks.soak.model import Model, Script
from benchmarks.soak.notes import NoteReader
from benchmarks.soak.operator import Operator
from benchmarks.soak.wall import Wall
from runebook_tui.core.types import RequestKind
from runebook_tui.execution.client import EngineClient
from runebook_tui.place import tmux_socket_name

STALL_SECONDS = 90.0
_TURN_SECONDS = 1.5  # how long the client may take between two calls before its turn is over


class Soak(Frame):
    """Its `step` is called again and again."""

    PATIENCE = 180.0

    def __init__(self, folder: Path, *, agents: list[str], gate: str, seed: int, program: str | None) -> None:
        self.ground = Ground(folder)
        engine = Engine(self.ground.root, folder / "engine.out", self.ground.environment)
        super().__init__(folder, engine, gate)
        self.agents = agents
        self.failures: list[str] = []
        self.loops = 0
        """Rounds of all builds."""
        self.steps: dict[str, list[float]] = {}
        """Seconds of each build, by its name."""
        self.gauges: list[Gauge] = []
        self.echoes: list[float] = []
        """Seconds from a key to its being shown in the client's pane."""
        self.begun = 0.0
        """When every agent was at work, monotonic seconds."""
        self.model: Model | None = None
        self._seed = seed
        self._program = program
        self._builder = NoteReader(self.ground.notes / "builder")

    def _begin(self) -> None:
        command, variables = [], {}
        if "tui" in self.agents:
            program = clients.find(self._program, self.ground.folder / "client")
            self.script = Script(self.root, self._seed)
            self.model = Model(self.script)
            self._stack.callback(self.model.close)
            command = [program]
            variables = clients.configure(self.ground.folder / "client-home", self.model.address)
        self.ground.lay(
            agents=self.agents, gate=self.gate, seed=self._seed, client=command, client_env=variables
        )
        self.wall = Wall(self.root, "beta", enforced=self.gate == "enforce")
        if self.model is not None:
            self.script.guard(self.wall)
        self._work()
        self.gauges = self._processes()
        self.operator = Operator(self.root, self.log, self.wall, NoteReader(self.ground.notes / "writer"))
        self._stack.callback(self.operator.close)
        if self.model is not None:
            pane = self.state.agents["tui"].pane
            self.screen = clients.Screen(tmux_socket_name(self.root), str(pane), self.ground.environment)
            self.until("the client's screen", lambda: "ctrl+p" in self.screen.shown())
            self.screen.prompt()
            self.until("the client's first call", lambda: self.script.count)
        self.begun = time.monotonic()

    def step(self) -> None:
        """Read what the agents noted, sample the gauges, and keep the client at work.

        Raises BenchmarkError.
        """
        self.engine.check()
        if not self.operator.alive:
            raise BenchmarkError("the operator's thread ended")
        for note in self._builder.read():
            if note["do"] == "loop":
                self.loops += 1
            elif note["do"] == "step":
                self.steps.setdefault(note["name"], []).append(note["seconds"])
                if note["failure"]:
                    self.failures.append(f"build {note['name']}, loop {note['loop']}: {note['failure']}")
        for agent in self.state.agents.values():
            if not agent.alive:
                raise BenchmarkError(f"{agent.id} ended: {agent.reason} {' '.join(agent.last_lines)[-1000:]}")
        now = time.monotonic() - self.begun
        for gauge in self.gauges:
            gauge.sample(now)
        if self.model is not None:
            since = self.script.idle_since
            if since is not None and time.monotonic() - since > _TURN_SECONDS:
                self.script.idle_since = None
                self._type(self.screen.prompt)
            elif since is None and time.monotonic() - self.script.heard > STALL_SECONDS:
                self._silent(f"the client has said nothing for {STALL_SECONDS:g} s")
                self.script.heard = time.monotonic()

    def echo(self, times: int) -> list[float]:
        """Seconds from a key to its being shown, a few times; fewer when the client does not answer."""
        found: list[float] = []
        for _ in range(times):
            self._type(lambda: found.append(self.screen.echo()))
        self.echoes += found
        return found

    def _type(self, keys: Callable[[], None]) -> None:
        try:
            keys()
        except clients.Silent as error:
            self._silent(str(error))

    def _silent(self, words: str) -> None:
        """Tell that the client hangs, and whether its gate is why."""
        held = stopped(self.state.agents["tui"].pid or 0)
        requests = [each.id for each in self.state.open_requests]
        heard = time.monotonic() - self.script.heard
        self.failures.append(
            f"{words} (stopped by the gate: {held}; open requests: {requests}; last call {heard:.0f} s ago)"
        )

    def quiesce(self) -> None:
        """Let what is under way end: no new try, no open request."""
        for agent in self.agents:
            with EngineClient(self.root) as engine:
                engine.ask("stop", agent=agent, timeout=END_SECONDS)
        self.until("the agents' end", lambda: not any(self.state.agents[a].alive for a in self.agents))
        time.sleep(1.0)
        self.wall.audit()

    @property
    def unexpected(self) -> list[str]:
        """Requests about writes that had landed, where the gate enforces."""
        if self.gate != "enforce":
            return []
        crossed = [each for each in self.state.requests.values() if each.kind is RequestKind.CROSSED]
        return [f"request {each.id} says that {', '.join(each.paths)[:200]} was crossed" for each in crossed]

    def _processes(self) -> list[Gauge]:
        gauges = [Gauge("engine", self.engine.pid)]
        for name in self.agents:
            front = self.state.agents[name].pid or 0
            gauges.append(Gauge(f"{name} front", front))
            gauges += [Gauge(f"{name} server", child) for child in children(front)[:1]]
        return gauges
