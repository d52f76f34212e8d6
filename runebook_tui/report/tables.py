"""The tables of a report: what the text and the page both show, as plain texts in rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runebook_tui.report.account import Account, Written
from runebook_tui.report.words import (
    check_words,
    decision_words,
    duration,
    moment,
    use_words,
    who,
    written_words,
)

FILES = 500
"""So many files are listed; what is left out is said."""
_NAMED = 8


@dataclass(frozen=True)
class Table:
    """A heading, names of columns, and rows of plain texts that others may have written."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    """What is left out, or what is there instead of rows."""


def tables(account: Account) -> Iterator[Table]:
    """Every table of the report, in order; those without a row say so."""
    yield _phases(account)
    yield _agents(account)
    yield _requests(account)
    if account.checks:
        yield _checks(account)
    if account.published:
        rows = ((moment(each.time), f"{each.api} v{each.version}", each.agent) for each in account.published)
        yield Table("Published interfaces", ("When", "Interface", "Agent"), tuple(rows))
    if account.suggestions:
        yield _suggestions(account)
    failures = _failures(account)
    if failures.rows:
        yield failures
    yield _files(account)


def _phases(account: Account) -> Table:
    rows = []
    for each in account.phases.values():
        lasted = (
            "" if each.started is None or each.completed is None else duration(each.completed - each.started)
        )
        name = f"{each.title} ({each.id})" if each.title else each.id
        rows.append((name, moment(each.started), moment(each.completed), lasted))
    return Table("Phases", ("Phase", "Started", "Completed", "Lasted"), tuple(rows))


def _agents(account: Account) -> Table:
    rows = []
    for each in account.agents.values():
        done = sum(at is not None for at in each.tasks.values())
        status = f"{each.status}: {each.reason}" if each.reason else each.status
        rows.append(
            (
                each.id,
                status,
                f"{done} of {len(each.tasks)}",
                f"{len(each.files)} ({written_words(_sum(each.files))})" if each.files else "0",
                ", ".join(map(str, each.requests)),
                f"{each.commands}, {each.failed} failed" if each.commands else "0",
                use_words(each),
            )
        )
    columns = ("Agent", "Status", "Tasks done", "Files written", "Requests", "Commands", "Tokens and cost")
    return Table("Agents", columns, tuple(rows))


def _sum(files: Mapping[str, Written]) -> Written:
    found = files.values()
    return Written(
        sum(each.edits for each in found),
        sum(each.added for each in found),
        sum(each.removed for each in found),
    )


def _requests(account: Account) -> Table:
    rows = []
    for each in account.requests.values():
        paths = [
            *each.paths[:_NAMED],
            *([f"and {len(each.paths) - _NAMED} more"] if len(each.paths) > _NAMED else []),
        ]
        waited = "" if each.decided is None else duration(each.decided - each.opened)
        rows.append(
            (
                str(each.id),
                moment(each.opened),
                each.requester,
                each.kind,
                ", ".join(paths),
                ", ".join(map(who, each.owners)),
                each.reason,
                decision_words(each),
                waited,
            )
        )
    columns = ("Request", "Raised", "By", "Kind", "Paths", "Owners", "Why", "Decision", "Waited")
    return Table("Requests and decisions", columns, tuple(rows), "" if rows else "There were none.")


def _checks(account: Account) -> Table:
    rows = (
        (each.title, each.command, check_words(each), moment(each.time)) for each in account.checks.values()
    )
    return Table("Acceptance", ("Check", "Command", "Result", "When"), tuple(rows))


def _suggestions(account: Account) -> Table:
    rows = (
        (moment(each.time), each.agent, each.priority, each.title, str(each.count), each.status)
        for each in account.suggestions.values()
    )
    return Table("Suggestions", ("When", "By", "Priority", "Suggestion", "Times", "Status"), tuple(rows))


def _failures(account: Account) -> Table:
    found = sorted(
        (each.time, agent.id, each.command, "" if each.code is None else str(each.code))
        for agent in account.agents.values()
        for each in agent.failures
    )
    rows = tuple((moment(time), agent, command, code) for time, agent, command, code in found)
    return Table("Commands that failed", ("When", "Agent", "Command", "Exit code"), rows)


def _files(account: Account) -> Table:
    files = account.files
    rows = [
        (path, "; ".join(f"{who(author)}: {written_words(each)}" for author, each in authors.items()))
        for path, authors in list(files.items())[:FILES]
    ]
    left = len(files) - len(rows)
    note = f"{left} more files are left out; `--json` has them all." if left else ""
    return Table(
        "Who wrote what", ("File", "Written by"), tuple(rows), note or ("" if rows else "No file changed.")
    )
