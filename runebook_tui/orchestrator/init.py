"""`runebook-tui init`: writes a first plan for a repository, and never over an existing one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from runebook_tui.orchestrator.codeowners import draft_from_codeowners
from runebook_tui.orchestrator.draft import Draft
from runebook_tui.orchestrator.markdown import read_markdown
from runebook_tui.orchestrator.planner import MAX_PLAN_BYTES, PlanError, Problem, read_plan, read_text
from runebook_tui.orchestrator.problems import shown_path
from runebook_tui.orchestrator.templates import render
from runebook_tui.place import PLAN_NAME

_MOST_FILES = 200_000
_CODEOWNERS_FOLDERS = (".github", ".", "docs", ".gitlab")


class InitError(Exception):
    """A first plan cannot be written; says why in one line."""


def write_plan(
    root: Path,
    template: str | None,
    source: Path | None,
    *,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Writes `runebook.toml` in `root` from a template or from a CODEOWNERS or Markdown file.

    Without either it is the template `coders`. `say` is told, line by line, what did not come along.
    Raises InitError, or PlanError when what was made from `source` would not be a plan that runs.
    """
    target = root / PLAN_NAME
    if os.path.lexists(target):
        raise _there(target)
    draft = draft_plan(root, template, source)
    label = f"the plan made from {shown_path(source)}" if source else f"the template {template or 'coders'}"
    return create_plan(root, draft, label, say=say)


def create_plan(root: Path, draft: Draft, label: str, *, say: Callable[[str], None] | None = None) -> Path:
    """Writes `runebook.toml` in `root`, never over an existing one; `label` names the draft in messages.

    Raises InitError, or PlanError when the draft would not be a plan that runs.
    """
    target = root / PLAN_NAME
    if len(draft.text.encode()) > MAX_PLAN_BYTES:
        raise PlanError([Problem(label, None, "", "would be larger than 1 MiB")])
    plan, problems = read_plan(draft.text, label, root)
    problems = tuple(replace(problem, line=None) for problem in problems)
    if plan is None:
        raise PlanError(problems)
    _create(target, draft.text)
    if say is not None:
        for line in (*draft.left_out, *(str(problem) for problem in problems)):
            say(line)
    return target


def draft_plan(root: Path, template: str | None, source: Path | None) -> Draft:
    """The text that `write_plan` would write; raises InitError or PlanError."""
    if template is not None and source is not None:
        raise InitError("a plan is made from a template or from a file, not from both")
    name = os.fsencode(root.resolve().name).decode("utf-8", "replace")
    if source is None:
        try:
            return Draft(render(template or "coders", name, _folders(root)))
        except ValueError as error:
            raise InitError(str(error)) from error
    if source.name.upper() == "CODEOWNERS":
        return draft_from_codeowners(read_text(_codeowners(root, source)), tracked_files(root), name)
    if source.suffix.lower() in (".md", ".markdown"):
        return read_markdown(read_text(source), name)
    raise InitError(f"{shown_path(source)}: a plan can be made from a CODEOWNERS file or a Markdown file")


def tracked_files(root: Path) -> list[str]:
    """The files that git tracks below `root`, relative to it; without git, the files that are there."""
    try:
        listing = subprocess.run(
            ["git", "-C", os.fspath(root), "ls-files", "-z"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.CalledProcessError):
        return sorted(islice(_walk(root), _MOST_FILES))
    return [os.fsdecode(name) for name in listing.stdout.split(b"\0") if name]


def _walk(root: Path) -> list[str]:
    found: list[str] = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each != "node_modules")
        below = os.path.relpath(folder, root)
        found += [name if below == "." else f"{below}/{name}" for name in files]
        if len(found) >= _MOST_FILES:
            break
    return found


def _folders(root: Path) -> list[str]:
    return sorted({path.partition("/")[0] for path in tracked_files(root) if "/" in path})


def _codeowners(root: Path, source: Path) -> Path:
    """`source`, or, when it is just a name, the file of that name where such files usually are."""
    if source.exists() or source.parent != Path("."):
        return source
    places = [root / folder / source.name for folder in _CODEOWNERS_FOLDERS]
    return next((place for place in places if place.is_file()), source)


def _create(target: Path, text: str) -> None:
    try:
        with target.open("x", encoding="utf-8", newline="\n") as file:
            try:
                file.write(text)
                file.flush()
            except OSError:
                target.unlink()
                raise
    except FileExistsError as error:
        raise _there(target) from error
    except OSError as error:
        raise InitError(f"{shown_path(target)} cannot be written: {error.strerror}") from error


def _there(target: Path) -> InitError:
    return InitError(f"{shown_path(target)} is there already; a plan is never overwritten")
