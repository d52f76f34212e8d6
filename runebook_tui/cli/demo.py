"""The demonstration: the seed's plan in a scratch repository, with real processes in real panes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from runebook_tui.agent import installed_agents
from runebook_tui.cli import words
from runebook_tui.cli.place import CommandError
from runebook_tui.cli.running import until_told
from runebook_tui.cli.session import open_session
from runebook_tui.core.events import Touched
from runebook_tui.core.sentences import sentence
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import PhaseStatus, RequestKind
from runebook_tui.execution.client import EngineDown, EngineError, ask_engine
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.follow import follow
from runebook_tui.execution.launch import engine_answers
from runebook_tui.execution.runner import ParallelExecutionRunner
from runebook_tui.log.opening import STORE_VARIABLE, store_of
from runebook_tui.orchestrator.init import write_plan
from runebook_tui.orchestrator.planner import load_plan
from runebook_tui.place import PLAN_NAME, runtime_folder, tmux_socket_name
from runebook_tui.tmux.server import TmuxServer

_PACE_WATCHED = "1.2"
_PACE_ALONE = "0.25"
_AUTOMATIC_SECONDS = 110.0
_REMOVE_SECONDS = 5.0
_REMOVE_STEP_SECONDS = 0.02
_ELSEWHERE = frozenset(("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"))
"""Variables that would point git to another repository than the one it is told."""

Operator = Callable[[Path, RequestState], Awaitable[None]]
"""Answers a request of the demonstration in the repository at a path."""


async def answer(root: Path, request: RequestState) -> None:
    """The operator of the demonstration: who asks may go on, who writes without asking may not."""
    approve = request.kind is RequestKind.ASKED
    reason = "go on" if approve else "ask storage for a limit instead"
    try:
        fields = {"request": request.id, "reason": reason}
        await ask_engine(root, "approve" if approve else "reject", fields)
    except (EngineDown, EngineError) as error:
        print(f"the demonstration's operator: {error}", file=sys.stderr)


def run_demo(*, automatic: bool, checkout: Path | None = None, operator: Operator = answer) -> int:
    """Run the demonstration and clean up after it; exit status 0 only if all phases completed.

    It runs in a clone of `checkout`, without one in an empty repository. Where it is automatic, `operator`
    answers the requests. Raises CommandError when `checkout` cannot be cloned.
    """
    parent = Path(tempfile.mkdtemp(prefix="runebook-"))
    root = parent / "demo"
    os.environ["RUNEBOOK_DEMO"] = "1"
    os.environ.pop(STORE_VARIABLE, None)  # what happens here belongs into nobody's log
    os.environ["RUNEBOOK_DEMO_PACE"] = _PACE_ALONE if automatic else _PACE_WATCHED
    signal.signal(signal.SIGTERM, _leave)
    try:
        if checkout is None:
            make_repository(root)
        else:
            make_clone(checkout, root)
        return _by_itself(root, operator) if automatic else _watched(root)
    finally:
        _remove(runtime_folder(root))
        _remove(parent)


def _leave(number: int, frame: object) -> None:
    """SIGTERM unwinds, so that everything is cleaned up."""
    raise SystemExit(128 + number)


def _remove(folder: Path) -> None:
    """Remove `folder`, though a program that has just been told to end may still write into it."""
    deadline = time.monotonic() + _REMOVE_SECONDS
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)
        if time.monotonic() > deadline:
            print(f"{folder} could not be removed", file=sys.stderr)
            return
        time.sleep(_REMOVE_STEP_SECONDS)


def make_repository(root: Path) -> None:
    """A fresh repository at `root` with the seed's plan in it."""
    root.mkdir()
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ["-c", "user.name=Runebook", "-c", "user.email=runebook@localhost"]
    (root / "README.md").write_text("# A scratch repository of Runebook's demonstration\n")
    write_plan(root, "runebook", None)
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", "-C", str(root), *command], check=True, env=environment)


def make_clone(checkout: Path, root: Path) -> None:
    """A clone of what is committed in `checkout`, at `root`, with the seed's plan in place of any other.

    The clone has no remote, so nothing finds its way back. Raises CommandError.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    folder = os.fspath(root)
    for command in (
        ["clone", "-q", "--", os.fspath(checkout), folder],
        ["-C", folder, "remote", "remove", "origin"],
    ):
        done = subprocess.run(
            ["git", *command], env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["git says nothing"]
            raise CommandError(f"{checkout} cannot be cloned: {said[-1].removeprefix('fatal: ')}")
    (root / PLAN_NAME).unlink(missing_ok=True)
    write_plan(root, "runebook", None)


def _watched(root: Path) -> int:
    os.chdir(root)
    try:
        open_session(root)
    finally:
        if engine_answers(root):
            asyncio.run(ask_engine(root, "down"))
            asyncio.run(_until_gone(root))
    print("the demonstration is over; its scratch repository and its panes are gone")
    return 0


async def _until_gone(root: Path) -> None:
    async with asyncio.timeout(30):
        async for update in follow(root):
            if not update.engine_alive:
                return


def _by_itself(root: Path, operator: Operator) -> int:
    print("Runebook's demonstration: the plan of the seed document, five phases and seven agents.")
    print("The agents are the built-in ones, at work in real panes of a scratch repository.\n", flush=True)
    state = asyncio.run(_run_and_decide(root, operator))
    completed = [phase.id for phase in state.phases.values() if phase.status is PhaseStatus.COMPLETED]
    print(f"\n{len(completed)} of {len(state.phases)} phases completed: {', '.join(completed)}")
    for request in state.requests.values():
        print(words.request_words(request, request.decided_at or request.updated_at))
    print(f"{state.touches} changes seen; run {state.outcome or 'not over'}")
    boundary = any(
        request.kind in (RequestKind.HELD, RequestKind.CROSSED) for request in state.requests.values()
    )
    good = state.outcome == "completed" and len(completed) == len(state.phases) and boundary
    return 0 if good else 1


async def _run_and_decide(root: Path, operator: Operator) -> State:
    plan = load_plan(root / "runebook.toml", builtins=installed_agents())
    folder = make_state_folder(root)
    with store_of(root).open() as log:
        runner = ParallelExecutionRunner(
            plan,
            root=root,
            log=log,
            panes=TmuxServer(tmux_socket_name(root), folder / "tmux"),
            plan_file=root / "runebook.toml",
            say=lambda line: print(line, file=sys.stderr),
        )
        deciding = asyncio.create_task(_operate(root, operator))
        run = asyncio.create_task(until_told(runner))
        try:
            await asyncio.wait({run}, timeout=_AUTOMATIC_SECONDS)
            if not run.done():
                print("the demonstration took too long", file=sys.stderr)
                runner.shut_down()
            return await run
        finally:
            deciding.cancel()
            await asyncio.gather(deciding, return_exceptions=True)


async def _operate(root: Path, operator: Operator) -> None:
    """Print what happens, and have every request answered."""
    asked: set[int] = set()
    async for update in follow(root, after=0):
        for record in update.records:
            if not isinstance(record.event, Touched):
                print(words.record_words(record, sentence), flush=True)
        for request in update.state.open_requests:
            if request.id not in asked:
                asked.add(request.id)
                await operator(root, request)
