"""Beginnings: the plans that a repository without one could begin with, each as it would be written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runebook_tui.clients.registry import ADAPTERS
from runebook_tui.core.ownership import OwnershipManager
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.git.changes import changes
from runebook_tui.git.process import Git, GitError
from runebook_tui.orchestrator.coverage import Coverage, coverage
from runebook_tui.orchestrator.draft import PLACEHOLDER, PLACEHOLDER_COMMENT, Draft, toml_text
from runebook_tui.orchestrator.fromtree import draft_from_tree
from runebook_tui.orchestrator.init import InitError, create_plan, draft_plan, tracked_files
from runebook_tui.orchestrator.planner import PlanError, read_plan
from runebook_tui.place import PLAN_NAME

_OWNER_FILES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_MOST_DOCUMENTS = 5
_COMMITS = 2_000
_SECONDS = 20.0
_MOST_LETTERS = 200_000
_PHASE = "phase"
_UNSAID = f"# {PLACEHOLDER_COMMENT}\ncommand = [{', '.join(map(toml_text, PLACEHOLDER))}]\n"
"""How a drafted plan has an agent of which nobody has said yet what it runs."""
SHELL = "shell"
"""The choice of no client: each agent is a shell, for you to start in it what you like."""


@dataclass(frozen=True)
class Beginning:
    """One way to begin: what it is made from, and the plan of it for a number of agents."""

    id: str
    title: str
    words: str
    draft: Callable[[int], Draft]
    """Raises InitError, PlanError or ValueError with one line for people."""
    shared_out: bool = False
    """Whether the number of agents is for the operator to choose."""


@dataclass(frozen=True)
class Preview:
    """A beginning as it would be: the text of the plan, the plan, and what it makes of the files."""

    text: str
    plan: ExecutionPlan
    owned: tuple[tuple[str, int], ...]
    """Each agent, and how many of the files it would own."""
    coverage: Coverage
    notes: tuple[str, ...]
    """What did not come along, and what `check` has to say."""


def beginnings(root: Path) -> Iterator[Beginning]:
    """The ways to begin in the repository at `root`, the most promising first."""
    for name in _OWNER_FILES:
        if (root / name).is_file():
            words = "the owners that you have are agents, with the same files"
            yield Beginning("codeowners", f"from {name}", words, _from_file(root, root / name))
            break
    for document in _documents(root):
        shown = document.relative_to(root).as_posix()
        words = "the phases, agents and tasks that it describes"
        yield Beginning(f"markdown:{shown}", f"from {shown}", words, _from_file(root, document))
    yield Beginning(
        "tree",
        "from the folders and their history",
        "what is changed together belongs to one agent",
        lambda agents: _from_tree(root, agents),
        shared_out=True,
    )
    yield Beginning(
        "coders",
        "a few coding agents",
        "a commented plan in which every field is explained",
        lambda _: draft_plan(root, "coders", None),
    )
    yield Beginning(
        "runebook",
        "orchestrator and six built-in agents",
        "capture, storage, analysis, surfaces, Nix and CI, validation, in five phases",
        lambda _: draft_plan(root, "runebook", None),
    )


def installed_clients() -> tuple[str, ...]:
    """The agent CLIs that are on PATH, and SHELL at the end."""
    found = (each.id for each in ADAPTERS.values() if shutil.which(each.program) is not None)
    return (*found, SHELL)


def preview(root: Path, beginning: Beginning, agents: int, client: str) -> Preview:
    """What writing it would make. Raises InitError, PlanError or ValueError with one line for people."""
    draft = beginning.draft(agents)
    text = run_by(draft.text, client)
    plan, problems = read_plan(text, PLAN_NAME, root)
    if plan is None:
        raise PlanError(problems)
    files = tracked_files(root)
    owned = {agent.id: 0 for agent in plan.agents}
    owners = OwnershipManager(plan.ownership)
    for path in files:
        if (claim := owners.owner_of(path)) is not None and claim.owner in owned:
            owned[claim.owner] += 1
    notes = (*draft.left_out, *(each.message for each in problems))
    return Preview(text, plan, tuple(owned.items()), coverage(plan, files), notes)


def begin(root: Path, text: str) -> Path:
    """Write the plan; an existing one is never overwritten. Raises InitError or PlanError."""
    return create_plan(root, Draft(text), "the plan")


def run_by(text: str, client: str) -> str:
    """The plan with `client` for each agent of which nobody has said yet what it runs. SHELL is a shell."""
    if client == SHELL:
        return text.replace(_UNSAID, f"command = [{toml_text(os.environ.get('SHELL') or '/bin/sh')}]\n")
    return text.replace(_UNSAID, f"client = {toml_text(client)}\n")


def _from_file(root: Path, source: Path) -> Callable[[int], Draft]:
    return lambda _: draft_plan(root, None, source)


def _from_tree(root: Path, agents: int) -> Draft:
    name = os.fsencode(root.resolve().name).decode("utf-8", "replace")
    try:
        commits = [each.paths for each in changes(Git(root), _COMMITS, seconds=_SECONDS)]
    except GitError:
        commits = []
    return draft_from_tree(tracked_files(root), commits, name, agents)


def _documents(root: Path) -> Iterator[Path]:
    """Markdown files at the top and in docs/ from which a plan can be made."""
    names = [*root.glob("*.md"), *(root / "docs").glob("*.md")]
    found = 0
    for path in sorted(names):
        try:
            with path.open("rb") as file:
                text = file.read(_MOST_LETTERS).decode("utf-8", "replace").casefold()
            if _PHASE not in text or "agent" not in text:
                continue
            draft = draft_plan(root, None, path)
            plan, _ = read_plan(draft.text, PLAN_NAME, root)
        except (OSError, InitError, PlanError, ValueError):
            continue
        if plan is not None and len(plan.agents) > 1:
            yield path
            found += 1
            if found == _MOST_DOCUMENTS:
                return
