"""A program for the benchmarks: the real screens on a backend whose agents print and write without a pause.

`python -m benchmarks.busy_screen AGENTS [UPDATES]`: with UPDATES it takes so many as fast as it can and then
writes into the file `memory` how many KiB it held after a tenth of them and at the end.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from runebook_tui.core import commands as c
from runebook_tui.core.activity import Activity
from runebook_tui.core.types import OPERATOR, Author, Change, ExecutionPlan, Version
from runebook_tui.tui.app import RunebookApp
from runebook_tui.tui.backend import BackendError, Frame, Update
from runebook_tui.tui.memory import MemoryBackend

_KEPT = 5_000
"""Records of the log that the backend holds."""
_STREAM = 500
"""Updates that are told again and again."""
_SECONDS = 0.1
_WRITES = 10
"""Writes of which the last comes with what its agent's client says that it does."""


class Busy(MemoryBackend):
    """Agents that print at every look; one after the other writes a file, and some say what they do."""

    def __init__(self, agents: int, updates: int) -> None:
        super().__init__()
        self._agents = [f"agent-{number:03}" for number in range(agents)]
        self._updates = updates
        self._looks = 0
        self._busy = agents > 2
        plan = ExecutionPlan.model_validate(
            {
                "plan": {"name": "busy"},
                "phases": [{"id": "build"}],
                "agents": [
                    {"id": agent, "phase": "build", "command": ["work"], "claims": [f"{agent}/**"]}
                    for agent in self._agents
                ],
            }
        )
        self.do(c.TakeEngine(1, "host"))
        self.do(c.StartRun(plan), actor=OPERATOR)
        for pid, agent in enumerate(self._agents):
            self.do(c.ReportStarted(agent, f"%{pid}", 1000 + pid))
        for number in range(_KEPT if self._busy else 0):
            self._write(number)
        self._stream = [self._written(_KEPT + number) for number in range(_STREAM if self._busy else 0)]

    def _write(self, number: int) -> None:
        agent = self._agents[number % len(self._agents)]
        before, after = (Version(kind="file", digest=str(each), size=each) for each in (number, number + 1))
        change = Change(
            path=f"{agent}/file-{number // len(self._agents) % 20}", before=before, after=after, added=1
        )
        self.do(c.Observe((c.Touch(change, Author(name=agent, evidence="the gate saw it", pid=1)),)))
        if number % _WRITES == 0:
            self.do(c.ReportActivity(agent, "a client", Activity.WORKING, tokens=number))

    def _written(self, number: int) -> Update:
        """A write as a follower of the log is told it: what the engine does for it is done before."""
        known = len(self.records)
        self._write(number)
        return Update(self.state, tuple(self.records[known:]), engine_alive=True)

    async def follow(self) -> AsyncIterator[Update]:
        """The state, then a write after the other."""
        writing = asyncio.create_task(self._go_on()) if self._busy else None
        try:
            async for update in super().follow():
                yield update
        finally:
            if writing is not None:
                writing.cancel()

    async def _go_on(self) -> None:
        held: list[int] = []
        for number in range(self._updates or 10**9):
            for follower in self._followers:
                follower.put_nowait(self._stream[number % _STREAM])
            await asyncio.sleep(0 if self._updates else _SECONDS / 10)
            if self._updates and number in (self._updates // 10, self._updates - 1):
                held.append(_held())
        if held:
            await asyncio.to_thread(Path("memory").write_text, " ".join(map(str, held)))

    async def captures(self, agents: Sequence[str]) -> Mapping[str, Frame | BackendError]:
        """A screen of 50 rows in colours, another one at every look."""
        self._looks += self._busy
        rows = [
            b"\x1b[3%dm%d\x1b[0m some words as an agent prints them, row %d" % (row % 8, self._looks, row)
            for row in range(50)
        ]
        return {agent: Frame(tuple(rows), (0, 49), self._looks, 120) for agent in agents}


def _held() -> int:
    """The KiB of memory that this process holds."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    agents, updates, *_ = [*map(int, sys.argv[1:]), 0]
    RunebookApp(Busy(agents, updates)).run()
