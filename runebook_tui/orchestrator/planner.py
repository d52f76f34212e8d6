"""Plan files: `runebook.toml` read, checked and turned into an ExecutionPlan, with every problem named."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path

from runebook_tui.clients.registry import Which
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.orchestrator.checks import Checker
from runebook_tui.orchestrator.positions import Path as KeyPath
from runebook_tui.orchestrator.positions import PositionError, positions
from runebook_tui.orchestrator.problems import PlanError, Problem, Source, in_order, shown_path
from runebook_tui.orchestrator.shape import shape

__all__ = [
    "EXAMPLE",
    "MAX_PLAN_BYTES",
    "PlanError",
    "Problem",
    "check_plan",
    "load_plan",
    "read_plan",
    "read_text",
    "schema",
]

MAX_PLAN_BYTES = 1 << 20
"""A plan is written by people; anything longer than this is not one."""


def load_plan(path: Path, *, builtins: Collection[str] | None = None) -> ExecutionPlan:
    """The plan in the file `path`, checked against the folder that holds it.

    `builtins` are the names of the agents that can be run here. Raises PlanError with every problem.
    """
    plan, problems = read_plan(read_text(path), _label(path), path.absolute().parent, builtins=builtins)
    if plan is None:
        raise PlanError(problems)
    return plan


def read_text(path: Path) -> str:
    """The text of a file that should be a plan, or that a plan is made from; raises PlanError."""
    label = _label(path)
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a special file"
            raise PlanError([Problem(label, None, "", f"is {what}, not a text file")])
        with path.open("rb") as file:
            data = file.read(MAX_PLAN_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise PlanError([Problem(label, None, "", f"cannot be read: {reason}")]) from error
    if len(data) > MAX_PLAN_BYTES:
        raise PlanError([Problem(label, None, "", "is larger than 1 MiB")])
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 text (byte 0x{data[error.start]:02x})"
        raise PlanError([Problem(label, line, "", message)]) from error


def read_plan(
    text: str,
    file: str,
    root: Path | None,
    *,
    builtins: Collection[str] | None = None,
    which: Which | None = None,
) -> tuple[ExecutionPlan | None, tuple[Problem, ...]]:
    """The plan that `text` describes, or None, with errors and warnings in order.

    `file` is its name in messages. Paths are checked against the folder `root` when it is given, the programs
    of clients by `which` (`shutil.which`).
    """
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return None, (_not_toml(text, file, error),)
    try:
        lines = positions(text)
    except (PositionError, RecursionError):
        lines = {}
    source = Source(file, lines, data)
    shaped = shape(data, source)
    problems = list(shaped.problems)
    if shaped.plan is not None:
        origin = shaped.origin
        checker = Checker(
            shaped.plan,
            source,
            root=root,
            builtins=builtins,
            which=which,
            place=(lambda path: path) if origin is None else (lambda path: _original(origin, path)),
            lost=shaped.lost,
            whole=not shaped.problems,
        )
        problems += checker.run()
    ordered = in_order(problems)
    usable = all(problem.severity != "error" for problem in ordered)
    return (shaped.plan if usable else None), ordered


def check_plan(
    plan: ExecutionPlan,
    *,
    root: Path | None = None,
    builtins: Collection[str] | None = None,
    file: str = "plan",
) -> tuple[Problem, ...]:
    """What is wrong with a plan that was made by a program, in order; lines are not known."""
    source = Source(file, data=plan.model_dump())
    return in_order(Checker(plan, source, root=root, builtins=builtins).run())


def schema() -> dict[str, object]:
    """The JSON Schema (2020-12) of a plan file, for editors."""
    body: dict[str, object] = ExecutionPlan.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **body,
        "title": "Runebook plan",
        "description": "A plan for several agents on one repository (runebook.toml).",
        "examples": [tomllib.loads(EXAMPLE)],
    }


EXAMPLE = """\
[plan]
name = "checkout-rewrite"

[[phases]]
id = "build"

[[phases]]
id = "wire"
after = ["build"]

[[agents]]
id = "storage"
phase = "build"
client = "claude"
prompt = "Implement the storage API of docs/storage.md"
claims = ["src/storage/**"]
tasks = [{ id = "storage-publish", title = "Publish the storage API" }]

[[agents]]
id = "analysis"
phase = "wire"
command = ["python", "analyse.py"]
claims = ["src/analysis/**"]
needs = { apis = ["storage"], tasks = ["storage-publish"] }

[[shared]]
path = "src/core/**"
owner = "storage"

[[interfaces]]
name = "storage"
owner = "storage"
path = "src/storage/api.py"
must_contain = ["def append_event", "def list_sessions"]
"""


def _original(origin: Mapping[KeyPath, KeyPath], path: KeyPath) -> KeyPath:
    for length in range(len(path), 0, -1):
        if path[:length] in origin:
            return (*origin[path[:length]], *path[length:])
    return path


def _label(path: Path) -> str:
    """The path from the current folder when it is below it, for messages that an editor can follow."""
    try:
        return shown_path(path.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return shown_path(path)


def _not_toml(text: str, file: str, error: Exception) -> Problem:
    if isinstance(error, RecursionError):
        return Problem(file, None, "", "is nested too deeply")
    found = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", str(error))
    if found is None:
        return Problem(file, None, "", f"is not TOML: {str(error)[:200]}")
    reason = str(error)[: found.start()][:200]
    if found[1]:
        return Problem(file, int(found[1]), "", f"is not TOML: {reason}")
    return Problem(file, text.count("\n") + 1, "", f"is not TOML: {reason}, at the end of the file")
