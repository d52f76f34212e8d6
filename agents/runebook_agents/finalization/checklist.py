"""The checklist's text: one line for each acceptance check, among lines that belong to people.

A line that ends in `<!-- runebook:ID -->` is Runebook's and is written anew; every other byte of the file
stays as it is, and where people move such a line, it stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from runebook_tui.core.printable import as_code, as_markdown

HEADING = b"# Validation checklist\n\n"
"""What a file begins with that was not there."""

_MARK = re.compile(rb"<!-- runebook:([a-z0-9_-]+) -->[ \t]*(\r?\n?)\Z")
_TITLE = 300
_COMMAND = 300


class Item(NamedTuple):
    """One check as the list shows it."""

    id: str
    title: str
    command: str
    """As a person would type it."""
    passed: bool
    evidence: str
    """Exit code, time, commit; in words."""


def updated(content: bytes, items: Sequence[Item]) -> bytes:
    """`content` with a line for each of `items`, in their places; those of other checks are left out."""
    if not content and not items:
        return content
    lines = re.findall(rb"[^\n]*\n|[^\n]+", content) if content else [HEADING]
    ends = b"\r\n" if lines[0].endswith(b"\r\n") else b"\n"
    wanted = {item.id.encode(): item for item in items}
    written: list[bytes] = []
    after = 0
    for line in lines:
        found = _MARK.search(line)
        if found is None:
            written.append(line)
            continue
        item = wanted.pop(found[1], None)
        if item is not None:
            written.append(_line(item) + found[2])
            after = len(written)
    if wanted:
        after = after or len(written)
        fresh = [_line(item) + ends for item in wanted.values()]
        written[after:after] = [*_gap(written[:after], ends), *fresh]
    return b"".join(written)


def _gap(before: list[bytes], ends: bytes) -> list[bytes]:
    """What must stand between the lines `before` and a list that follows them."""
    if not before:
        return []
    last = before[-1]
    missing = [] if last.endswith(b"\n") else [ends]
    return missing if _MARK.search(last) or not last.strip() or last == HEADING else [*missing, ends]


def _line(item: Item) -> bytes:
    box = "x" if item.passed else " "
    title = as_markdown(item.title or item.id, _TITLE)
    text = f"- [{box}] {title}: {as_code(item.command, _COMMAND)}, {as_markdown(item.evidence)}"
    return f"{text} <!-- runebook:{item.id} -->".encode()
