"""Texts and patterns in a file: the whole lines on which they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable

Span = tuple[int, int]


def lines_with(content: str, text: str) -> list[str]:
    """The lines of `content` that hold `text`, as `lines_of` gives them."""
    return lines_of(content, ((each.start(), each.end()) for each in re.finditer(re.escape(text), content)))


def lines_matching(content: str, pattern: str) -> list[str]:
    """The lines of `content` that `pattern` matches. Takes as long as `re` takes: bound it from outside."""
    found = re.compile(pattern, re.MULTILINE).finditer(content)
    return lines_of(content, ((each.start(), each.end()) for each in found))


def lines_of(content: str, spans: Iterable[Span]) -> list[str]:
    """The whole lines of each span as one text with single blanks, each once, in alphabetical order.

    So neither indentation nor the order in a file counts.
    """
    whole = set()
    for start, end in spans:
        first = content.rfind("\n", 0, start) + 1
        last = content.find("\n", end)
        whole.add(" ".join(content[first : last if last >= 0 else len(content)].split()))
    return sorted(whole)
