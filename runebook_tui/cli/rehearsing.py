"""`rehearse`: how many requests a plan would have raised, by what a run or the history wrote."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from runebook_tui.cli import shapes
from runebook_tui.cli.place import CommandError, plan_file, root_of_plan
from runebook_tui.core import events as e
from runebook_tui.core.forgetting import kept_no_more
from runebook_tui.core.printable import visible
from runebook_tui.core.rehearsal import Commit, Rehearsal, rehearse_history, rehearse_run
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.execution.follow import has_log, open_log
from runebook_tui.git.changes import changes
from runebook_tui.git.process import Git, GitError
from runebook_tui.orchestrator.planner import load_plan, read_plan
from runebook_tui.place import PLAN_NAME

_SHOWN = 12
_KEPT = 200
_MOST_COMMITS = 10_000

K = TypeVar("K")


@dataclass(frozen=True)
class _Comparison:
    """What was gone through, and what came of it then and now."""

    about: str
    then: Rehearsal | None
    now: Rehearsal
    run: int | None = None
    commits: int | None = None
    raised: int | None = None
    forgotten: int = 0


def rehearse(arguments: Namespace) -> int:
    """Rehearse a plan."""
    plan = load_plan(plan_file() if arguments.plan is None else Path(arguments.plan))
    if arguments.history is not None:
        found = _history(root_of_plan(), arguments.history, plan)
    else:
        found = _run(root_of_plan(), arguments.run, plan)
    if arguments.json:
        print(shapes.dump(_shape(found, _KEPT)))
        return 0
    for line in _words(found):
        print(visible(line))
    return 0


def _run(root: Path, number: int | None, plan: ExecutionPlan) -> _Comparison:
    if not has_log(root):
        raise CommandError("nothing has run here yet; rehearse by the history with --history 500")
    with open_log(root) as log:
        runs = log.read(types=["RunStarted"])
        starts = {record.run: record.seq for record in runs}
        number = max(starts, default=0) if number is None else number
        if number not in starts:
            raise CommandError(f"there was no run {number}")
        following = min((seq for seq in starts.values() if seq > starts[number]), default=None)
        records = log.read(after=starts[number] - 1, before=following)
        forgot = log.read(types=["TouchesForgotten"], after=starts[number])
    forgotten = sum(
        each.event.runs.get(number, 0) for each in forgot if isinstance(each.event, e.TouchesForgotten)
    )
    raised = sum(isinstance(record.event, e.CoordinationRequest) for record in records)
    then, now = rehearse_run(records), rehearse_run(records, plan)
    about = f"run {number}: {now.writes} writes and questions; {raised} requests were raised"
    about += f"; {kept_no_more(forgotten)}" if forgotten else ""
    return _Comparison(about, then, now, run=number, raised=raised, forgotten=forgotten)


def _history(root: Path, commits: int, plan: ExecutionPlan) -> _Comparison:
    if not 0 < commits <= _MOST_COMMITS:
        raise CommandError(f"--history takes 1 to {_MOST_COMMITS} commits", 2)
    git = Git(root)
    before = _committed(git)
    by = before or plan
    found = [
        Commit(each.time, each.agent if by.agent(each.agent) else "", each.paths)
        for each in changes(git, commits, seconds=30.0)
    ]
    found.reverse()
    then = None if before is None else rehearse_history(found, before)
    now = rehearse_history(found, plan, by)
    number = "1 commit" if len(found) == 1 else f"{len(found)} commits"
    about = (
        f"{number}, {now.writes} changed files; a commit counts as its trailer Runebook-Agent says, "
        "else as the agent's that owns most of its files"
    )
    return _Comparison(about, then, now, commits=len(found))


def _committed(git: Git) -> ExecutionPlan | None:
    """The plan that HEAD has, or None."""
    try:
        text = git.run("show", f"HEAD:{PLAN_NAME}").decode()
    except (GitError, UnicodeDecodeError):
        return None
    return read_plan(text, PLAN_NAME, None)[0]


def _both(
    then: Sequence[tuple[K, int]] | None, now: Sequence[tuple[K, int]]
) -> list[tuple[K, int | None, int]]:
    """What is counted, by how many there were then or are now, most first."""
    old, new = dict(then or ()), dict(now)
    keys = sorted(
        dict.fromkeys((*old, *new)), key=lambda key: (-max(old.get(key, 0), new.get(key, 0)), str(key))
    )
    return [(key, None if then is None else old.get(key, 0), new.get(key, 0)) for key in keys]


def _shape(found: _Comparison, most: int | None = None) -> dict[str, Any]:
    then, now = found.then, found.now
    return {
        "run": found.run,
        "commits": found.commits,
        "writes": now.writes,
        "raised": found.raised,
        "forgotten": found.forgotten,
        "then": None if then is None else len(then.requests),
        "now": len(now.requests),
        "pairs": [
            {"agent": agent, "owner": owner, "then": before, "now": after}
            for (agent, owner), before, after in _both(None if then is None else then.pairs, now.pairs)
        ],
        "paths": [
            {"path": path, "then": before, "now": after}
            for path, before, after in _both(None if then is None else then.paths, now.paths)[:most]
        ],
    }


def _words(found: _Comparison) -> list[str]:
    shape = _shape(found)
    lines = [found.about]
    if found.then is None:
        lines.append(f"requests: {shape['now']}")
    else:
        lines.append(f"requests, rehearsed: {shape['then']} with the plan then, {shape['now']} with this one")
    for title, rows in (("by agent and owner", shape["pairs"]), ("by path", shape["paths"])):
        if rows:
            lines.append(f"{title}:")
        for row in rows[:_SHOWN]:
            name = row["path"] if "path" in row else f"{row['agent']} → {row['owner'] or 'nobody or several'}"
            before = "" if row["then"] is None else f"{row['then']} → "
            lines.append(f"  {before}{row['now']}  {name}")
        if len(rows) > _SHOWN:
            lines.append(f"  and {len(rows) - _SHOWN} more")
    return lines
