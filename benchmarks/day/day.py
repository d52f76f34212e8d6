"""One day: the engine, a real pane for every agent, the screens in a terminal, an operator, the gauges."""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

from benchmarks.day.ground import PLAN_TITLE, lay
from benchmarks.day.keys import Keys
from benchmarks.day.orders import Course, Desk
from benchmarks.engine import Engine
from benchmarks.frame import Frame
from benchmarks.session import PROGRAM, BenchmarkError
from benchmarks.soak.gauges import Gauge, children, resident, size_of
from benchmarks.terminal import Terminal
from runebook_tui.execution.client import EngineClient, EngineDown, EngineRefused

_PATIENCE = 60.0


class Day(Frame):
    """Its `step` is called again and again."""

    PATIENCE = 600.0

    def __init__(
        self, folder: Path, *, agents: int, hours: float, seconds: float, gate: str, seed: int
    ) -> None:
        self._random = random.Random(seed)
        names = [f"agent-{number:03}" for number in range(agents)]
        self.desk = Desk(folder / "orders", names)
        self._environment = {**os.environ, "HOME": str(folder)}
        root = lay(folder / "ground", self.desk, gate)
        super().__init__(folder, Engine(root, folder / "engine.out", self._environment), gate)
        self.course = Course(names, hours, seconds, seed)
        self.gauges: dict[str, Gauge] = {}
        self.decided = 0
        self.failures: list[str] = []
        self.begun = 0.0
        """When every agent was at work, monotonic seconds."""
        self._answered: set[int] = set()

    def _begin(self) -> None:
        self._stack.callback(self.desk.close)
        self._work()
        self.screens = Terminal(PROGRAM, self.root, self._environment)
        self._stack.callback(self.screens.close)
        self.screens.until(re.compile(re.escape(PLAN_TITLE)), self.PATIENCE)
        self.keys = Keys(self.screens, self.PATIENCE)
        self._stack.callback(self.keys.close)
        self._supervisors = self._supervising()
        self.begun = time.monotonic()

    @property
    def now(self) -> float:
        """Seconds since every agent was at work."""
        return time.monotonic() - self.begun

    def step(self) -> None:
        """Tell the agents what is due, and answer what is asked. Raises BenchmarkError."""
        self.engine.check()
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
        tmux = self.engine.tmux_server()
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

    def _supervising(self) -> list[int]:
        fronts = [agent.pid for agent in self.state.agents.values() if agent.pid]
        return [*fronts, *(child for front in fronts for child in children(front)[:1])]


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
