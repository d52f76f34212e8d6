"""The notes of `check`: what a plan makes of the repository, its history and earlier runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runebook_tui.clients.registry import missing
from runebook_tui.core import events as e
from runebook_tui.core.ownership import FileOwnership
from runebook_tui.core.types import AgentSpec, AgentStatus, ExecutionPlan
from runebook_tui.execution.follow import has_log, open_log
from runebook_tui.git.changes import changes
from runebook_tui.git.process import Git, GitError
from runebook_tui.log.eventlog import LogError
from runebook_tui.orchestrator.coverage import Coverage, Overlap, Unowned, coverage
from runebook_tui.orchestrator.longest import CriticalPath, critical_path
from runebook_tui.orchestrator.together import Together, together
from runebook_tui.orchestrator.waits import Moment, never_started

_COMMITS = 500
_SECONDS = 10.0
_SHOWN = 5
_KEPT = 200

_TIMED = ("AgentStarted", "StatusUpdate", "TaskCompleted", "ApiPublished")


@dataclass(frozen=True)
class Notes:
    """What is worth knowing of a plan that can run."""

    coverage: Coverage
    stuck: tuple[tuple[str, str], ...]
    """Agents that can never start here, and why."""
    together: tuple[Together, ...]
    path: CriticalPath | None
    left_out: tuple[str, ...] = ()
    """What could not be looked at."""


def notes(root: Path, plan: ExecutionPlan, builtins: frozenset[str]) -> Notes:
    """Look at the repository, its history and the log for what the plan makes of them."""
    git = Git(root)
    left_out: list[str] = []
    files: list[str] = []
    pairs: tuple[Together, ...] = ()
    try:
        files = [os.fsdecode(name) for name in git.run("ls-files", "-z").split(b"\0") if name]
        commits = (each.paths for each in changes(git, _COMMITS, seconds=_SECONDS))
        pairs = together(plan, commits, files)
    except GitError as error:
        left_out.append(str(error))
    seconds: Mapping[Moment, float] = {}
    try:
        seconds = _seconds(root)
    except LogError as error:
        left_out.append(str(error))
    absent = {agent.id: why for agent in plan.agents if (why := _absent(root, agent, builtins))}
    stuck = [*absent.items()]
    stuck += [(name, f"waits for {for_whom}") for name, for_whom in never_started(plan, absent).items()]
    return Notes(coverage(plan, files), tuple(stuck), pairs, critical_path(plan, seconds), tuple(left_out))


def _absent(root: Path, agent: AgentSpec, builtins: frozenset[str]) -> str:
    """Why nothing can be started for the agent here, or ""."""
    if agent.builtin is not None:
        return "" if agent.builtin in builtins else f"no agent called {agent.builtin} is installed"
    if agent.client is not None:
        return missing(agent.client, shutil.which) or ""
    program = (agent.command or ("",))[0]
    folder = root / agent.cwd
    found = (
        os.access(folder / program, os.X_OK)
        if "/" in program
        else shutil.which(program, path=agent.env.get("PATH"))
    )
    return "" if found else f"there is no program {program}"


def _seconds(root: Path) -> Mapping[Moment, float]:
    """How long after its agent's start each moment came, by the last run that says so, in seconds."""
    if not has_log(root):
        return {}
    with open_log(root) as log:
        records = log.read(types=_TIMED)
    found: dict[Moment, float] = {}
    started: dict[str, float] = {}
    for record in records:
        event = record.event
        if isinstance(event, e.AgentStarted):
            started[event.agent] = record.time
        elif isinstance(event, e.StatusUpdate) and event.agent in started:
            if event.status is AgentStatus.COMPLETED:
                found[Moment("agent ends", event.agent)] = record.time - started[event.agent]
        elif isinstance(event, e.TaskCompleted) and event.agent in started:
            found[Moment("task", event.task)] = record.time - started[event.agent]
        elif isinstance(event, e.ApiPublished) and event.agent in started and event.version == 1:
            found[Moment("API", event.api)] = record.time - started[event.agent]
    return {moment: max(0.0, seconds) for moment, seconds in found.items()}


# ── as JSON ─────────────────────────────────────────────────────────────────────────────────────


def notes_shape(found: Notes) -> dict[str, Any]:
    """The notes as `check --json` prints them; lists hold at most 200 of each."""
    return {
        "overlaps": [_overlap_shape(each) for each in found.coverage.overlaps[:_KEPT]],
        "unowned": [
            {"folder": each.folder, "files": each.files, "examples": list(each.examples)}
            for each in found.coverage.unowned[:_KEPT]
        ],
        "idle": [_claim_shape(each) for each in found.coverage.idle[:_KEPT]],
        "stuck": [{"agent": agent, "reason": why} for agent, why in found.stuck],
        "together": [
            {
                "owners": list(each.owners),
                "commits": each.commits,
                "confidence": round(each.confidence, 3),
                "pairs": [
                    {
                        "paths": list(pair.paths),
                        "commits": pair.commits,
                        "confidence": round(pair.confidence, 3),
                    }
                    for pair in each.files
                ],
            }
            for each in found.together[:_KEPT]
        ],
        "critical_path": None
        if found.path is None
        else {
            "length": round(found.path.length, 3),
            "unit": found.path.unit,
            "chain": [_moment_words(each) for each in found.path.chain],
        },
        "left_out": list(found.left_out),
    }


def _claim_shape(claim: FileOwnership) -> dict[str, Any]:
    return {"owner": claim.owner, "claim": claim.pattern, "shared": claim.shared}


def _overlap_shape(each: Overlap) -> dict[str, Any]:
    return {
        "wins": _claim_shape(each.wins),
        "loses": _claim_shape(each.loses),
        "example": each.example,
        "files": each.files,
    }


# ── in words ────────────────────────────────────────────────────────────────────────────────────


def notes_words(found: Notes) -> Iterator[str]:
    """The notes as lines for people, the first few of each kind."""
    for agent, why in found.stuck:
        yield f"{agent} can never start here: {why}"
    yield from _few([_overlap_words(each) for each in found.coverage.overlaps], "overlaps")
    yield from _few([_unowned_words(each) for each in found.coverage.unowned], "folders with unowned files")
    yield from _few(
        [f"{each.owner}'s claim {each.pattern} matches no tracked file" for each in found.coverage.idle],
        "claims that match no tracked file",
    )
    yield from _few([_together_words(each) for each in found.together], "owners whose files change together")
    if found.path is not None:
        chain = " → ".join(_moment_words(each) for each in found.path.chain)
        yield f"the longest chain takes {_length_words(found.path)}: {chain}"
    yield from (f"not looked at: {each}" for each in found.left_out)


def _few(lines: list[str], of: str) -> Iterator[str]:
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"and {len(lines) - _SHOWN} more {of}; --json has them"


def _overlap_words(each: Overlap) -> str:
    where = f"{each.files} tracked" if each.files else "none there yet"
    return (
        f"{each.wins.owner}'s claim {each.wins.pattern} wins over {each.loses.owner}'s {each.loses.pattern}, "
        f"for example in {each.example} ({where})"
    )


def _unowned_words(each: Unowned) -> str:
    number = "1 file" if each.files == 1 else f"{each.files} files"
    where = f"in {each.folder}/" if each.folder else "at the top"
    return f"nobody claims {number} {where}, such as {', '.join(each.examples)}"


def _together_words(each: Together) -> str:
    one, two = each.owners
    pair = each.files[0]
    return (
        f"files of {one} and of {two} change together in {each.commits} commits ({each.confidence:.0%}), "
        f"most often {pair.paths[0]} and {pair.paths[1]} ({pair.commits}, {pair.confidence:.0%})"
    )


def _moment_words(moment: Moment) -> str:
    return moment.name if moment.what == "agent ends" else f"{moment.what} {moment.name}"


def _length_words(path: CriticalPath) -> str:
    if path.unit == "steps":
        return f"{path.length:.0f} step{'' if path.length == 1 else 's'}"
    minutes, seconds = divmod(round(path.length), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02} (by earlier runs)"
