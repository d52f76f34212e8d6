"""Runs one command: its words in, its exit status out, every error as one clear line.

0 done, 1 refused or failed, 2 wrong usage or plan.
"""

from __future__ import annotations

import io
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from importlib import import_module

from runebook_tui.cli.arguments import UsageError, build_parser

_MODULES = {
    "tui": "session.interactive",
    "run": "session.run",
    "demo": "session.demo",
    "down": "session.down",
    "init": "plan.init",
    "check": "plan.check",
    "schema": "plan.schema",
    "plan": "amending.plan",
    "rehearse": "rehearsing.rehearse",
    "doctor": "doctor.doctor",
    "status": "reading.status",
    "apis": "apis.apis",
    "requests": "reading.requests",
    "log": "reading.log",
    "away": "absences.away",
    "who": "reading.who",
    "report": "reporting.report",
    "lanes": "lanes.lanes",
    "memory": "remembering.memory",
    "approve": "deciding.approve",
    "reject": "deciding.reject",
    "take-back": "deciding.take_back",
    "mine": "deciding.mine",
    "undo": "undoing.undo",
    "restart": "asking.restart",
    "resume": "asking.resume",
    "stop": "asking.stop",
    "mcp": "tools.mcp",
    "ready": "asking.ready",
    "task": "asking.task",
    "publish": "asking.publish",
    "ask": "asking.ask",
    "wait": "asking.wait",
    "tell": "telling.tell",
    "inbox": "telling.inbox",
    "say": "saying.say",
    "answer": "saying.answer",
    "recommend": "telling.recommend",
    "suggest": "suggesting.suggest",
    "guard": "guarding.guard",
    "commit": "committing.commit",
    "surface": "surfacing.surface",
}


def run(words: Sequence[str]) -> int:
    """Carry out the command line `words`; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = build_parser().parse_args(words)
        return _function(arguments.command)(arguments)
    except UsageError as error:
        return _complain(str(error), 2)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone: nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        status = _status_of(error)
        if status is None or "RUNEBOOK_TRACEBACK" in os.environ:
            raise
        words = _system_words(error) if isinstance(error, OSError) else str(error)
        return _complain(words, status)


def _function(command: str) -> Callable[[Namespace], int]:
    """The function of a command; its module is imported only now, for the sake of starting fast."""
    module, name = _MODULES[command].split(".")
    function: Callable[[Namespace], int] = getattr(import_module(f"runebook_tui.cli.{module}"), name)
    return function


def _status_of(error: Exception) -> int | None:
    """The exit status of an error that is meant for people; None for one that is our own mistake."""
    from runebook_tui.cli.place import CommandError
    from runebook_tui.execution.client import EngineError
    from runebook_tui.execution.launch import LaunchError
    from runebook_tui.git.process import GitError
    from runebook_tui.history.errors import HistoryError
    from runebook_tui.log.eventlog import LogError
    from runebook_tui.memory.store import StoreError
    from runebook_tui.orchestrator.init import InitError
    from runebook_tui.orchestrator.problems import PlanError
    from runebook_tui.place import PlaceError
    from runebook_tui.tmux.panes import TmuxError

    if isinstance(error, CommandError):
        return error.status
    if isinstance(error, PlanError | InitError):
        return 2
    known = (EngineError, GitError, LaunchError, HistoryError, LogError, PlaceError, StoreError, TmuxError)
    return 1 if isinstance(error, (*known, OSError)) else None


def _system_words(error: OSError) -> str:
    """What the system said, as "No space left on device: /path"."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{reason}: {error.filename}" if error.filename else reason


def _complain(message: str, status: int) -> int:
    from runebook_tui.core.printable import visible

    for line in message.splitlines() or [""]:
        print(f"runebook-tui: {visible(line)}", file=sys.stderr)
    return status
