"""What looking at agents' panes costs: the watch of the screens, beside a process for each look."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.session import BenchmarkError
from benchmarks.table import Table, ratio
from runebook_tui.tmux.control import ControlClient
from runebook_tui.tmux.panes import TmuxError
from runebook_tui.tmux.server import TmuxServer
from runebook_tui.tui.backend import BackendError, Frame
from runebook_tui.tui.panewatch import PaneWatch

_SEEN = 8
_TICK = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")
# Ten lines a second, and no process for the pause between them.
_PRINTER = (
    'exec 3<> <(:); while :; do i=$((i+1)); echo "$i some words as an agent prints them"; '
    "read -t 0.1 -u 3; done"
)
_COLUMNS = (
    "panes",
    "nobody looks",
    "the watch, 8 seen",
    "one process a look",
    "looks a second",
    "to the watch",
)
_NOTE = (
    "Milliseconds of CPU a second: the observer, its processes and the tmux server together, over {seconds} "
    "s; every pane prints ten lines a second. The watch looks at the 8 panes that are on the screen, in one "
    "batch each 100 ms, through one connection. The alternative asks `tmux capture-pane` for every pane, one "
    "process each, as often as it gets round. The ratio compares ten looks a second at each: where the "
    "machine was too slow for that, what the looks cost that it managed is taken times as many."
)
_LOOKS = 10.0


class Size(NamedTuple):
    """How many panes there are, and for how long each way is measured, in seconds."""

    panes: tuple[int, ...]
    seconds: float


FULL, QUICK = Size((8, 32, 100), 6.0), Size((8,), 1.0)


def measure(folder: Path, size: Size) -> Iterator[Table]:
    """The table of what looking costs."""
    rows = [_row(folder, count, size.seconds) for count in size.panes]
    yield Table("Looking at panes", _COLUMNS, rows, _NOTE.format(seconds=size.seconds))


def _row(folder: Path, count: int, seconds: float) -> Sequence[str]:
    """The figures of so many panes."""
    swept: list[float] = []
    with _printing(folder, count) as (server, panes):
        pid = int(_tmux(server, "display-message", "-p", "#{pid}"))
        seen = panes[:_SEEN]
        rest = _spent(pid, lambda: time.sleep(seconds)) / seconds
        watch = _spent(pid, lambda: asyncio.run(_watch(server, seen, seconds))) / seconds
        polled = _spent(pid, lambda: swept.append(_poll(server, panes, seconds))) / seconds
    cells = [f"{each * 1000:.0f}" for each in (rest, watch, polled)]
    often = rest + (polled - rest) * _LOOKS / swept[0]
    return (str(count), *cells, f"{swept[0]:.1f}", ratio(often, watch))


@contextmanager
def _printing(folder: Path, count: int) -> Iterator[tuple[str, list[str]]]:
    """A private tmux server with so many panes that print: its name, and the panes' ids."""
    server = TmuxServer(f"runebook-bench-{uuid.uuid4().hex[:12]}", folder / "tmux")
    try:
        argv = ["bash", "-c", _PRINTER]
        panes = [server.start_pane(f"agent-{at}", argv, folder, {}).pane_id for at in range(count)]
        yield server.socket_name, panes
    finally:
        server.kill_server()


def _spent(server_pid: int, look: Callable[[], object]) -> float:
    """The CPU seconds of this process, the processes it started, and the server, while `look` runs."""
    before = _now(server_pid)
    look()
    return _now(server_pid) - before


def _now(server_pid: int) -> float:
    fields = Path(f"/proc/{server_pid}/stat").read_text().rpartition(")")[2].split()
    spent = (int(fields[11]) + int(fields[12])) / _TICKS
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(who)
        spent += used.ru_utime + used.ru_stime
    return spent


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


async def _watch(server: str, panes: Sequence[str], seconds: float) -> None:
    """Look as the screens do."""
    control = ControlClient(server)
    await control.connect()
    watch = PaneWatch(_captures(control))
    viewers = [_Seen(pane) for pane in panes]
    for viewer in viewers:
        watch.add(viewer)
    try:
        async with asyncio.timeout(seconds):
            await watch.run()
    except TimeoutError:
        pass
    finally:
        await control.close()
    if not all(viewer.looks for viewer in viewers):
        raise BenchmarkError("a pane was never looked at")


def _captures(
    control: ControlClient,
) -> Callable[[Sequence[str]], Awaitable[Mapping[str, Frame | BackendError]]]:
    async def captures(panes: Sequence[str]) -> Mapping[str, Frame | BackendError]:
        found: dict[str, Frame | BackendError] = {}
        for pane, frame in (await control.captures(panes)).items():
            if isinstance(frame, TmuxError):
                found[pane] = BackendError(str(frame))
            else:
                found[pane] = Frame(frame.lines, frame.cursor, frame.history)
        return found

    return captures


def _poll(server: str, panes: Sequence[str], seconds: float) -> float:
    """Ask for every pane by a process of its own; how often a second each was asked for."""
    end = time.monotonic() + seconds
    looks = 0
    while (begun := time.monotonic()) < end:
        for pane in panes:
            _tmux(server, "capture-pane", "-p", "-e", "-t", pane)
            looks += 1
            if time.monotonic() > end:
                break
        time.sleep(max(0.0, _TICK - (time.monotonic() - begun)))
    return looks / len(panes) / seconds


def _tmux(server: str, *words: str) -> str:
    done = subprocess.run(["tmux", "-L", server, *words], capture_output=True, text=True, check=True)
    return done.stdout
