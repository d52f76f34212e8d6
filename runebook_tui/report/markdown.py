"""The report as Markdown: a heading, a sentence, and tables; nothing that others wrote is markup in it."""

from __future__ import annotations

from collections.abc import Iterator

from runebook_tui.core.printable import as_markdown
from runebook_tui.report.account import Account
from runebook_tui.report.tables import Table, tables
from runebook_tui.report.words import moment, outcome_words

_CELL = 500


def markdown(account: Account) -> str:
    """The whole report, CommonMark with tables as GitHub has them."""
    return "\n".join(_lines(account))


def _lines(account: Account) -> Iterator[str]:
    yield f"# {as_markdown(account.plan)}: run {account.run}"
    yield ""
    yield f"It began on {moment(account.started)}. {as_markdown(outcome_words(account))}"
    for table in tables(account):
        yield ""
        yield from _table(table)
    yield ""


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.title}"
    yield ""
    if table.rows:
        yield "| " + " | ".join(table.columns) + " |"
        yield "|" + "---|" * len(table.columns)
        for row in table.rows:
            yield "| " + " | ".join(as_markdown(each, _CELL) for each in row) + " |"
    if table.note:
        yield from ([""] if table.rows else [])
        yield table.note
