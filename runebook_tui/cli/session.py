"""The commands that run things: the interactive session, run, down, demo."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

from runebook_tui.agent import installed_agents
from runebook_tui.cli import shapes
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.printable import visible
from runebook_tui.core.resuming import lost_agents
from runebook_tui.core.secrets import without_secrets
from runebook_tui.core.state import State
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.execution.client import EngineClient, EngineDown, EngineError
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.follow import log_path, run_under_way
from runebook_tui.execution.launch import engine_answers, launch_engine
from runebook_tui.execution.runner import ParallelExecutionRunner
from runebook_tui.gate.kernel import few_arenas, keep_private
from runebook_tui.log.eventlog import is_alive
from runebook_tui.log.sqlite import SqliteLog
from runebook_tui.orchestrator.planner import PlanError, load_plan
from runebook_tui.place import PLAN_NAME, tmux_socket_name
from runebook_tui.tmux.server import TmuxServer, check

_DOWN_SECONDS = 30.0
_ARENAS = 2


def interactive(arguments: Namespace) -> int:
    """Open the TUI, starting an engine if none runs."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError("the interactive session needs a terminal; without one use `runebook-tui run`", 2)
    root = root_of_plan()
    if os.environ.get("TERM") in ("dumb", "unknown"):
        raise CommandError(f"TERM={os.environ['TERM']} is no terminal to draw on; use `runebook-tui run`", 2)
    ready_to_open(root)
    open_session(root)
    return 0


def ready_to_open(root: Path) -> None:
    """Make sure that an engine runs or can be started. Raises PlanError, or TmuxError for tmux."""
    if not engine_answers(root):
        _plan(root, fresh=False)
        check()


def open_session(root: Path) -> None:
    """The TUI on the repository at `root`, with an engine behind it."""
    make_state_folder(root)
    if not engine_answers(root):
        launch_engine(root)
    from runebook_tui.tui.app import RunebookApp
    from runebook_tui.tui.live import LiveBackend

    keep_private()
    _look(root, leaves=False)
    try:
        RunebookApp(LiveBackend(root)).run()
    finally:
        _look(root, leaves=True)


def _look(root: Path, *, leaves: bool) -> None:
    """Have it written down that the operator comes or leaves; without an engine nothing happens meanwhile."""
    with suppress(EngineError), EngineClient(root) as client:
        client.ask("looked", leaves=leaves)


def run(arguments: Namespace) -> int:
    """The engine in the foreground."""
    root = root_of_plan()
    path = root / PLAN_NAME
    plan = _plan(root, arguments.new)
    check()
    keep_private()
    few_arenas(_ARENAS)
    folder = make_state_folder(root)
    log = SqliteLog(log_path(root))
    runner = ParallelExecutionRunner(
        plan,
        root=root,
        log=log,
        panes=TmuxServer(tmux_socket_name(root), folder / "tmux"),
        plan_file=path,
        keep=arguments.keep,
        fresh=arguments.new,
        resume=arguments.resume,
        say=lambda line: print(f"{time.strftime('%H:%M:%S')} {visible(without_secrets(line))}", flush=True),
    )
    try:
        state = asyncio.run(until_told(runner))
    finally:
        log.close()
    if arguments.keep:
        return 0
    reason = f": {visible(state.outcome_reason)}" if state.outcome_reason else ""
    print(f"{visible(plan.plan.name)}: run {state.run} {state.outcome or 'left'}{reason}")
    if lost := lost_agents(state):
        names = visible(", ".join(agent.id for agent in lost))
        print(f"lost with tmux or the machine: {names}; `runebook-tui run --resume` brings them back")
    if state.open_requests:
        print(f"not decided: {len(state.open_requests)}; `runebook-tui requests` lists them")
    return 0 if state.outcome == "completed" else 1


def _plan(root: Path, fresh: bool) -> ExecutionPlan:
    """The plan in the file; a run that is under way goes on with the one it has when that is broken."""
    try:
        return load_plan(root / PLAN_NAME, builtins=installed_agents())
    except PlanError as error:
        known = None if fresh else run_under_way(root)
        if known is None:
            raise
        print(f"the plan goes on as it was: {visible(str(error).splitlines()[0])}", flush=True)
        return known.plan


async def until_told(runner: ParallelExecutionRunner) -> State:
    """Execute; SIGINT and SIGTERM end everything that was started, then the engine."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, runner.shut_down)
    return await runner.execute()


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
            client.ask("down")
    except EngineDown:
        return False
    deadline = time.monotonic() + _DOWN_SECONDS
    with SqliteLog(log_path(root), read_only=True) as log:
        while (holder := log.holder(socket.gethostname())) is not None and is_alive(holder):
            if time.monotonic() > deadline:
                raise CommandError(f"the engine (pid {holder.pid}) does not end; see .runebook/engine.log")
            time.sleep(0.02)
    return True


def _down_without_engine(root: Path) -> bool:
    """The engine is dead: end the panes that outlived it, and write that down."""
    panes = TmuxServer(tmux_socket_name(root), root / ".runebook" / "tmux")
    if not panes.panes():
        return False
    launch_engine(root)
    return _ask_down(root)


def demo(arguments: Namespace) -> int:
    """The demonstration."""
    from runebook_tui.cli.demo import run_demo

    check()
    os.environ.pop("RUNEBOOK_ROOT", None)
    return run_demo(automatic=arguments.auto or not (sys.stdin.isatty() and sys.stdout.isatty()))
