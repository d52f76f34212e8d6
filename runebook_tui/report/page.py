"""The report as one HTML page: the picture and the tables, with nothing that is fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from runebook_tui.core.printable import visible
from runebook_tui.report.account import Account
from runebook_tui.report.picture import MARKS, STYLE, picture
from runebook_tui.report.tables import Table, tables
from runebook_tui.report.words import moment, outcome_words

_CELL = 2000
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse;width:100%;display:block;overflow-x:auto} h2{margin-top:2rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .7rem .3rem 0}
th,td{border-bottom:1px solid #8884;overflow-wrap:anywhere}
svg{width:100%;height:auto}
"""
_LEGEND = (
    "Bars are phases and the lives of agents; a line is a request as long as it waited, and the dot at its "
    "end what was decided: green approved, red rejected, grey withdrawn, hollow not decided. A diamond is a "
    "published interface. Times are UTC."
)


def page(account: Account) -> str:
    """The whole page; everything that others wrote is escaped."""
    return "\n".join(_lines(account)) + "\n"


def _lines(account: Account) -> Iterator[str]:
    title = f"{_safe(account.plan)}: run {account.run}"
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{title}</title>"
    yield f"<style>{_STYLE}{STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield f"<h1>{title}</h1>"
    yield f"<p>It began on {moment(account.started)}. {_safe(outcome_words(account))}</p>"
    yield picture(account)
    more = f" The newest {MARKS} requests are drawn." if len(account.requests) > MARKS else ""
    yield f"<p>{_LEGEND}{more}</p>"
    for table in tables(account):
        yield from _table(table)
    yield "</body>"
    yield "</html>"


def _table(table: Table) -> Iterator[str]:
    yield f"<h2>{_safe(table.title)}</h2>"
    if table.rows:
        yield "<table>"
        yield "<tr>" + "".join(f"<th>{_safe(each)}</th>" for each in table.columns) + "</tr>"
        for row in table.rows:
            yield "<tr>" + "".join(f"<td>{_safe(each)}</td>" for each in row) + "</tr>"
        yield "</table>"
    if table.note:
        yield f"<p>{_safe(table.note)}</p>"


def _safe(text: str) -> str:
    return escape(visible(text, _CELL))
