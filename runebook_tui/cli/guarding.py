"""The commit guard: put in, taken out, looked at; and its rule where no engine answers."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from runebook_tui.cli import shapes
from runebook_tui.cli.place import CommandError, repository
from runebook_tui.core.boundary import commit_refusal
from runebook_tui.core.printable import visible
from runebook_tui.core.state import State
from runebook_tui.execution.follow import open_log
from runebook_tui.git.guard import EngineAway, GuardEngine, Refusal
from runebook_tui.git.hooks import GuardHooks, HooksError
from runebook_tui.git.plan_rule import RuleError
from runebook_tui.git.process import GitError
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.loading import load
from runebook_tui.orchestrator.planner import PlanError, load_plan
from runebook_tui.place import PLAN_NAME

_PROGRAM = ("-P", "-m", "runebook_tui")


def guard(arguments: Namespace) -> int:
    """Put the guard in, take it out, or say how it stands (status 1: it is not in, or does not work)."""
    root = repository()
    try:
        hooks = GuardHooks(root, interpreter())
        said: list[str] = []
        if arguments.step != "status":
            _operator_only(root)
            said = hooks.install() if arguments.step == "install" else hooks.uninstall()
        found = hooks.found()
    except (GitError, HooksError) as error:
        raise CommandError(str(error)) from error
    fine = found.state == ("off" if arguments.step == "uninstall" else "installed")
    if arguments.json:
        shape = {
            "state": found.state,
            "folder": found.folder,
            "before": list(found.before),
            "notes": list(found.notes),
            "done": said,
        }
        print(shapes.dump(shape))
        return 0 if fine else 1
    for line in said:
        print(visible(line))
    print(visible(f"the commit guard is {found.state}; git looks for hooks in {found.folder}"))
    for each in found.before:
        print(f"  runs first: {visible(each)}")
    for line in found.notes:
        print(f"  {visible(line)}")
    return 0 if fine else 1


def interpreter() -> list[str]:
    """The words that run this program from anywhere, not led astray by PYTHON* variables where that works."""
    for isolated in (["-E"], []):
        words = [sys.executable, *isolated, *_PROGRAM]
        tried = subprocess.run([*words, "--version"], cwd="/", capture_output=True, check=False)
        if tried.returncode == 0:
            return words
    raise CommandError(f"{sys.executable} does not run this program from another folder: install it first")


def _operator_only(root: Path) -> None:
    try:
        engine = GuardEngine(root)
        agent = engine.agent()
        engine.close()
    except EngineAway:
        agent = os.environ.get("RUNEBOOK_AGENT")
    if agent:
        raise CommandError(f"the commit guard is the operator's: {agent} may not change it")


def refused(root: Path, agent: str, paths: Sequence[str]) -> list[Refusal]:
    """Which of `paths` the agent may not commit, by the log. Raises RuleError."""
    try:
        with open_log(root) as log:
            state = load(log)
        if not state.run:
            state = State(plan=load_plan(root / PLAN_NAME))
    except (LogError, PlanError) as error:
        raise RuleError(str(error).splitlines()[0]) from error
    reasons = {path: commit_refusal(state, agent, path) for path in paths}
    return [Refusal(path, reason) for path, reason in reasons.items() if reason is not None]
