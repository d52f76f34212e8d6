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
    while (words := _launch(root, deadline)) is not None:
        if not _is_held(root):
            raise LaunchError(words)
        while _is_held(root):
            if engine_answers(root):
                return
            if time.monotonic() > deadline:
                raise LaunchError(f"{words}, and did not answer within {START_SECONDS:g} seconds")
            time.sleep(_STEP_SECONDS)


def _launch(root: Path, deadline: float) -> str | None:
    """Start an engine, and wait until one answers; its last words if it ended instead. Raises LaunchError."""
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
            return None
        if process.poll() is not None:
            with report.open("rb") as said:
                said.seek(start)
                words = said.read(4000).decode("utf-8", "replace").strip().splitlines()
            ended = f"the engine ended with status {process.returncode}"
            return words[-1].removeprefix("runebook-tui: ") if words else ended
        time.sleep(_STEP_SECONDS)
    raise LaunchError(f"the engine did not answer within {START_SECONDS:g} seconds; see {report}")


def _is_held(root: Path) -> bool:
    """Whether a living engine holds the lease of this checkout."""
    try:
        with open_log(root) as log:
            return engine_alive(log, root)
    except LogError:
        return False
