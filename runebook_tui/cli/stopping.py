"""The command that stops the engine and everything that it started: down."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path

from runebook_tui.cli import shapes
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.execution.client import EngineClient, EngineDown
from runebook_tui.log.lease import process_start
from runebook_tui.place import tmux_socket_name

_DOWN_SECONDS = 30.0
_STEP_SECONDS = 0.01


def down(arguments: Namespace) -> int:
    """Stop the engine and every agent that it started, and nothing else."""
    root = root_of_plan()
    ended = _ask_down(root)
    if not ended:
        ended = _down_without_engine(root)
    if arguments.json:
        print(shapes.dump({"stopped": ended}))
    else:
        print("everything is stopped" if ended else "nothing was running")
    return 0


def _ask_down(root: Path) -> bool:
    try:
        with EngineClient(root) as client:
            pid = int(client.ask("down")["pid"])
            started = process_start(pid)
    except EngineDown:
        return False
    deadline = time.monotonic() + _DOWN_SECONDS
    while started is not None and process_start(pid) == started:
        if time.monotonic() > deadline:
            raise CommandError(f"the engine (pid {pid}) does not end; see .runebook/engine.log")
        time.sleep(_STEP_SECONDS)
    return True


def _down_without_engine(root: Path) -> bool:
    """The engine is dead: end the panes that outlived it, and write that down."""
    from runebook_tui.execution.launch import launch_engine
    from runebook_tui.tmux.server import TmuxServer

    panes = TmuxServer(tmux_socket_name(root), root / ".runebook" / "tmux")
    if not panes.panes():
        return False
    launch_engine(root)
    return _ask_down(root)
