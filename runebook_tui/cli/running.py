"""The command that runs the engine in the foreground: run."""

from __future__ import annotations

import asyncio
import signal
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from runebook_tui.agent import installed_agents
from runebook_tui.cli.hosting import chosen_host
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.printable import visible
from runebook_tui.core.resuming import lost_agents
from runebook_tui.core.secrets import without_secrets
from runebook_tui.core.state import State
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.follow import run_under_way
from runebook_tui.execution.launch import ANOTHER_RUNS
from runebook_tui.execution.others import Shared
from runebook_tui.execution.outage import Outage
from runebook_tui.execution.runner import ParallelExecutionRunner
from runebook_tui.gate.kernel import few_arenas, give_back, keep_private
from runebook_tui.log.eventlog import EventLog, LeaseTaken, LogError
from runebook_tui.log.opening import Store, store_of
from runebook_tui.orchestrator.planner import PlanError, load_plan
from runebook_tui.place import PLAN_NAME, runtime_folder, tmux_socket_name
from runebook_tui.tmux.server import TmuxServer, check

_ARENAS = 2
_GIVE_BACK_SECONDS = 60.0
AGAIN_SECONDS = 2.0
"""How long an engine waits for a database that went away."""


def run(arguments: Namespace) -> int:
    """The engine in the foreground."""
    root = root_of_plan()
    path = root / PLAN_NAME
    plan = startable_plan(root, arguments.new)
    check()
    keep_private()
    few_arenas(_ARENAS)
    store = store_of(root)
    host = chosen_host(root, arguments.host, plan, store)
    folder = make_state_folder(root)

    def runner(log: EventLog, again: bool) -> ParallelExecutionRunner:
        return ParallelExecutionRunner(
            plan,
            root=root,
            log=log,
            panes=TmuxServer(tmux_socket_name(root), folder / "tmux", panes=len(plan.agents)),
            plan_file=path,
            keep=arguments.keep,
            fresh=arguments.new and not again,
            resume=arguments.resume and not again,
            host=host,
            shared=_shared(store, root),
            say=_say,
        )

    try:
        state = until_over(store, runner)
    except LeaseTaken as error:
        raise CommandError(str(error), ANOTHER_RUNS) from error
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


def until_over(store: Store, runner: Callable[[EventLog, bool], ParallelExecutionRunner]) -> State:
    """Execute what `runner` makes of a log, again when a database went away under it; the state at the end.

    What an engine leaves half done another takes up, as after a kill: it is told that it is not the first.
    Raises what execute raises.
    """
    outage: Outage | None = None
    while True:
        engine: ParallelExecutionRunner | None = None
        try:
            with store.open() as log:
                engine = runner(log, outage is not None)
                return asyncio.run(until_told(engine))
        except LogError as error:
            if engine is not None and engine.begun:
                outage = Outage(_say, "the engine begins anew as soon as it can", "")
            if outage is None or not store.shared or isinstance(error, LeaseTaken):
                raise
            outage.note(str(error))
        time.sleep(AGAIN_SECONDS)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {visible(without_secrets(line))}", flush=True)


def _shared(store: Store, root: Path) -> Shared | None:
    """What joins it to the engines of other hosts, where the store is theirs, too."""
    return Shared(store.ear(runtime_folder(root, create=True)), store.box()) if store.shared else None


def startable_plan(root: Path, fresh: bool) -> ExecutionPlan:
    """The plan in the file; a run that is under way goes on with the one it has when that is broken."""
    try:
        return load_plan(root / PLAN_NAME, builtins=installed_agents())
    except PlanError as error:
        known = None if fresh else run_under_way(root)
        if known is None:
            raise
        said = without_secrets(str(error).splitlines()[0])
        print(f"the plan goes on as it was: {visible(said)}", flush=True)
        return known.plan


async def until_told(runner: ParallelExecutionRunner) -> State:
    """Execute; SIGINT and SIGTERM end everything that was started, then the engine."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, runner.shut_down)
    tidy = asyncio.create_task(_tidy())
    try:
        return await runner.execute()
    finally:
        tidy.cancel()


async def _tidy() -> None:
    """What was needed for a moment (a branch switch, a storm) is not kept for good."""
    while True:
        await asyncio.sleep(_GIVE_BACK_SECONDS)
        give_back()
