"""The commands that read the log: status, requests, log, who."""

from __future__ import annotations

import asyncio
import json
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runebook_tui.cli import shapes, words
from runebook_tui.cli.diffs import diff_of
from runebook_tui.cli.hosting import hosts_shape, hosts_words, living_hosts
from runebook_tui.cli.lines import lines_shape, lines_words, width
from runebook_tui.cli.moments import moment_of
from runebook_tui.cli.place import CommandError, inside, root_of_plan
from runebook_tui.core.events import Touched
from runebook_tui.core.hosts import request_place, tree_of
from runebook_tui.core.ownership import operators_own
from runebook_tui.core.printable import visible_lines
from runebook_tui.core.sentences import sentence
from runebook_tui.core.state import RequestState, State
from runebook_tui.core.types import OPERATOR, ExecutionPlan
from runebook_tui.execution.follow import engine_alive, follow, has_log, open_log
from runebook_tui.execution.lineage import Line, NoLinesError, written_lines
from runebook_tui.log.eventlog import EventLog
from runebook_tui.log.loading import load
from runebook_tui.log.since import records_since
from runebook_tui.orchestrator.planner import load_plan
from runebook_tui.place import PLAN_NAME, host_name, tmux_socket_name


@contextmanager
def _log(root: Path) -> Iterator[EventLog]:
    log = open_log(root)
    try:
        yield log
    finally:
        log.close()


def status(arguments: Namespace) -> int:
    """Show phases, agents and requests."""
    root = root_of_plan()
    with _log(root) as log:
        state, alive, here = load(log), engine_alive(log, root), host_name(root)
        living = living_hosts(log, root, state)
    if arguments.json:
        hosts, tmux = hosts_shape(state, living, here), tmux_socket_name(root)
        print(shapes.dump(shapes.state_shape(state, engine=alive, tmux=tmux, host=here, hosts=hosts)))
    else:
        print(words.status_words(state, alive))
        if len(living) > 1:
            print("\n".join(hosts_words(state, living, here)))
        if alive:
            print(f"the panes: tmux -L {tmux_socket_name(root)} attach")
    return 0 if alive else 1


def requests(arguments: Namespace) -> int:
    """List the open requests."""
    root = root_of_plan()
    with _log(root) as log:
        state = load(log)
        away = [host for host, lives in living_hosts(log, root, state).items() if not lives]
    listed = [each for each in state.requests.values() if arguments.all or each.open]
    if arguments.json:
        print(shapes.dump([shapes.request_shape(each, diff_of(root, state, each)) for each in listed]))
        return 0
    for each in listed:
        print(words.request_words(each, time.time(), request_place(state, each, away if each.open else ())))
        if arguments.diff:
            print(visible_lines(diff_of(root, state, each)))
    if not listed:
        print("no request waits for a decision")
    return 0


def log(arguments: Namespace) -> int:
    """Show what happened, or move it."""
    root = root_of_plan()
    if arguments.step is not None:
        from runebook_tui.cli.moving import move

        return move(arguments, root)
    if arguments.keep is not None:
        raise CommandError("--keep belongs to log trim", 2)
    with _log(root) as records:
        if arguments.since is not None:
            since = moment_of(arguments.since, time.time(), load(records).away_since)
            known = records_since(records, since, limit=arguments.limit)
        elif arguments.limit is None:
            known = records.read()
        else:
            known = records.read(limit=max(arguments.limit, 0), newest_first=True)[::-1]
        last = records.last_seq()
    if arguments.json and not arguments.follow:
        print(shapes.dump([shapes.record_shape(record) for record in known]))
        return 0
    for record in known:
        print(
            json.dumps(shapes.record_shape(record))
            if arguments.json
            else words.record_words(record, sentence)
        )
    if arguments.follow:
        asyncio.run(_follow(root, last, json_lines=arguments.json))
    return 0


async def _follow(root: Path, after: int, *, json_lines: bool) -> None:
    async for update in follow(root, after=after):
        for record in update.records:
            shape = json.dumps(shapes.record_shape(record)) if json_lines else None
            print(shape or words.record_words(record, sentence), flush=True)


def _plan(root: Path) -> ExecutionPlan:
    """The plan that a run goes by, or the one in the file where none has begun."""
    if has_log(root):
        with _log(root) as records:
            state = load(records)
        if state.run:
            return state.plan
    return load_plan(root / PLAN_NAME)


def who(arguments: Namespace) -> int:
    """Say who owns a path and who wrote it last."""
    root = root_of_plan()
    path = inside(root, arguments.path)
    plan = _plan(root)
    yours = operators_own(path, None)
    claim = None if yours else State(plan=plan).owners.owner_of(path)
    last, about, state = None, tuple[RequestState, ...](), State(plan=plan)
    if has_log(root):
        with _log(root) as records:
            state = load(records)
            own = tree_of(host_name(root))
            trees = (own, *state.agents) if state.plan.has_lanes else (own,)
            touched = [
                record
                for lane in trees
                for record in records.read(
                    types=["Touched"], path=path, lane=lane, limit=1, newest_first=True
                )
            ]
        last = max(touched, key=lambda record: record.seq, default=None)
        about = tuple(each for each in state.open_requests if path in each.crossings)
    touch = last.event if last is not None and isinstance(last.event, Touched) else None
    author = None if touch is None else touch.author
    lines, why_not = _written(root, path) if arguments.lines else (None, "")
    status = 1 if why_not else 0
    if arguments.json:
        answer = {
            "path": path,
            "owner": OPERATOR if yours else None if claim is None else claim.owner,
            "claim": None if claim is None else claim.pattern,
            "shared": claim is not None and claim.shared,
            "last": None
            if author is None or touch is None or last is None
            else {
                "author": author.name,
                "candidates": list(author.candidates),
                "certain": author.certain,
                "evidence": author.evidence,
                "program": author.program,
                "pid": author.pid,
                "time": shapes.moment(last.time),
                "lane": touch.lane or None,
            },
            "requests": [each.id for each in about],
            "lines": None if lines is None else lines_shape(lines, state),
            "why_no_lines": why_not,
        }
        print(shapes.dump(answer))
        return status
    print(words.who_words(path, claim, author, None if last is None else last.time, yours=yours))
    for each in about:
        print(words.request_words(each, time.time(), request_place(state, each)))
    if why_not:
        print(f"its lines are not told: {why_not}")
    elif lines is not None:
        print("\n".join(lines_words(lines, state, width())))
    return status


def _written(root: Path, path: str) -> tuple[list[Line] | None, str]:
    """The lines with their authors, or why there are none."""
    try:
        if not has_log(root):
            return written_lines(root, path, None), ""
        with _log(root) as records:
            return written_lines(root, path, records), ""
    except NoLinesError as error:
        return None, str(error)
