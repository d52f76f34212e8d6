"""The frame of a long run: an engine, its agents under their gates, and nothing left of them at the end."""

from __future__ import annotations

import os
import shutil
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from benchmarks.engine import END_SECONDS, Engine
from benchmarks.session import BenchmarkError, Follower
from benchmarks.soak.gauges import speaking_of
from runebook_tui.core.state import AgentState, State
from runebook_tui.core.types import AgentStatus
from runebook_tui.place import runtime_folder

_STEP_SECONDS = 0.02


class Frame(ABC):
    """Lasts from `with` to its end; each kind of run says in `_begin` what there is in it.

    Everything lies in `folder`, which is the caller's to remove. The agents' gates are `gate`, in the words
    of the plan.
    """

    PATIENCE = 60.0
    """How long anything may take to come about, seconds."""
    END_PATIENCE = END_SECONDS
    """How long what was started may take to end by itself, seconds."""
    failure: type[Exception] = BenchmarkError
    """What is raised when something does not come about."""

    def __init__(self, folder: Path, engine: Engine, gate: str) -> None:
        self.folder = folder
        self.engine = engine
        self.root = engine.root
        self.gate = gate
        self.left: list[str] = []
        """Command lines of what outlived the run and had to be killed."""
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._stack.callback(self._kill_left)
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything, in the reverse order of its beginning; twice is once."""
        self._stack.close()

    @abstractmethod
    def _begin(self) -> None:
        """Start everything, and leave with `_stack` how it ends."""

    @property
    def state(self) -> State:
        """What a follower of the log has."""
        return self.log.state

    def until(self, what: str, holds: Callable[[], object]) -> None:
        """Wait until `holds`. Raises `failure`."""
        deadline = time.monotonic() + self.PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                raise self.failure(f"never came: {what}")
            time.sleep(_STEP_SECONDS)

    def _work(self, *others: Engine) -> None:
        """Start the engine, and `others` on other hosts, and wait until every agent is under its gate."""
        for engine in (self.engine, *others):
            self._stack.callback(engine.end)
            engine.start()
        self.log = Follower(self.root)
        self._stack.callback(self.log.close)
        self.until("every agent under its gate", self._gated)

    def _gated(self) -> bool:
        self.engine.check()
        agents = self._expected()
        for agent in agents:
            wrong = agent.gate_mode is not None and agent.gate_mode.value != self.gate
            if wrong or agent.status is AgentStatus.FAILED:
                raise BenchmarkError(f"the gate of {agent.id} does not {self.gate} here: {agent.gate}")
        return bool(agents) and all(map(self._is_gated, agents))

    def _expected(self) -> list[AgentState]:
        """The agents that are to work from the beginning on."""
        return list(self.state.agents.values())

    def _is_gated(self, agent: AgentState) -> bool:
        return agent.alive and agent.gate_mode is not None and agent.gate_holds is (self.gate != "off")

    def _kill_left(self) -> None:
        """Wait for every process that speaks of the folder to end, and kill the others."""
        deadline = time.monotonic() + self.END_PATIENCE
        while (left := speaking_of(self.folder)) and time.monotonic() < deadline:
            time.sleep(_STEP_SECONDS)
        for pid in left:
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
            self.left.append(f"pid {pid}: {words.decode(errors='replace')[:200]}")
        shutil.rmtree(runtime_folder(self.root), ignore_errors=True)
