"""The command about lanes: what each agent's worktree holds, and its removal."""

from __future__ import annotations

from argparse import Namespace

from runebook_tui.cli import shapes
from runebook_tui.cli.asking import ask_engine
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.printable import visible
from runebook_tui.git.lane import Lane, under_way
from runebook_tui.git.worktrees import Worktrees

_SHOWN = 5


def lanes(arguments: Namespace) -> int:
    """List the lanes, or remove one."""
    if (arguments.step is None) != (arguments.agent is None):
        raise CommandError("say which: lanes remove AGENT", 2)
    if arguments.step == "remove":
        return _remove(arguments)
    root = root_of_plan()
    found = [_shape(lane) for lane in Worktrees(root).lanes()]
    if arguments.json:
        print(shapes.dump(found))
        return 0
    for each in found:
        print("\n".join(visible(line) for line in _words(each)))
    if not found:
        print("no agent has a worktree")
    return 0


def _shape(lane: Lane) -> shapes.Shape:
    return {
        "id": lane.agent,
        "branch": lane.branch,
        "path": str(lane.root),
        "in_the_middle_of": under_way(lane.git) or None,
        "pending": sorted(lane.work().changed),
    }


def _words(each: shapes.Shape) -> list[str]:
    pending: list[str] = each["pending"]
    doing = f", in the middle of {each['in_the_middle_of']}" if each["in_the_middle_of"] else ""
    count = (
        f"{len(pending)} path{'' if len(pending) == 1 else 's'} not integrated" if pending else "integrated"
    )
    lines = [f"{each['id']}  {each['branch']}  {count}{doing}", f"    {each['path']}"]
    lines += [f"    {path}" for path in pending[:_SHOWN]]
    return lines + ([f"    and {len(pending) - _SHOWN} more"] if len(pending) > _SHOWN else [])


def _remove(arguments: Namespace) -> int:
    answer = ask_engine("lane-remove", agent=arguments.agent)
    branch = f"branch runebook/{answer['agent']}"
    words = f"{branch} went with it" if answer["branch_removed"] else f"{branch} stays"
    if arguments.json:
        print(shapes.dump({"id": answer["agent"], "branch_removed": answer["branch_removed"]}))
    else:
        print(visible(f"the worktree of {answer['agent']} is removed; {words}"))
    return 0
