"""The command `away`: what happened while the operator was away."""

from __future__ import annotations

import time
from argparse import Namespace

from runebook_tui.cli import shapes
from runebook_tui.cli.moments import elapsed, moment_of
from runebook_tui.cli.place import root_of_plan
from runebook_tui.core.absence import TYPES, Absence, lines, summary
from runebook_tui.core.printable import visible
from runebook_tui.execution.follow import open_log
from runebook_tui.log.loading import load
from runebook_tui.log.since import records_since


def away(arguments: Namespace) -> int:
    """Say what happened since the operator last looked."""
    with open_log(root_of_plan()) as log:
        state, now = load(log), time.time()
        since = moment_of(arguments.since, now, state.away_since)
        absence = summary(records_since(log, since, TYPES), since, state)
    if arguments.json:
        print(shapes.dump(_shape(absence)))
        return 0
    print(f"while you were away, for {elapsed(now - since)}:" if since else "since the beginning:")
    for line in lines(absence) or ("nothing happened",):
        print(f"  {visible(line, 500)}")
    return 0


def _shape(absence: Absence) -> dict[str, object]:
    return {
        "since": shapes.moment(absence.since or None),
        "words": list(lines(absence)),
        "forgotten": absence.forgotten,
        "edits": [
            {"author": each.author, "edits": each.edits, "files": each.files} for each in absence.edits
        ],
        "raised": list(absence.raised),
        "approved": absence.decisions.get("approved", 0),
        "rejected": absence.decisions.get("rejected", 0),
        "withdrawn": absence.decisions.get("withdrawn", 0),
        "waiting": list(absence.waiting),
        "lapsed": list(absence.lapsed),
        "calls": list(absence.calls),
        "started": list(absence.started),
        "completed": list(absence.completed),
        "agents": [
            {"id": name, "status": status.value, "reason": absence.reasons.get(name, "")}
            for name, status in absence.agents.items()
        ],
        "published": list(absence.published),
        "drifted": list(absence.drifted),
        "messages": absence.messages,
        "attempts": absence.attempts,
        "suggested": list(absence.suggested),
        "best": None if absence.best is None else {"id": absence.best.id, "title": absence.best.title},
        "outcome": absence.outcome or None,
    }
