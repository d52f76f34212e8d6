"""The page: a section for each part of the evidence, between marks, so that one can be written anew."""

from __future__ import annotations

from typing import NamedTuple

HEAD = """\
# Evidence

What Runebook promises, measured on the real thing (a real engine, git, tmux, panes and files) beside what
people use instead, in the same run. `make evidence` writes this page, `python -m benchmarks.evidence --only
NAME` one section of it. Under each section stand the command, the machine and the versions. More figures, and
how they come about, are in [benchmarks.md](benchmarks.md).
"""


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


def written(page: str, section: Section, order: list[str]) -> str:
    """The page with the section in it, in the place of an older one, else where `order` wants it."""
    page = page or HEAD
    begin, end = marks(section.name)
    block = f"{begin}\n\n## {section.title}\n\n{section.text.strip()}\n\n{end}"
    if section_of(page, section.name) is not None:
        before, _, rest = page.partition(begin)
        return before + block + rest.partition(end)[2]
    for name in reversed(order[: order.index(section.name)]):
        if section_of(page, name) is not None:
            before, mark, after = page.partition(marks(name)[1])
            return f"{before}{mark}\n\n{block}\n{after}"
    head, found, rest = page.partition("<!-- evidence: ")
    return f"{head.rstrip()}\n\n{block}\n" + (f"\n{found}{rest}" if found else "")
