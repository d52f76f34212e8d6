"""Starting an engine in the background, for a command that needs one."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from runebook_tui.execution.client import EngineClient, EngineDown
from runebook_tui.execution.enginelog import report_path, shorten
from runebook_tui.execution.follow import engine_alive, open_log
from runebook_tui.log.eventlog import LogError

START_SECONDS = 20.0
ANOTHER_RUNS = 3
"""The exit status of an engine that ends at once because another, alive, holds the lease."""

_STEP_SECONDS = 0.02


class LaunchError(Exception):
    """The engine did not come up; the message is one line for people."""


def engine_answers(root: Path) -> bool:
    """Whether an engine answers on the socket of the repository at `root`."""
    return _answering(root) is not None


def _answering(root: Path) -> int | None:
    try:
        with EngineClient(root) as client:
            return int(client.ask("hello")["pid"])
    except (EngineDown, TimeoutError):
        return None


def launch_engine(root: Path) -> None:
    """Start an engine that outlives this process, and wait until one answers. Raises LaunchError.

    What it says goes to `.runebook/engine.log`. Where another was beginning and answers first, this one ends:
    it would else take over when the other is stopped. Where it ends by itself, since another holds the lease,
    that one is waited for, and another one started should it end instead.
    """
    shorten(root)
    deadline = time.monotonic() + START_SECONDS
    while not _launch(root, deadline):
        while _is_held(root):
            if engine_answers(root):
                return
            if time.monotonic() > deadline:
                raise LaunchError(f"an engine runs, and did not answer within {START_SECONDS:g} seconds")
            time.sleep(_STEP_SECONDS)


def _launch(root: Path, deadline: float) -> bool:
    """Start an engine, and wait until one answers; False if it ended as another runs. Raises LaunchError."""
    report = report_path(root)
    with report.open("ab") as output:
        start = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "runebook_tui", "run", "--keep"],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    while time.monotonic() < deadline:
        answering = _answering(root)
        if answering is not None:
            if answering != process.pid:
                process.terminate()
                process.wait()
            return True
        if process.poll() == ANOTHER_RUNS:
            return False
        if process.poll() is not None:
            with report.open("rb") as said:
                said.seek(start)
                words = said.read(4000).decode("utf-8", "replace").strip().splitlines()
            ended = f"the engine ended with status {process.returncode}"
            raise LaunchError(words[-1].removeprefix("runebook-tui: ") if words else ended)
        time.sleep(_STEP_SECONDS)
    raise LaunchError(f"the engine did not answer within {START_SECONDS:g} seconds; see {report}")


def _is_held(root: Path) -> bool:
    """Whether a living engine holds the lease of this checkout."""
    try:
        with open_log(root) as log:
            return engine_alive(log, root)
    except LogError:
        return False
