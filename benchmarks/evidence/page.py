"""The page: a section for each part of the evidence, between marks, so that one can be written anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

HEAD = """\
# Evidence

What Runebook promises, measured on the real thing (a real engine, git, tmux, panes and files) beside what
people use instead, in the same run. `make evidence` writes this page, `python -m benchmarks.evidence --only
NAME` one section of it. Under each section stand the command, the machine and the versions. More figures, and
how they come about, are in [benchmarks.md](benchmarks.md).
"""


CLAIMS, END_OF_CLAIMS = "<!-- claims: written by `make evidence` -->", "<!-- end of the claims -->"
"""What stands around the sentences that the README takes over."""


class Section(NamedTuple):
    """A part of the page."""

    name: str
    title: str
    text: str
    """Markdown, without the title."""


def marks(name: str) -> tuple[str, str]:
    """What stands before and after the section."""
    return f"<!-- evidence: {name} -->", f"<!-- end of {name} -->"


def section_of(page: str, name: str) -> str | None:
    """The section as it stands in the page, without its marks; None where there is none."""
    begin, end = marks(name)
    _, mark, rest = page.partition(begin)
    body, closed, _ = rest.partition(end)
    return body.strip() if mark and closed else None


def claim_of(page: str, name: str) -> str | None:
    """What the figures of the section mean, its sentence in bold; None where there is no such section."""
    found = re.search(r"^\*\*(.+)\*\*$", section_of(page, name) or "", re.MULTILINE)
    return None if found is None else found[1]


def claimed(readme: str, page: str, names: Sequence[str]) -> str:
    """The README with the sentences of these sections between its marks, as they stand in the page."""
    before, mark, rest = readme.partition(CLAIMS)
    _, end, after = rest.partition(END_OF_CLAIMS)
    if not mark or not end:
        return readme
    said = [f"* {claim}\n" for name in names if (claim := claim_of(page, name)) is not None]
    return f"{before}{mark}\n{''.join(said)}{end}{after}"


def written(page: str, section: Section, order: Sequence[str]) -> str:
    """The page with the section in it, in the place of an older one, else where `order` wants it."""
    page = page or HEAD
    begin, end = marks(section.name)
    block = f"{begin}\n\n## {section.title}\n\n{section.text.strip()}\n\n{end}"
    if section_of(page, section.name) is not None:
        before, _, rest = page.partition(begin)
        return before + block + rest.partition(end)[2]
    for name in reversed(order[: list(order).index(section.name)]):
        if section_of(page, name) is not None:
            before, mark, after = page.partition(marks(name)[1])
            return f"{before}{mark}\n\n{block}\n{after}"
    head, found, rest = page.partition("<!-- evidence: ")
    return f"{head.rstrip()}\n\n{block}\n" + (f"\n{found}{rest}" if found else "")
