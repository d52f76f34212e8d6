"""The end of a session: engine, tmux server, and whatever else was started for it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.soak.gauges import speaking_of
from runebook_tui.execution.client import EngineClient, EngineError
from runebook_tui.place import runtime_folder, tmux_socket_name

END_SECONDS = 30.0


def end_engine(engine: subprocess.Popen[bytes], root: Path, environment: Mapping[str, str]) -> None:
    """Have the engine end everything; what is left of it and its tmux server is killed."""
    try:
        with EngineClient(root) as client:
            client.ask("down")
        engine.wait(END_SECONDS)
    except (EngineError, TimeoutError, subprocess.TimeoutExpired):
        engine.kill()
        engine.wait()
    subprocess.run(
        ["tmux", "-L", tmux_socket_name(root), "kill-server"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, env=environment,
    )  # fmt: skip
    # tmux leaves its socket where it was.
    Path(f"/tmp/tmux-{os.getuid()}", tmux_socket_name(root)).unlink(missing_ok=True)


def kill_left(folder: Path, root: Path) -> list[str]:
    """Wait for every process that speaks of `folder` to end, and kill the others; their command lines."""
    deadline = time.monotonic() + END_SECONDS
    while (left := speaking_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    found = []
    for pid in left:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            os.kill(pid, signal.SIGKILL)
        except (OSError, ProcessLookupError):
            continue
        found.append(f"pid {pid}: {words[:200]}")
    runtime = runtime_folder(root)
    if runtime.exists():
        subprocess.run(["rm", "-rf", str(runtime)], check=False)
    return found
