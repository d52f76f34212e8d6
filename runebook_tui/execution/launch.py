"""Starting an engine in the background, for a command that needs one."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from runebook_tui.execution.client import EngineClient, EngineDown
from runebook_tui.execution.enginelog import report_path, shorten

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
    it would else take over when the other is stopped.
    """
    shorten(root)
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
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        answering = _answering(root)
        if answering is not None:
            if answering != process.pid:
                process.terminate()
                process.wait()
            return
        if process.poll() is not None:
            with report.open("rb") as said:
                said.seek(start)
                words = said.read(4000).decode("utf-8", "replace").strip().splitlines()
            raise LaunchError(
                words[-1].removeprefix("runebook-tui: ")
                if words
                else f"the engine ended with status {process.returncode}"
            )
        time.sleep(_STEP_SECONDS)
    raise LaunchError(f"the engine did not answer within {START_SECONDS:g} seconds; see {report}")
