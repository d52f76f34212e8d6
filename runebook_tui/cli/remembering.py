"""The command memory: what the storage agent remembers, without an engine."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from contextlib import suppress
from pathlib import Path
from typing import Any

from runebook_tui.cli import shapes
from runebook_tui.cli.moments import moment_of
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.printable import visible
from runebook_tui.execution.client import EngineClient, EngineDown
from runebook_tui.memory.reader import KINDS, SEARCHED, Found, Reader
from runebook_tui.memory.retention import wipe
from runebook_tui.memory.store import FILE_NAME, Store, StoreError
from runebook_tui.orchestrator.planner import load_plan
from runebook_tui.orchestrator.problems import PlanError
from runebook_tui.place import PLAN_NAME, state_folder

STORAGE = "storage"
"""The built-in agent that keeps the memory."""
_TIMES = ("time", "started", "ended", "first", "oldest", "newest")


def memory(arguments: Namespace) -> int:
    """Look into the memory, search it, print all of it, or wipe it."""
    path = memory_path(root := root_of_plan())
    if not path.exists():
        raise CommandError(f"nothing is remembered yet: no agent with builtin = {STORAGE!r} has run here")
    if arguments.limit < 1:
        raise CommandError("--limit is a number from 1", 2)
    if arguments.step == "wipe":
        return _wipe(arguments, root, path)
    _mend(path)
    with Store(path) as store:
        step = {"inspect": _inspect, "search": _search, "export": _export}[arguments.step]
        return step(arguments, Reader(store))


def memory_path(root: Path) -> Path:
    """The memory of the repository at `root`: in the folder of the plan's storage agent."""
    try:
        agents = load_plan(root / PLAN_NAME).agents
    except (PlanError, OSError):
        agents = ()
    name = next((each.id for each in agents if each.builtin == STORAGE), STORAGE)
    return state_folder(root) / "agents" / name / FILE_NAME


def _mend(path: Path) -> None:
    """Let SQLite take back what a writer that was killed had begun; one that is at work is left alone.

    Who may not write there (an agent in its pane) reads on, and is told where that is impossible.
    """
    journal = path.with_name(f"{FILE_NAME}-journal")
    if journal.exists() and journal.stat().st_size > 0:
        with suppress(StoreError):
            Store(path, write=True).close()


def _inspect(arguments: Namespace, reader: Reader) -> int:
    if len(arguments.words) > 1:
        raise CommandError("memory inspect takes one id, such as command/12", 2)
    found = _moments(reader.one(arguments.words[0]) if arguments.words else reader.overview())
    if arguments.json:
        print(shapes.dump(found))
        return 0
    for name, value in found.items():
        print(f"{name}: {_shown(value)}")
    return 0


def _search(arguments: Namespace, reader: Reader) -> int:
    kinds = _kinds(arguments, SEARCHED)
    if not " ".join(arguments.words).strip():
        raise CommandError("say what to look for", 2)
    found = reader.search(
        " ".join(arguments.words),
        kinds,
        agent=arguments.agent,
        since=_moment(arguments.since) or 0.0,
        limit=arguments.limit,
    )
    if arguments.json:
        print(shapes.dump([_found_shape(each) for each in found]))
        return 0
    for each in found:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.time))
        print(f"{when}  {visible(each.agent)}  {each.id}  {_shown(each.near or each.words)}")
    if not found:
        print("nothing is found", file=sys.stderr)
    return 0


def _export(arguments: Namespace, reader: Reader) -> int:
    if arguments.words:
        raise CommandError("memory export takes no word", 2)
    since = _moment(arguments.since) or 0.0
    for row in reader.everything(_kinds(arguments, KINDS), agent=arguments.agent, since=since):
        print(json.dumps(_moments(row)))
    return 0


def _wipe(arguments: Namespace, root: Path, path: Path) -> int:
    if arguments.words or arguments.kind or arguments.since:
        raise CommandError("memory wipe takes --agent and --before only: what it wipes, it wipes whole", 2)
    _only_the_operator(root)
    before = _moment(arguments.before)
    whose = f" of {visible(arguments.agent)}" if arguments.agent else ""
    until = f" from before {arguments.before}" if before is not None else ""
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise CommandError("nobody can be asked here: give --yes")
        try:
            answer = input(f"Forget everything{whose}{until}? It cannot be brought back. [y/N] ")
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            print("nothing was forgotten")
            return 1
    with Store(path, write=True) as store:
        gone = wipe(store, agent=arguments.agent, before=before)
        left = store.size()
    if arguments.json:
        print(shapes.dump({"forgotten": gone, "size": left}))
    else:
        print(f"forgot {gone} thing{'' if gone == 1 else 's'}{whose}{until}")
    return 0


def _only_the_operator(root: Path) -> None:
    """Where an engine runs, it knows who is asking; without one, the file's own permission says it."""
    try:
        with EngineClient(root) as engine:
            you = engine.ask("hello").get("you")
    except EngineDown:
        return
    if you != "operator":
        raise CommandError(f"only the operator may wipe the memory; this process is {you or 'unknown'}")


def _kinds(arguments: Namespace, known: tuple[str, ...]) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(arguments.kind or known))
    unknown = next((each for each in wanted if each not in known), None)
    if unknown is not None:
        raise CommandError(f"there is no kind {unknown!r} here: {', '.join(known)}", 2)
    return wanted


def _moment(text: str | None) -> float | None:
    return None if text is None else moment_of(text, time.time(), None)


def _found_shape(found: Found) -> dict[str, Any]:
    return {**found._asdict(), "time": shapes.moment(found.time)}


def _moments(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its times as all shapes have them."""
    shaped: dict[str, Any] = {}
    for name, value in row.items():
        if name in _TIMES and value is not None:
            shaped[name] = shapes.moment(value)
        elif name == "provenance":
            shaped[name] = [_moments(each) for each in value]
        else:
            shaped[name] = value
    return shaped


def _shown(value: object) -> str:
    """A value on one line, for people."""
    return visible(value if isinstance(value, str) else json.dumps(value))
