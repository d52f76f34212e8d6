"""The roadmap of a plan as a page in Markdown: phases, who works in each, tasks, interfaces, boundaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MARK = "<!-- Written by Runebook's orchestrator from runebook.toml, and kept up to date. -->"
"""The first line: a page without it is somebody's own."""

Entry = Mapping[str, Any]


def roadmap(plan: Mapping[str, Any]) -> str:
    """The page, the same for the same plan."""
    parts = [MARK, "", f"# Roadmap: {_cell(plan['plan']['name'])}", ""]
    for number, phase in enumerate(in_order(plan["phases"]), start=1):
        parts += _phase(number, phase, [each for each in plan["agents"] if each["phase"] == phase["id"]])
    parts += ["## Interfaces", ""]
    if plan["interfaces"]:
        parts += ["| interface | owner | file | holds |", "|---|---|---|---|"]
        parts += [_row(i["name"], i["owner"], i["path"], ", ".join(promises(i))) for i in plan["interfaces"]]
    else:
        parts.append("The plan promises none.")
    parts += ["", "## Boundaries", "", "| who | what |", "|---|---|"]
    parts += [_row(each["id"], ", ".join(each["claims"]) or "nothing") for each in plan["agents"]]
    parts += [_row(f"{each['owner']}, shared", each["path"]) for each in plan["shared"]]
    unowned = "may be written by all" if plan["policy"]["unowned"] == "allow" else "are asked about"
    parts += [
        "",
        f"Files that nobody claims {unowned}. A write across a boundary is a request to the operator.",
        "",
    ]
    return "\n".join(parts)


def in_order(phases: Sequence[Entry]) -> list[Entry]:
    """The phases in an order in which they can start; those of a cycle last, as written."""
    placed: list[Entry] = []
    rest = list(phases)
    while rest:
        done = {each["id"] for each in placed}
        free = next((each for each in rest if set(each["after"]) <= done), rest[0])
        placed.append(free)
        rest.remove(free)
    return placed


def promises(interface: Entry) -> list[str]:
    """What an interface's file is to hold: texts, patterns and symbols."""
    return [*interface["must_contain"], *interface["must_match"], *interface["symbols"]]


def _phase(number: int, phase: Entry, agents: Sequence[Entry]) -> list[str]:
    waits = [f"after {_cell(', '.join(phase['after']))}"] if phase["after"] else []
    waits += [f"needs {_cell(each)}" for each in _needed(phase["needs"])]
    if phase["continuous"]:
        waits.append("runs beside the others and finalizes at the end")
    parts = [f"## Phase {number}: {_cell(phase['title'] or phase['id'])}", ""]
    parts += [f"Starts {'; '.join(waits)}." if waits else "Starts at once.", ""]
    for agent in agents:
        needs = _needed(agent["needs"])
        parts.append(f"* **{_cell(agent['id'])}**" + (f" (needs {_cell(', '.join(needs))})" if needs else ""))
        parts += [f"  * `{task['id']}` {_cell(task['title'])}".rstrip() for task in agent["tasks"]]
    return [*parts, ""]


def _needed(needs: Entry) -> list[str]:
    singular = (("phases", "phase"), ("tasks", "task"), ("apis", "API"))
    return [f"the {word} {name}" for kind, word in singular for name in needs[kind]]


def _row(*cells: str) -> str:
    return f"| {' | '.join(_cell(each) for each in cells)} |"


def _cell(text: str) -> str:
    """A text of the plan as it stands in a table: one line, no mark of its own."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    for sign in "\\|*_`<[":
        shown = shown.replace(sign, "\\" + sign)
    return shown
