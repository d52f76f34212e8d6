"""The command `report`: what a run came to, as Markdown, as a page, or as JSON."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from runebook_tui.cli import shapes
from runebook_tui.cli.place import CommandError, root_of_plan
from runebook_tui.core.events import Record
from runebook_tui.execution.follow import open_log
from runebook_tui.log.eventlog import EventLog
from runebook_tui.report.account import Account, AgentAccount, Check, RequestAccount, Written
from runebook_tui.report.counting import account
from runebook_tui.report.markdown import markdown
from runebook_tui.report.page import page

_PAGE = 5000
"""Records that are read at once."""


def report(arguments: Namespace) -> int:
    """Say what a run came to; no engine is needed."""
    with open_log(root_of_plan()) as log:
        newest = log.read(limit=1, newest_first=True)
        last = newest[0].run if newest else 0
        run = last if arguments.run is None else arguments.run
        if not 1 <= run <= last:
            there = f"there are runs 1 to {last}" if last else "nothing has run here yet"
            raise CommandError(f"there is no run {run}: {there}" if last else there)
        found = account(_records(log), run)
    if arguments.html is not None:
        Path(arguments.html).write_text(page(found), "utf-8", "xmlcharrefreplace")
    if arguments.json:
        print(shapes.dump(_shape(found)))
    elif arguments.html is None:
        sys.stdout.write(markdown(found))
    return 0


def _records(log: EventLog) -> Iterator[Record]:
    """Every record, a few thousand at a time."""
    after = 0
    while some := log.read(after=after, limit=_PAGE):
        yield from some
        after = some[-1].seq


def _shape(found: Account) -> shapes.Shape:
    return {
        "run": found.run,
        "plan": found.plan,
        "started_at": shapes.moment(found.started),
        "ended_at": shapes.moment(found.ended),
        "last_at": shapes.moment(found.last),
        "outcome": found.outcome or None,
        "reason": found.reason,
        "events": found.events,
        "forgotten": found.forgotten,
        "attempts": found.attempts,
        "phases": [
            {
                "id": each.id,
                "title": each.title,
                "continuous": each.continuous,
                "started_at": shapes.moment(each.started),
                "completed_at": shapes.moment(each.completed),
            }
            for each in found.phases.values()
        ],
        "agents": [_agent_shape(each) for each in found.agents.values()],
        "requests": [_request_shape(each) for each in found.requests.values()],
        "published": [
            {
                "id": each.api,
                "version": each.version,
                "agent": each.agent,
                "published_at": shapes.moment(each.time),
            }
            for each in found.published
        ],
        "checks": [_check_shape(each) for each in found.checks.values()],
        "suggestions": [
            {
                "id": each.id,
                "agent": each.agent,
                "priority": each.priority,
                "title": each.title,
                "time": shapes.moment(each.time),
                "count": each.count,
                "status": each.status,
            }
            for each in found.suggestions.values()
        ],
        "files": [
            {
                "path": path,
                "authors": [{"author": name or None, **_written(each)} for name, each in authors.items()],
            }
            for path, authors in found.files.items()
        ],
    }


def _written(written: Written) -> shapes.Shape:
    return {"edits": written.edits, "added": written.added, "removed": written.removed}


def _agent_shape(agent: AgentAccount) -> shapes.Shape:
    return {
        "id": agent.id,
        "title": agent.title,
        "phase": agent.phase,
        "status": agent.status,
        "reason": agent.reason,
        "lives": [
            {
                "started_at": shapes.moment(each.start),
                "ended_at": shapes.moment(each.end),
                "status": each.status,
            }
            for each in agent.spans
        ],
        "tasks": [
            {"id": task, "completed_at": shapes.moment(completed)} for task, completed in agent.tasks.items()
        ],
        "files": len(agent.files),
        "requests": agent.requests,
        "commands": agent.commands,
        "failed": agent.failed,
        "failures": [
            {"time": shapes.moment(each.time), "command": each.command, "code": each.code}
            for each in agent.failures
        ],
        "client": agent.client or None,
        "model": agent.model or None,
        "tokens": agent.tokens,
        "cost_usd": agent.cost,
    }


def _request_shape(request: RequestAccount) -> shapes.Shape:
    return {
        "id": request.id,
        "kind": request.kind,
        "requester": request.requester,
        "owners": request.owners,
        "paths": request.paths,
        "reason": request.reason,
        "opened_at": shapes.moment(request.opened),
        "decided_at": shapes.moment(request.decided),
        "status": request.status,
        "scope": request.scope or None,
        "by": request.by or None,
        "answer": request.answer,
        "taken_back": request.taken_back,
    }


def _check_shape(check: Check) -> shapes.Shape:
    return {
        "id": check.id,
        "title": check.title,
        "command": check.command,
        "passed": check.passed,
        "code": check.code,
        "seconds": check.seconds,
        "commit": check.commit or None,
        "reason": check.reason,
        "time": shapes.moment(check.time),
        "runs": check.runs,
    }
