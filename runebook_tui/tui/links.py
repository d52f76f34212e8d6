"""Links: addresses and places in files that a row of text names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Only what an address is made of: nothing else may get into the terminal's own link.
_URL = re.compile(
    r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?(?:[/?#][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*)?"
)
_PLACE = re.compile(
    r"(?<![\w.@+/-])(?:\.{1,2}/|/)?[\w.@+-]+(?:/[\w.@+\[\]()-]+)*\.[A-Za-z]\w{0,9}:(\d{1,7})(?::\d{1,5})?(?!\w)"
)
_LONGEST = 1000
_PAIRS = {")": "(", "]": "["}


@dataclass(frozen=True)
class Link:
    """An address, or a path with the number of a line; `start` and `end` are where it stands in its row."""

    start: int
    end: int
    target: str
    line: int = 0
    """The line's number from 1; 0 of an address."""

    @property
    def words(self) -> str:
        """The link as text."""
        return f"{self.target}:{self.line}" if self.line else self.target


def links(text: str) -> tuple[Link, ...]:
    """The links of a row, in order; nothing is looked up."""
    if ":" not in text:
        return ()
    return tuple(sorted(_links(text[:_LONGEST]), key=lambda link: link.start))


def _links(text: str) -> Iterator[Link]:
    taken: list[tuple[int, int]] = []
    for found in _URL.finditer(text):
        address = _trimmed(found[0])
        taken.append((found.start(), found.end()))
        yield Link(found.start(), found.start() + len(address), address)
    for found in _PLACE.finditer(text):
        if not any(start < found.end() and found.start() < end for start, end in taken):
            path = found[0][: found.start(1) - found.start() - 1]
            yield Link(found.start(), found.end(), path, int(found[1]))


def _trimmed(address: str) -> str:
    """The address without the signs that end the sentence around it."""
    while address and (
        address[-1] in ".,;:!?'*"
        or (address[-1] in _PAIRS and address.count(address[-1]) > address.count(_PAIRS[address[-1]]))
    ):
        address = address[:-1]
    return address
