"""The commands at a terminal: the interactive session, and the demonstration."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

from runebook_tui.cli.imports import importing
from runebook_tui.cli.place import CommandError, has_plan, root_of_plan
from runebook_tui.execution.client import EngineClient, EngineError
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.launch import engine_answers, launch_engine
from runebook_tui.gate.kernel import keep_private
from runebook_tui.place import find_repository, tmux_socket_name
from runebook_tui.tmux.attaching import BACK, inside


def interactive(arguments: Namespace) -> int:
    """Open the TUI, or plain mode, starting an engine if none runs."""
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if arguments.plain or (terminal and _wants_plain()):
        return _plain()
    if not terminal:
        words = "the interactive session needs a terminal; without one use `--plain`, or `runebook-tui run`"
        raise CommandError(words, 2)
    first = not has_plan()
    if first and not _welcome():
        return 0
    root = root_of_plan()
    _not_among_agents(root)
    ready_to_open(root)
    open_session(root, tour=first)
    return 0


def _wants_plain() -> bool:
    """Whether the person wants lines of words, or has a terminal that can show nothing else."""
    from runebook_tui.settings import load_settings

    said = os.environ.get("ACCESSIBLE", "") not in ("", "0", "false")
    return said or os.environ.get("TERM") in ("dumb", "unknown") or load_settings().screen.plain


def _plain() -> int:
    """The interactive session as lines of words."""
    if not has_plan():
        raise CommandError("there is no plan here yet; write one with `runebook-tui init`", 2)
    root = root_of_plan()
    _not_among_agents(root)
    ready_to_open(root)
    make_state_folder(root)
    if not engine_answers(root):
        launch_engine(root)
    with importing():
        from runebook_tui.tui.live import LiveBackend
        from runebook_tui.tui.plain.session import talk

    keep_private()
    _look(root, leaves=False)
    try:
        talk(LiveBackend(root))
    finally:
        _look(root, leaves=True)
    return 0


def _not_among_agents(root: Path) -> None:
    """Raise CommandError in a pane of the private server, whose processes are agents' and decide nothing."""
    if inside(tmux_socket_name(root), os.environ):
        words = (
            "this is a pane of Runebook's own tmux server, where agents live and nothing can be decided: "
            f"go back with {BACK}, and open it in a terminal of your own"
        )
        raise CommandError(words)


def _welcome() -> bool:
    """Offer the plans that there could be; whether one was written."""
    from runebook_tui.tui.welcome import WelcomeApp

    here = Path.cwd()
    return bool(WelcomeApp(find_repository(here), here).run())


def ready_to_open(root: Path) -> None:
    """Make sure that an engine runs or can be started. Raises PlanError, or TmuxError for tmux."""
    if not engine_answers(root):
        from runebook_tui.cli.running import startable_plan
        from runebook_tui.tmux.server import check

        startable_plan(root, fresh=False)
        check()


def open_session(root: Path, *, tour: bool = False) -> None:
    """The TUI on the repository at `root`, with an engine behind it; `tour` where it is the first time."""
    make_state_folder(root)
    if not engine_answers(root):
        launch_engine(root)
    with importing():
        from runebook_tui.tui.app import RunebookApp
        from runebook_tui.tui.live import LiveBackend

    keep_private()
    _look(root, leaves=False)
    try:
        RunebookApp(LiveBackend(root), tour=tour).run()
    finally:
        _look(root, leaves=True)


def _look(root: Path, *, leaves: bool) -> None:
    """Have it written down that the operator comes or leaves; without an engine nothing happens meanwhile."""
    with suppress(EngineError), EngineClient(root) as client:
        client.ask("looked", leaves=leaves)


def demo(arguments: Namespace) -> int:
    """The demonstration."""
    from runebook_tui.cli.demo import run_demo
    from runebook_tui.tmux.server import check

    check()
    os.environ.pop("RUNEBOOK_ROOT", None)
    automatic = arguments.auto or not (sys.stdin.isatty() and sys.stdout.isatty())
    return run_demo(automatic=automatic, checkout=None if arguments.on is None else Path(arguments.on))
