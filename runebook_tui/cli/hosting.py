"""Which host of the plan a checkout's engine is for, and the command that tells of all of them: hosts."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from runebook_tui.cli import shapes
from runebook_tui.cli.moments import clock
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.hosts import hosts, part
from runebook_tui.core.printable import visible
from runebook_tui.core.state import State
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.follow import engine_alive, has_log, open_log
from runebook_tui.execution.launch import engine_answers
from runebook_tui.log.eventlog import EventLog
from runebook_tui.log.loading import load
from runebook_tui.log.opening import Store
from runebook_tui.orchestrator.planner import load_plan
from runebook_tui.place import HOST_NAME, PLAN_NAME, host_name


def chosen_host(root: Path, given: str | None, plan: ExecutionPlan, store: Store) -> str:
    """The host whose agents the engine of `root` sees to; one that is `given` is remembered for the checkout.

    Raises CommandError where the plan has no such host, or where its store is this machine's alone.
    """
    host = host_name(root) if given is None else given
    named = [each for each in hosts(plan) if each]
    if host and host not in named:
        known = f"; its hosts: {', '.join(named)}" if named else ""
        raise CommandError(f"the plan has no agent on host {visible(host)!r}{known}", 2)
    if lacks := lacking_store(plan, store):
        raise CommandError(lacks, 2)
    if store.shared and engine_answers(root):
        raise CommandError("an engine runs here already; `runebook-tui down` stops it")
    if given is not None:
        (make_state_folder(root) / HOST_NAME).write_text(f"{host}\n")
    return host


def lacking_store(plan: ExecutionPlan, store: Store) -> str:
    """Why the plan's hosts cannot work together with that store, and what to do; "" when they can."""
    named = [each for each in hosts(plan) if each]
    if store.shared or not named:
        return ""
    return (
        f"the plan has agents on hosts ({', '.join(named)}), which need a log in PostgreSQL: "
        "say `store` in [plan], or RUNEBOOK_STORE (docs/hosts.md)"
    )


def show_hosts(arguments: Namespace) -> int:
    """List the plan's hosts, the agents of each, and whether its engine lives."""
    root = root_of_plan()
    state, living = State(plan=load_plan(root / PLAN_NAME)), dict[str, bool]()
    if has_log(root):
        with open_log(root) as log:
            known = load(log)
            state = known if known.run else state
            living = living_hosts(log, root, state)
    found = hosts_shape(state, living, host_name(root))
    if arguments.json:
        print(shapes.dump(found))
    else:
        print("\n".join(hosts_words(state, living, host_name(root))))
    return 0


def living_hosts(log: EventLog, root: Path, state: State) -> dict[str, bool]:
    """Whether the engine of each host of the plan lives. Raises LogError."""
    return {host: engine_alive(log, root, host) for host in _known(state)}


def hosts_shape(state: State, living: Mapping[str, bool], here: str) -> list[shapes.Shape]:
    """The shape `host` for each."""
    return [
        {
            "id": host,
            "here": host == here,
            "engine": None if engine is None else {"pid": engine.pid, "host": engine.host},
            "since": None if engine is None else shapes.moment(engine.started_at),
            "agents": [agent.id for agent in state.plan.agents if agent.host == host],
            "requests": len(part(state, host).open_requests),
        }
        for host in _known(state)
        for engine in (state.engines.get(host) if living.get(host) else None,)
    ]


def hosts_words(state: State, living: Mapping[str, bool], here: str) -> list[str]:
    """The same for people, a line each."""
    lines = []
    for each in hosts_shape(state, living, here):
        engine, known = each["engine"], state.engines.get(each["id"])
        runs = "no engine runs"
        if engine is not None and known is not None:
            runs = f"engine runs on {visible(engine['host'])} since {clock(known.started_at)}"
        elif living.get(each["id"]):
            runs = "engine is beginning"
        name = (each["id"] or "the plan's own host") + (" (here)" if each["here"] else "")
        waits = f"  {each['requests']} waiting for a decision" if each["requests"] else ""
        agents = ", ".join(each["agents"]) or "no agents"
        lines.append(f"{name:<28}  {runs}  {agents}{waits}")
    return lines


def _known(state: State) -> tuple[str, ...]:
    """The plan's hosts, and those of which an engine runs without agents."""
    return tuple(dict.fromkeys((*hosts(state.plan), *state.engines)))
