"""The report as Markdown: a heading, a sentence, and tables; nothing that others wrote is markup in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runebook_tui.core.printable import visible
from runebook_tui.report.account import Account
from runebook_tui.report.tables import Table, tables
from runebook_tui.report.words import moment, outcome_words

_CELL = 500


def markdown(account: Account) -> str:
    """The whole report, CommonMark with tables as GitHub has them."""
    return "\n".join(_lines(account))


def _lines(account: Account) -> Iterator[str]:
    yield f"# {escaped(account.plan)}: run {account.run}"
    yield ""
    yield f"It began on {moment(account.started)}. {escaped(outcome_words(account))}"
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
            yield "| " + " | ".join(map(escaped, row)) + " |"
    if table.note:
        yield from ([""] if table.rows else [])
        yield table.note


def escaped(text: str, limit: int = _CELL) -> str:
    """`text` on one line, as Markdown that shows just that."""
    return re.sub(r"([\\`*_\[\]<>#|~&$@])", r"\\\1", visible(text, limit))
