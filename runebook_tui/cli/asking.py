"""The commands that ask the engine for something: decisions, and what agents say of themselves."""

from __future__ import annotations

import os
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

from runebook_tui.cli import shapes
from runebook_tui.cli.place import CommandError, inside, root_of_plan
from runebook_tui.core.printable import visible
from runebook_tui.execution.client import EngineClient, EngineDown
from runebook_tui.place import has_run

_ENGINE_SECONDS = 30.0
_CHECK_SECONDS = 3_600.0
"""The longest that a plan may let the check of an interface take."""


def request_number(text: str) -> int:
    """The number of a request, as people write it. Raises CommandError."""
    match = re.fullmatch(r"(?:[Rr]-?)?([0-9]{1,9})", text)
    if match is None:
        raise CommandError(f"{text!r} is not the number of a request", 2)
    return int(match[1])


def connect(root: Path) -> EngineClient:
    """A connection to the engine; the operator's command starts one where something has run."""
    try:
        return EngineClient(root)
    except EngineDown:
        if "RUNEBOOK_AGENT" in os.environ or not has_run(root):
            raise
        from runebook_tui.execution.launch import launch_engine

        launch_engine(root)
        return EngineClient(root)


def ask_engine(do: str, root: Path | None = None, *, patience: float = 0.0, **fields: Any) -> dict[str, Any]:
    """The engine's answer, which may take `patience` seconds longer than usual."""
    with connect(root or root_of_plan()) as client:
        answer = client.ask(do, timeout=patience + _ENGINE_SECONDS, **fields)
    answer.pop("ok")
    return answer


def show(arguments: Namespace, answer: dict[str, Any], words: str) -> None:
    print(shapes.dump(answer) if arguments.json else visible(words))


def restart(arguments: Namespace) -> int:
    """Start an agent again."""
    answer = ask_engine("restart", agent=arguments.agent)
    show(arguments, {"id": answer["agent"]}, f"{answer['agent']} is started again")
    return 0


def resume(arguments: Namespace) -> int:
    """Bring agents back that were lost with tmux or the machine, each in its own session if it has one."""
    answer = ask_engine("resume", agents=arguments.agents)
    words = [
        f"{each['id']} is brought back" + (f" in its session {each['session']}" if each["session"] else "")
        for each in answer["agents"]
    ]
    if arguments.json:
        print(shapes.dump(answer["agents"]))
    else:
        print("\n".join(map(visible, words)))
    return 0


def stop(arguments: Namespace) -> int:
    """Stop an agent."""
    answer = ask_engine("stop", agent=arguments.agent)
    show(arguments, {"id": answer["agent"]}, f"{answer['agent']} is being stopped")
    return 0


def ready(arguments: Namespace) -> int:
    """Say that an agent is set up and at work."""
    answer = ask_engine("ready", agent=arguments.agent)
    show(arguments, {"id": answer["agent"]}, f"{answer['agent']} is ready")
    return 0


def task(arguments: Namespace) -> int:
    """Start, finish or block a task."""
    if arguments.step == "block" and not arguments.reason:
        raise CommandError("say why it is blocked: --reason TEXT", 2)
    answer = ask_engine(
        f"task-{arguments.step}", task=arguments.task, reason=arguments.reason, agent=arguments.agent
    )
    shape = {"id": answer["task"], "agent": answer["agent"], "status": answer["status"]}
    show(arguments, shape, f"task {answer['task']} of {answer['agent']}: {answer['status']}")
    return 0


def publish(arguments: Namespace) -> int:
    """Publish an interface."""
    # The plan's check of an interface may take its time; the engine ends it.
    answer = ask_engine("publish", patience=_CHECK_SECONDS, api=arguments.api, agent=arguments.agent)
    shape = {"id": answer["api"], "version": answer["version"]}
    show(arguments, shape, f"published {answer['api']} version {answer['version']}")
    return 0


def ask(arguments: Namespace) -> int:
    """Ask to write paths; exit status 0 when it may, 1 when not (yet)."""
    root = root_of_plan()
    paths = [inside(root, path) for path in arguments.paths]
    answer = ask_engine("ask", root, paths=paths, reason=arguments.reason, agent=arguments.agent)
    if answer["request"] is None:
        show(arguments, {"id": None, "status": "not needed"}, "not needed: you may write that already")
        return 0
    if arguments.no_wait:
        shape = {"id": answer["request"], "status": "open"}
        show(arguments, shape, f"queued as request {answer['request']}; ask again, or `runebook-tui wait`")
        return 1
    seconds = arguments.wait if arguments.wait is not None else float(answer["hold_seconds"])
    return _await_decision(arguments, root, answer["request"], seconds)


def _await_decision(arguments: Namespace, root: Path, request: int, seconds: float) -> int:
    answer = ask_engine("wait-request", root, patience=seconds, request=request, seconds=seconds)
    return _print_decision(arguments, answer)


def wait(arguments: Namespace) -> int:
    """Wait until the plan finalizes (status 0), or a request is decided (0 approved, 1 otherwise)."""
    seconds = max(0.0, arguments.seconds)
    root = root_of_plan()
    if arguments.what != "finalize":
        return _await_decision(arguments, root, request_number(arguments.what), seconds)
    answer = ask_engine("wait-finalize", root, patience=seconds, seconds=seconds, agent=arguments.agent)
    told = bool(answer["finalize"])
    show(arguments, {"finalize": told}, "finalize" if told else "not yet")
    return 0 if told else 1


def _print_decision(arguments: Namespace, answer: dict[str, Any]) -> int:
    status = str(answer["status"])
    because = f": {answer['reason']}" if answer["reason"] else ""
    show(arguments, shapes.decision_shape(answer), f"request {answer['request']}: {status}{because}")
    return 0 if status == "approved" else 1
