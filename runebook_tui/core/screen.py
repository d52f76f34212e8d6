"""Screens: what a pane shows, and what that says of a text that was typed into it. Pure.

Programs draw their input lines in many ways: with frames around them, a sign of their own for a long
paste, the terminal's cursor elsewhere. So a place is found by what changed, and counted from the last row
in use: output above it moves it down, and what is below it stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_TAIL = 12
"""So many characters of a text's end are looked for: enough to know it, few enough to stand in one row."""
_FIRST_FRAME, _LAST_FRAME = "\u2500", "\u259f"
"""Unicode's box drawing and block elements."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What a pane shows at one moment; `cursor` is (column, row) from 0. Missing rows are blank."""

    lines: tuple[str, ...]
    cursor: tuple[int, int] = (0, 0)
    dead: bool = False

    @property
    def last(self) -> int:
        """The last row in use: that of the cursor, or the last that is not blank."""
        used = max((row for row, line in enumerate(self.lines) if line.strip()), default=0)
        return max(used, self.cursor[1])

    def row(self, number: int) -> str:
        """What a row shows, "" outside of the screen."""
        return self.lines[number] if 0 <= number < len(self.lines) else ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text waits to be submitted: so many rows above the last one in use, and what that row shows."""

    above: int
    shows: str


def landed(before: Sequence[Screen], after: Screen, text: str) -> Place | None:
    """Where `text`, which was typed, is seen on the screen; None while it is not.

    `before` are looks at the screen from just before, two at least: what changes by itself is no sign.
    """
    tail = bare(text)[-_TAIL:]
    holding = [row for row in range(len(after.lines)) if tail in bare(after.lines[row])]
    known = max(sum(tail in bare(line) for line in screen.lines) for screen in before)
    if len(holding) > known:
        return _place(after, holding[-1])
    restless = {
        row for row in range(len(after.lines)) if len({bare(screen.row(row)) for screen in before}) > 1
    }
    shown = Counter(bare(line) for line in before[-1].lines)
    now = Counter(bare(line) for line in after.lines)
    fresh = [
        row
        for row in range(len(after.lines))
        if row not in restless and (line := bare(after.lines[row])) and now[line] > shown[line]
    ]
    return _place(after, fresh[-1]) if fresh else None


def gone(place: Place, after: Screen) -> bool:
    """Whether the text does not wait any more at its place."""
    return bare(after.row(after.last - place.above)) != place.shows


def bare(text: str) -> str:
    """`text` without blanks and frames."""
    return "".join(c for c in text if not c.isspace() and not _FIRST_FRAME <= c <= _LAST_FRAME)


def _place(screen: Screen, row: int) -> Place:
    return Place(screen.last - row, bare(screen.lines[row]))
