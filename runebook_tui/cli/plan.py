"""The commands about the plan's file: init, check, schema."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

from runebook_tui.agent import installed_agents
from runebook_tui.cli import shapes
from runebook_tui.cli.hosting import lacking_store
from runebook_tui.cli.notes import notes, notes_shape, notes_words
from runebook_tui.cli.place import plan_file, repository
from runebook_tui.core.printable import visible
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.opening import store_of
from runebook_tui.orchestrator import planner
from runebook_tui.orchestrator.init import write_plan
from runebook_tui.orchestrator.problems import Problem


def init(arguments: Namespace) -> int:
    """Write a commented plan for this repository; an existing one is never overwritten."""
    root = repository()
    left_out: list[str] = []
    source = None if arguments.source is None else Path(arguments.source)
    path = write_plan(root, arguments.template, source, say=left_out.append)
    if arguments.json:
        print(shapes.dump({"path": path.name, "left_out": left_out}))
        return 0
    print(f"wrote {visible(str(path))}")
    for line in left_out:
        print(f"  {visible(line)}")
    print("next: read it, `runebook-tui check`, then `runebook-tui`")
    return 0


def check(arguments: Namespace) -> int:
    """Read the plan and say what is wrong with it; exit status 2 when it cannot run."""
    path = plan_file()
    builtins = frozenset(installed_agents())
    plan, problems = planner.read_plan(
        planner.read_text(path), path.name, path.parent, builtins=builtins, which=shutil.which
    )
    if plan is not None:
        with suppress(LogError):  # an address that is none: the notes say what could not be looked at
            if lacks := lacking_store(plan, store_of(path.parent)):
                problems = (*problems, Problem(path.name, None, "plan.store", lacks, "warning"))
    if arguments.json:
        listed = [
            {
                "file": each.file,
                "line": each.line,
                "field": each.field,
                "message": each.message,
                "severity": each.severity,
            }
            for each in problems
        ]
        found = None if plan is None else notes_shape(notes(path.parent, plan, builtins))
        print(shapes.dump({"ok": plan is not None, "problems": listed, "notes": found}))
        return 2 if plan is None else 0
    for each in problems:
        print(visible(str(each)), file=sys.stderr if plan is None else sys.stdout)
    if plan is None:
        return 2
    counts = (
        (len(plan.phases), "phase"),
        (len(plan.agents), "agent"),
        (len(plan.ownership), "claim"),
        (len(plan.interfaces), "interface"),
    )
    summary = ", ".join(f"{number} {what}" + ("" if number == 1 else "s") for number, what in counts)
    print(f"{path.name}: {summary}; no errors")
    for line in notes_words(notes(path.parent, plan, builtins)):
        print(visible(f"note: {line}"))
    return 0


def schema(arguments: Namespace) -> int:
    """Print the JSON Schema of the plan."""
    print(shapes.dump(planner.schema()))
    return 0
