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
from runebook_tui.cli.imports import importing

_MODULES = {
    "tui": "session.interactive",
    "run": "running.run",
    "demo": "session.demo",
    "down": "stopping.down",
    "serve": "serving.serve",
    "init": "plan.init",
    "check": "plan.check",
    "schema": "plan.schema",
    "plan": "amending.plan",
    "rehearse": "rehearsing.rehearse",
    "doctor": "doctor.doctor",
    "status": "reading.status",
    "apis": "apis.apis",
    "hosts": "hosting.show_hosts",
    "requests": "reading.requests",
    "log": "reading.log",
    "away": "absences.away",
    "who": "reading.who",
    "why": "why.why",
    "snooze": "why.snooze",
    "report": "reporting.report",
    "lanes": "lanes.lanes",
    "memory": "remembering.memory",
    "store": "storing.store",
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

_ERRORS_OF_COMMANDS = ("cli.place.CommandError",)
_ERRORS_OF_PLANS = ("orchestrator.problems.PlanError", "orchestrator.init.InitError")
_ERRORS = (
    "execution.client.EngineError",
    "execution.launch.LaunchError",
    "git.process.GitError",
    "history.errors.HistoryError",
    "log.eventlog.LogError",
    "memory.store.StoreError",
    "place.PlaceError",
    "tmux.panes.TmuxError",
)
"""Errors for people, by where they are declared, so that telling one loads nothing."""


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
        message = _system_words(error) if isinstance(error, OSError) else str(error)
        return _complain(_as_kept(message) if words[:1] == ["run"] else message, status)


def _function(command: str) -> Callable[[Namespace], int]:
    """The function of a command; its module is imported only now, for the sake of starting fast."""
    module, name = _MODULES[command].split(".")
    with importing():
        function: Callable[[Namespace], int] = getattr(import_module(f"runebook_tui.cli.{module}"), name)
    return function


def _status_of(error: Exception) -> int | None:
    """The exit status of an error that is meant for people; None for one that is our own mistake."""
    if _is_one_of(error, _ERRORS_OF_COMMANDS):
        return int(getattr(error, "status", 1))
    if _is_one_of(error, _ERRORS_OF_PLANS):
        return 2
    return 1 if isinstance(error, OSError) or _is_one_of(error, _ERRORS) else None


def _is_one_of(error: Exception, names: Sequence[str]) -> bool:
    """Whether `error` is of one of these classes; a module that was not loaded has raised nothing."""
    places = (name.rpartition(".") for name in names)
    loaded = ((sys.modules.get(f"runebook_tui.{module}"), name) for module, _, name in places)
    return any(module is not None and isinstance(error, getattr(module, name)) for module, name in loaded)


def _system_words(error: OSError) -> str:
    """What the system said, as "No space left on device: /path"."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{reason}: {error.filename}" if error.filename else reason


def _as_kept(message: str) -> str:
    """What the engine complains of, without what looks like a secret: it may stand in `engine.log`."""
    from runebook_tui.core.secrets import without_secrets

    return "\n".join(map(without_secrets, message.splitlines()))


def _complain(message: str, status: int) -> int:
    from runebook_tui.core.printable import visible

    for line in message.splitlines() or [""]:
        print(f"runebook-tui: {visible(line)}", file=sys.stderr)
    return status
