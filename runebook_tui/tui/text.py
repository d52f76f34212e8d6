"""Text: other people's text made safe to show, cut to a width, and times in words.

Everything that an agent, a path, a branch or a file can contain goes through here.
Nothing is ever read as markup.
"""

from __future__ import annotations

from rich.cells import cell_len, get_character_cell_size
from textual.content import Content

from runebook_tui.core.printable import LIMIT, visible


def safe(text: str, style: str = "", *, limit: int = LIMIT) -> Content:
    """`text` as content of one line in one style."""
    shown = visible(text, limit)
    return Content.styled(shown, style) if style else Content(shown)


def cut(text: str, width: int) -> str:
    """`text`, safe, in at most `width` cells; what is longer ends in an ellipsis."""
    shown = visible(text)
    return shown if cell_len(shown) <= width else _head(shown, width - 1) + "…" if width > 0 else ""


def cut_path(path: str, width: int) -> str:
    """A path, safe, in at most `width` cells; what is longer loses its beginning, never the file's name."""
    shown = visible(path, limit=len(path))
    if cell_len(shown) <= width:
        return shown
    if width <= 0:
        return ""
    tail = _head(shown[: -width - 1 : -1], width - 1)[::-1]
    slash = tail.find("/")
    return "…" + (tail[slash:] if 0 <= slash < len(tail) // 3 else tail)


def _head(text: str, width: int) -> str:
    cells = 0
    for index, character in enumerate(text):
        cells += get_character_cell_size(character)
        if cells > width:
            return text[:index]
    return text


def edges(left: Content, right: Content, width: int) -> Content:
    """One line of `width` cells with `left` at its left and `right` at its right; `left` gives way."""
    room = width - right.cell_length - (1 if right else 0)
    if room < 1:
        return right.truncate(max(width, 0), pad=True)
    gap = Content(" ") if right else Content("")
    return Content.assemble(left.truncate(room, ellipsis=True, pad=True), gap, right)


def age(seconds: float) -> str:
    """A span of time in short: 0:14, 12:40, 1:02:03, 3d 04h."""
    whole = max(0, int(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour:02}h"
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def clock(seconds: float) -> str:
    """A span of time from the start of a run, always with hours: 0:41:07."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"


def counted(number: int, thing: str) -> str:
    """How many there are of a thing whose plural ends in "s": "1 file", "3 files"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
