"""What looking at agents' panes costs: Runebook's watch beside a process for each look.

Nothing is scaled: the figures are those of the seconds that were measured, and a way that does not get round
as often as it should says how often it did.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.session import BenchmarkError
from benchmarks.table import Table, percentile, ratio
from runebook_tui.core import commands as c
from runebook_tui.core.observed import ReportObserved
from runebook_tui.core.types import OPERATOR, ExecutionPlan
from runebook_tui.execution.lookout import Lookout, all_rules
from runebook_tui.execution.vault import Vault
from runebook_tui.tmux.control import ControlClient
from runebook_tui.tmux.panes import TmuxError
from runebook_tui.tmux.server import TmuxServer
from runebook_tui.tui.backend import BackendError, Frame
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.panewatch import PaneWatch

_SEEN = 8
_TICKS = os.sysconf("SC_CLK_TCK")
PRINTER = (
    'exec 3<> <(:); while :; do i=$((i+1)); echo "$i some words as an agent prints them" || exit; '
    "read -t 0.1 -u 3; done"
)
"""A program for bash: ten lines a second while somebody reads them, and no process for the pause between."""
_COLUMNS = (
    "panes, who looks",
    "looks a second",
    "text at most old, ms",
    "the looker",
    "tmux server",
    "together",
    "more than nobody",
    "a look at a pane",
    "to Runebook's",
)
_NOTE = (
    "Milliseconds of CPU a second over {seconds:g} s, from /proc/PID/stat and the children's rusage: the "
    "looker with the processes that it starts, and the tmux server. The server spends most on reading what "
    "the panes print, ten lines a second each, whoever looks; `more than nobody` is what looking adds to "
    "that, and `a look at a pane` is that by the looks that were managed. `text at most old`: p99 of how "
    "old the text of a pane is just before the next look replaces it. `to Runebook's` compares looks at a "
    "pane at the same pace: like for like. As it is used, Runebook reads the 8 panes that are on the screen "
    "ten times a second, and asks once a second which of all have changed; of those it reads the last lines "
    "once they are quiet, or every three seconds. Who asks by processes cannot know what changed, and asks "
    "for all."
)


class Size(NamedTuple):
    """How many panes there are, and for how long each way is measured, in seconds."""

    panes: tuple[int, ...]
    seconds: float


FULL, QUICK = Size((8, 32, 100), 6.0), Size((8,), 1.5)


class Cost(NamedTuple):
    """CPU seconds a second: of the looker with its children, and of the tmux server."""

    looker: float
    server: float

    @property
    def together(self) -> float:
        """Of both."""
        return self.looker + self.server


class Looks:
    """When each pane was looked at."""

    def __init__(self) -> None:
        self._asked: dict[str, float] = {}
        self._ages: list[float] = []
        self._count = 0

    def took(self, panes: Sequence[str], asked: float) -> None:
        """The panes' texts came that were asked for at that moment."""
        now = time.monotonic()
        self._count += len(panes)
        for pane in panes:
            if pane in self._asked:
                self._ages.append(now - self._asked[pane])
            self._asked[pane] = asked

    def often(self, seconds: float) -> float:
        """Looks at a pane in a second."""
        return self._count / max(1, len(self._asked)) / seconds

    @property
    def oldest(self) -> float:
        """How old a text becomes, in seconds (p99)."""
        return percentile(self._ages, 99)


Look = Callable[[str, Sequence[str], float, Looks], None]
"""Looks at the panes of a server for some seconds."""


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The table of what looking costs."""
    rows = [row for count in size.panes for row in _rows(folder, count, size.seconds)]
    yield Table("Looking at panes", _COLUMNS, rows, _NOTE.format(seconds=size.seconds))


def _rows(folder: Path, count: int, seconds: float) -> Iterator[Sequence[str]]:
    """The figures of so many panes."""
    with printing(folder, count) as (server, panes):
        pid = int(tmux(server, "display-message", "-p", "#{pid}"))
        backend = _state(panes)
        all_rules()
        ways: list[tuple[str, float | None, Look]] = [
            (f"all {1 / pace:g} a second: {name}", pace, look(pace))
            for pace in (1.0, 0.1)
            for name, look in _WAYS.items()
        ]
        ways.append(("Runebook as it is used", None, _as_used(backend)))
        rest = [_spent(pid, seconds, lambda: time.sleep(seconds))]
        costs = []
        for _, _, look in ways:
            looks = Looks()
            costs.append((looks, _spent(pid, seconds, partial(look, server, panes, seconds, looks))))
        rest.append(_spent(pid, seconds, lambda: time.sleep(seconds)))
    idle = sum(each.together for each in rest) / len(rest)
    yield (f"{count}, nobody", "–", "–", "0", *[f"{idle * 1000:.0f}"] * 2, "0", "–", "–")
    ours: dict[float, float] = {}
    for (name, pace, _), (looks, cost) in zip(ways, costs, strict=True):
        more = cost.together - idle
        each = more / (looks.often(seconds) * count)
        against = ratio(each, ours.setdefault(pace, each)) if pace is not None else "–"
        spent = [cost.looker, cost.server, cost.together, more]
        cells = [f"{looks.often(seconds):.1f}", f"{looks.oldest * 1000:,.0f}"]
        cells += [f"{part * 1000:.0f}" for part in spent]
        cells += [f"{each * 1000:.2f}" if pace is not None else "–", against]
        yield (f"{count}, {name}", *cells)


@contextmanager
def printing(folder: Path, count: int) -> Iterator[tuple[str, list[str]]]:
    """A private tmux server with so many panes that print: its name, and the panes' ids."""
    server = TmuxServer(f"runebook-bench-{uuid.uuid4().hex[:12]}", folder / "tmux")
    try:
        argv = ["bash", "-c", PRINTER]
        panes = [server.start_pane(f"agent-{at}", argv, folder, {}).pane_id for at in range(count)]
        yield server.socket_name, panes
    finally:
        server.kill_server()


def _spent(server_pid: int, seconds: float, look: Callable[[], object]) -> Cost:
    """What this process, the processes it started and the server spend a second while `look` runs."""
    before = _now(server_pid)
    look()
    after = _now(server_pid)
    return Cost((after.looker - before.looker) / seconds, (after.server - before.server) / seconds)


def _now(server_pid: int) -> Cost:
    fields = Path(f"/proc/{server_pid}/stat").read_text().rpartition(")")[2].split()
    spent = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(who)
        spent += used.ru_utime + used.ru_stime
    return Cost(spent, (int(fields[11]) + int(fields[12])) / _TICKS)


def _connection(pace: float) -> Look:
    """Every pane, by the connection that the screens use."""

    async def look(server: str, panes: Sequence[str], seconds: float, looks: Looks) -> None:
        control = ControlClient(server)
        await control.connect()
        try:
            for asked in _paced(end := time.monotonic() + seconds):
                for pane, frame in (await control.captures(panes)).items():
                    if isinstance(frame, TmuxError):
                        raise BenchmarkError(f"pane {pane} cannot be read: {frame}")
                looks.took(panes, asked)
                await asyncio.sleep(max(0.0, min(end, asked + pace) - time.monotonic()))
        finally:
            await control.close()

    return lambda server, panes, seconds, looks: asyncio.run(look(server, panes, seconds, looks))


def _processes(pace: float) -> Look:
    """Every pane, by a process of its own."""

    def look(server: str, panes: Sequence[str], seconds: float, looks: Looks) -> None:
        for begun in _paced(end := time.monotonic() + seconds):
            for pane in panes:
                if (asked := time.monotonic()) > end:
                    return
                tmux(server, "capture-pane", "-p", "-e", "-t", pane)
                looks.took([pane], asked)
            time.sleep(max(0.0, min(end, begun + pace) - time.monotonic()))

    return look


def _one_process(pace: float) -> Look:
    """Every pane, by one process that is given all commands."""

    def look(server: str, panes: Sequence[str], seconds: float, looks: Looks) -> None:
        words = [word for pane in panes for word in ("capture-pane", "-p", "-e", "-t", pane, ";")]
        for asked in _paced(end := time.monotonic() + seconds):
            tmux(server, *words[:-1])
            looks.took(panes, asked)
            time.sleep(max(0.0, min(end, asked + pace) - time.monotonic()))

    return look


_WAYS: Mapping[str, Callable[[float], Look]] = {
    "Runebook's connection": _connection,
    "a process each": _processes,
    "one process for all": _one_process,
}


def _paced(end: float) -> Iterator[float]:
    """The moments at which rounds begin; whoever takes them waits between two."""
    while (now := time.monotonic()) < end:
        yield now


class _Seen:
    """A viewer that is always on the screen."""

    seen = True

    def __init__(self, pane: str) -> None:
        self.agent: str | None = pane
        self.looks = 0

    def took(self, found: Frame | BackendError | None) -> None:
        """Count what came."""
        if not isinstance(found, Frame):
            raise BenchmarkError(f"pane {self.agent} cannot be read: {found}")
        self.looks += 1


def _as_used(backend: MemoryBackend) -> Look:
    """As the screens and the engine look: at eight panes, and whether the others have changed."""
    return lambda server, panes, seconds, looks: asyncio.run(_use(backend, server, panes, seconds, looks))


async def _use(
    backend: MemoryBackend, server: str, panes: Sequence[str], seconds: float, looks: Looks
) -> None:
    control = ControlClient(server)
    await control.connect()
    watch = PaneWatch(_captures(control, looks))
    viewers = [_Seen(pane) for pane in panes[:_SEEN]]
    for viewer in viewers:
        watch.add(viewer)
    told: list[ReportObserved] = []

    async def handle(report: ReportObserved) -> None:
        told.append(report)

    lookout = Lookout(ControlClient(server), lambda: backend.state, handle, Vault())
    lookout.begin()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await watch.run()
    finally:
        await lookout.close()
        await control.close()
    if not all(viewer.looks for viewer in viewers) or not told:
        raise BenchmarkError("a pane was never looked at")


def _state(panes: Sequence[str]) -> MemoryBackend:
    """A run with an agent for each pane."""
    backend = MemoryBackend()
    agents = [{"id": f"agent-{at}", "phase": "work", "command": ["work"]} for at in range(len(panes))]
    plan = {"plan": {"name": "panes"}, "phases": [{"id": "work"}], "agents": agents}
    backend.do(c.TakeEngine(1, "host"))
    backend.do(c.StartRun(ExecutionPlan.model_validate(plan)), actor=OPERATOR)
    for at, pane in enumerate(panes):
        backend.do(c.ReportStarted(f"agent-{at}", pane, 1000 + at))
    return backend


def _captures(
    control: ControlClient, looks: Looks
) -> Callable[[Sequence[str]], Awaitable[Mapping[str, Frame | BackendError]]]:
    async def captures(panes: Sequence[str]) -> Mapping[str, Frame | BackendError]:
        asked = time.monotonic()
        found: dict[str, Frame | BackendError] = {}
        for pane, frame in (await control.captures(panes)).items():
            if isinstance(frame, TmuxError):
                found[pane] = BackendError(str(frame))
            else:
                found[pane] = Frame(frame.lines, frame.cursor, frame.history)
        looks.took(panes, asked)
        return found

    return captures


def tmux(server: str, *words: str) -> str:
    """What a tmux command of the private server says."""
    done = subprocess.run(["tmux", "-L", server, *words], capture_output=True, text=True, check=True)
    return done.stdout
