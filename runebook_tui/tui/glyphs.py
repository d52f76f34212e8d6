"""Glyphs: one sign, its ASCII form and its colour for everything that has a state."""

from __future__ import annotations

import locale
import os
from typing import NamedTuple

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from runebook_tui.core.standing import Word
from runebook_tui.core.types import PhaseStatus, RequestKind

GOOD = "$text-success"
BUSY = "$text-primary"
CAUTION = "$text-warning"
BAD = "$text-error"
ACCENT = "bold $text-accent"
MUTED = "$foreground 72%"
STRONG = "bold"


class Glyph(NamedTuple):
    """A sign of one cell, what it is without Unicode, and its colour as a theme variable."""

    sign: str
    ascii: str
    style: str


STANDING = {
    Word.PENDING: Glyph("○", "o", MUTED),
    Word.STARTING: Glyph("◔", "~", BUSY),
    Word.WORKING: Glyph("●", "*", GOOD),
    Word.FINALIZING: Glyph("●", "*", MUTED),
    Word.WAITING: Glyph("◐", "%", ACCENT),
    Word.BLOCKED: Glyph("◒", "%", CAUTION),
    Word.IDLE: Glyph("◌", "_", CAUTION),
    Word.LIMITED: Glyph("◑", "$", CAUTION),
    Word.UNKNOWN: Glyph("¿", "?", MUTED),
    Word.SERVING: Glyph("✓", "v", MUTED),
    Word.DONE: Glyph("✓", "v", MUTED),
    Word.FAILED: Glyph("✗", "x", BAD),
    Word.LOST: Glyph("✗", "x", BAD),
    Word.STOPPED: Glyph("■", "#", CAUTION),
}
"""What an agent does."""
SNOOZED = Glyph("◷", "z", MUTED)
"""Its call is put off."""
ASKING = Glyph("◆", "!", ACCENT)
"""Somebody waits for the operator."""

PHASE = {
    PhaseStatus.PENDING: Glyph("‖", "|", MUTED),
    PhaseStatus.ACTIVE: Glyph("▶", ">", BUSY),
    PhaseStatus.COMPLETED: Glyph("✓", "v", GOOD),
}
CONTINUOUS = Glyph("∞", "&", BUSY)
FAILED_PHASE = Glyph("✗", "x", BAD)

REQUEST = {
    RequestKind.ASKED: ASKING,
    RequestKind.HELD: ASKING,
    RequestKind.CROSSED: Glyph("◇", "?", CAUTION),
    RequestKind.DRIFT: Glyph("△", "^", CAUTION),
    RequestKind.CONFLICT: Glyph("△", "^", CAUTION),
}
MARKED = Glyph("▣", "@", ACCENT)
"""A request that is decided together with the others that are marked."""
LESSON = Glyph("▲", "^", BUSY)
"""A change of the plan that is suggested."""
REFUSED = Glyph("▲", "^", CAUTION)
"""Somebody tried what only the operator may."""
CRITICAL = Glyph("✦", "*", CAUTION)
"""On the longest chain of work."""
EDITING = Glyph("✎", "e", ACCENT)
"""A file that somebody edits now."""
HOT = Glyph("≋", "*", CAUTION)
"""A file that changes a lot."""
ENGINE_ON = Glyph("●", "*", GOOD)
ENGINE_OFF = Glyph("✗", "x", BAD)
BAR_DONE = Glyph("▰", "=", GOOD)
BAR_ACTIVE = Glyph("▰", "=", BUSY)
BAR_OPEN = Glyph("▱", "-", MUTED)

_ALL = (
    *STANDING.values(),
    SNOOZED,
    *PHASE.values(),
    *REQUEST.values(),
    *(
        CONTINUOUS,
        FAILED_PHASE,
        MARKED,
        LESSON,
        REFUSED,
        CRITICAL,
        EDITING,
        HOT,
        ENGINE_ON,
        ENGINE_OFF,
        BAR_DONE,
        BAR_OPEN,
    ),
)
_SIGNS = {
    **{glyph.sign: glyph.ascii for glyph in _ALL},
    **{
        pair[0]: pair[1]
        for pair in (
            "·-",
            "→>",
            "←<",
            "↑^",
            "↓v",
            "−-",
            "…~",
            "⏎E",
            "▌|",
            "▐|",
            "⭘o",
            "▸+",
            "▾-",
            "░:",
            "▒%",
            "╌.",
            "╳x",
            "★P",
            "»>",
            "▼v",
            "╷|",
        )
    },
    **dict.fromkeys("│┃▏▎▍▋▊▉▕║", "|"),
    **dict.fromkeys("─━▔▁▂═", "-"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛", "+"),
    **dict.fromkeys("█▄▀▆▇▅▃", "#"),
}
_TABLE = str.maketrans(_SIGNS)


def ascii_wanted() -> bool:
    """Whether signs must be ASCII: RUNEBOOK_ASCII says so, or else the locale is not UTF-8."""
    told = os.environ.get("RUNEBOOK_ASCII", "")
    if told:
        return told != "0"
    return "utf" not in locale.getpreferredencoding(False).lower()


class AsciiFilter(LineFilter):
    """Draws every sign and border in its ASCII form; the names in other scripts stay as they are."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same row, each sign replaced by one of the same width."""
        return [
            segment if segment.text.isascii() else segment._replace(text=segment.text.translate(_TABLE))
            for segment in segments
        ]
