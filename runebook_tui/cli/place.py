"""Which repository and plan a command is about."""

from __future__ import annotations

import os
from pathlib import Path

from runebook_tui.place import PLAN_NAME, find_plan, find_repository, has_run, lane_of, state_folder


class CommandError(Exception):
    """A command cannot be carried out; one line for people. `status` is the exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def repository() -> Path:
    """The top of the repository around the current folder. Raises CommandError."""
    try:
        here = Path.cwd()
    except FileNotFoundError as error:
        raise CommandError("the current folder has been deleted", 2) from error
    root = find_repository(here)
    if root is None:
        raise CommandError(f"{here} is not in a git repository (run `git init` first)", 2)
    return root


def plan_file() -> Path:
    """The plan found upwards from the current folder. Raises CommandError."""
    root = repository()
    found = find_plan(Path.cwd())
    if found is None or not found.is_relative_to(root):
        raise CommandError(f"there is no {PLAN_NAME} here or above; write one with `runebook-tui init`", 2)
    if found.parent != root:
        raise CommandError(f"{found} must lie at the top of its repository, {root}", 2)
    return found


def root_of_plan() -> Path:
    """The repository that a plan runs in: this pane's, or the one around the current folder.

    Where something has run, the plan's file need not be there (any more).
    """
    given = os.environ.get("RUNEBOOK_ROOT")
    if given and state_folder(Path(given)).is_dir():
        return Path(given)
    root = repository()
    return root if has_run(root) else plan_file().parent


def has_plan() -> bool:
    """Whether `root_of_plan` has a plan or a run to be about, or an error of its own to tell."""
    try:
        root_of_plan()
    except CommandError:
        here = Path.cwd() if os.path.exists(".") else None
        return here is None or (find_repository(here) is not None and find_plan(here) is not None)
    return True


def inside(root: Path, text: str) -> str:
    """A path as typed, relative to the repository or the lane it is in. Raises CommandError outside both."""
    absolute = os.path.normpath(os.path.join(os.getcwd(), text))
    lane = lane_of(Path(absolute))
    relative = os.path.relpath(absolute, root if lane is None or lane[0] != root.resolve() else lane[2])
    if relative == ".." or relative.startswith("../") or relative == ".":
        raise CommandError(f"{text!r} is not a path inside {root}", 2)
    return relative
