"""One day: the engine, a real pane for every agent, the screens in a terminal, an operator, the gauges."""

from __future__ import annotations

import os
import random
import re
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.day.ground import PLAN_TITLE, lay
from benchmarks.day.keys import Keys
from benchmarks.day.orders import Course, Desk
from benchmarks.ending import end_engine, kill_left
from benchmarks.processes import start
from benchmarks.session import PROGRAM, BenchmarkError, Follower
from benchmarks.soak.gauges import Gauge, children, resident, size_of
from benchmarks.terminal import Terminal
from runebook_tui.core.state import State
from runebook_tui.execution.client import EngineClient, EngineDown, EngineRefused
from runebook_tui.place import tmux_socket_name

START_SECONDS = 600.0
_PATIENCE = 60.0


class Day:
    """Runs from `with` to its end; `step` is called again and again between."""

    def __init__(
        self, folder: Path, *, agents: int, hours: float, seconds: float, gate: str, seed: int
    ) -> None:
        self._folder = folder
        self._gate = gate
        self._stack = ExitStack()
        self._random = random.Random(seed)
        names = [f"agent-{number:03}" for number in range(agents)]
        self.desk = Desk(folder / "orders", names)
        self.root = lay(folder / "ground", self.desk, gate)
        self.course = Course(names, hours, seconds, seed)
        self.gauges: dict[str, Gauge] = {}
        self.decided = 0
        self.failures: list[str] = []
        self.left: list[str] = []
        """Command lines of what outlived the day and had to be killed."""
        self.begun = 0.0
        """When every agent was at work, monotonic seconds."""
        self._answered: set[int] = set()

    def __enter__(self) -> Day:
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> None:
        environment = {**os.environ, "HOME": str(self._folder)}
        self._stack.callback(self._kill_left)
        self._stack.callback(self.desk.close)
        said = self._folder / "engine.out"
        with said.open("wb") as out:
            self.engine = start(
                [*PROGRAM, "run", "--keep"],
                cwd=self.root, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        self._stack.callback(end_engine, self.engine, self.root, environment)
        self.log = Follower(self.root)
        self._stack.callback(self.log.close)
        self._until("every agent under its gate", self._at_work)
        self.screens = Terminal(PROGRAM, self.root, environment)
        self._stack.callback(self.screens.close)
        self.screens.until(re.compile(re.escape(PLAN_TITLE)), START_SECONDS)
        self.keys = Keys(self.screens, START_SECONDS)
        self._stack.callback(self.keys.close)
        self._supervisors = self._supervising()
        self.begun = time.monotonic()

    @property
    def state(self) -> State:
        """What the log says now."""
        return self.log.state

    @property
    def now(self) -> float:
        """Seconds since every agent was at work."""
        return time.monotonic() - self.begun

    def step(self) -> None:
        """Tell the agents what is due, and answer what is asked. Raises BenchmarkError."""
        if self.engine.poll() is not None:
            said = (self._folder / "engine.out").read_text(errors="replace")
            raise BenchmarkError(f"the engine ended: {said[-2000:]}")
        if not self.keys.alive:
            raise BenchmarkError("the screens paint nothing any more when a key is pressed")
        for order in self.course.due(self.now):
            self.desk.give(order)
        asked = [each.id for each in self.state.open_requests if each.id not in self._answered]
        if asked:
            self._decide(asked)
        self.log.until(lambda: False, 0.05)

    def sample(self) -> None:
        """Note what every process holds, and what every file below `.runebook` takes."""
        tmux = self._tmux()
        sizes = {
            "engine": resident(self.engine.pid),
            "screens": resident(self.screens.pid),
            "tmux": None if tmux is None else resident(tmux),
            "supervisors": sum(resident(pid) or 0 for pid in self._supervisors),
        }
        for name, size in sizes.items():
            if size is None:
                raise BenchmarkError(f"{name} is gone")
            self.gauges.setdefault(name, Gauge(name, 0)).take(self.now, size)
        for name, size in stores(self.root).items():
            self.gauges.setdefault(name, Gauge(name, 0)).take(self.now, size)

    def settle(self) -> bool:
        """Wait until all that was told is done and decided; whether that came about."""
        deadline = time.monotonic() + _PATIENCE
        self.step()
        while self.state.open_requests and time.monotonic() < deadline:
            self.step()
        return not self.state.open_requests

    def _decide(self, asked: list[int]) -> None:
        with EngineClient(self.root) as engine:
            for request in asked:
                self._answered.add(request)
                verb = self._random.choice(("approve", "reject"))
                try:
                    engine.ask(verb, request=request, timeout=_PATIENCE)
                except EngineRefused as error:
                    if self.state.requests[request].status != "withdrawn":
                        self.failures.append(f"request {request} could not be decided: {error}")
                except (EngineDown, TimeoutError) as error:
                    raise BenchmarkError(f"the engine did not take a decision: {error!r}") from error
                else:
                    self.decided += 1

    def _at_work(self) -> bool:
        if self.engine.poll() is not None:
            said = (self._folder / "engine.out").read_text(errors="replace")
            raise BenchmarkError(f"the engine ended: {said[-2000:]}")
        agents = self.state.agents.values()
        for agent in agents:
            if agent.gate_mode is not None and agent.gate_mode.value != self._gate:
                raise BenchmarkError(f"the gate of {agent.id} does not {self._gate} here: {agent.gate}")
        return bool(agents) and all(agent.gate_mode is not None for agent in agents)

    def _supervising(self) -> list[int]:
        fronts = [agent.pid for agent in self.state.agents.values() if agent.pid]
        return [*fronts, *(child for front in fronts for child in children(front)[:1])]

    def _tmux(self) -> int | None:
        asked = subprocess.run(
            ["tmux", "-L", tmux_socket_name(self.root), "display-message", "-p", "#{pid}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return int(asked.stdout) if asked.returncode == 0 else None

    def _until(self, what: str, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise BenchmarkError(f"never came: {what}")
            self.log.until(lambda: False, 0.1)

    def close(self) -> None:
        """End everything, in the reverse order of its beginning; twice is once."""
        self._stack.close()

    def _kill_left(self) -> None:
        self.left += kill_left(self._folder, self.root)


def stores(root: Path) -> dict[str, int]:
    """Bytes of each store and file below `.runebook`, by name; the log with its write-ahead file."""
    found: dict[str, int] = {}
    for each in os.scandir(root / ".runebook"):
        name = each.name.partition("-")[0] if each.name.startswith("log.sqlite-") else each.name
        try:
            size = size_of(Path(each.path)) if each.is_dir(follow_symlinks=False) else each.stat().st_size
        except FileNotFoundError:  # one that is written anew
            continue
        found[f".runebook/{name}"] = found.get(f".runebook/{name}", 0) + size
    return found
