"""Terminal text made harmless: the bytes of a line become runs of text and style, never an escape.

SGR (colours and attributes) is understood as xterm's ctlseqs document and ECMA-48 describe it; every other
sequence is swallowed, and a control character that is left becomes a visible symbol.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style

_TOKEN = re.compile(
    r"\x1b\[([0-?]*)([ -/]*)([@-~])"  # CSI; SGR is the one that ends in "m"
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|\x9c|\Z)"  # OSC, DCS, SOS, PM, APC, to the end if never closed
    r"|\x1b(?:[ -/]+[0-~]|[0-OQ-WYZ\\`-~])"
    r"|\x1b\[?[ -?]*"  # cut off
    r"|[\x0e\x0f\t]",
    re.DOTALL,
)

# Beside control characters: what reorders or breaks a row, in which other people's text stands too.
_UNSAFE = {
    **{code: 0x2400 + code for code in range(0x20)},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
    **dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)], 0xFFFD),
}

# The special characters of the VT100, which programs still draw their lines with.
_LINE_DRAWING = {
    ord(key): value
    for key, value in zip("`afgjklmnopqrstuvwxyz{|}~", "◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True)
}

_ON = {
    1: "bold",
    2: "dim",
    3: "italic",
    4: "underline",
    7: "reverse",
    9: "strike",
    21: "underline2",
    53: "overline",
}
_OFF = {
    22: {"bold", "dim"},
    23: {"italic"},
    24: {"underline", "underline2"},
    27: {"reverse"},
    29: {"strike"},
    55: {"overline"},
}


_SPECIAL = re.compile("[" + "".join(re.escape(chr(code)) for code in _UNSAFE) + "]")


class Pen(NamedTuple):
    """How the next character is drawn: its colours, its attributes, and whether it draws lines."""

    foreground: Color | None = None
    background: Color | None = None
    attributes: frozenset[str] = frozenset()
    drawing: bool = False

    @property
    def style(self) -> Style:
        """The rich style, without the defaults of the place where it is shown."""
        return _style(self.foreground, self.background, self.attributes)


Run = tuple[str, Style]

PLAIN = Pen()
"""The pen at the start of a screen."""


def symbols(text: str) -> str:
    """`text` with every control character, lone surrogate and direction mark replaced by a visible symbol."""
    return text.translate(_UNSAFE)


@lru_cache(maxsize=1024)
def parse_line(line: bytes, pen: Pen = PLAIN) -> tuple[tuple[Run, ...], Pen]:
    """The runs of one row that starts with `pen`, and the pen that the next row starts with.

    Bytes that are not UTF-8 become U+FFFD.
    """
    runs: list[Run] = []
    column = 0
    for text, after in _pieces(line.decode("utf-8", "replace"), pen):
        if text == "\t":
            text = " " * (8 - column % 8)
        elif pen.drawing:
            text = symbols(text).translate(_LINE_DRAWING)
        else:
            text = symbols(text)
        if text:
            column += cell_len(text)
            runs.append((text, pen.style))
        pen = after
    return tuple(runs), pen


def plain(line: bytes) -> str:
    """The characters of one row without their styles, as far as `parse_line` would show them."""
    text = line.decode("utf-8", "replace")
    if not _SPECIAL.search(text):
        return text
    return "".join(run for run, _ in parse_line(line)[0])


def _pieces(text: str, pen: Pen) -> Iterator[tuple[str, Pen]]:
    """Text, each with the pen for what comes after it; a tab is a piece of its own."""
    position = 0
    for token in _TOKEN.finditer(text):
        if token.start() > position:
            yield text[position : token.start()], pen
        position = token.end()
        if token[0] == "\t":
            yield "\t", pen
        elif token[0] in "\x0e\x0f":
            pen = pen._replace(drawing=token[0] == "\x0e")
            yield "", pen
        elif token[3] == "m" and not token[2]:
            pen = _select(token[1], pen)
            yield "", pen
    if position < len(text):
        yield text[position:], pen


def _select(parameters: str, pen: Pen) -> Pen:
    """The pen after SGR with these parameters; ones it does not know are passed over."""
    if not re.fullmatch(r"[0-9;:]*", parameters):
        return pen
    fields = [[_number(part) for part in field.split(":")] for field in parameters.split(";")]
    index = 0
    while index < len(fields):
        code, *detail = fields[index]
        index += 1
        if code in (38, 48, 58):
            if not detail:
                detail, used = _flat_colour([field[0] for field in fields[index:]])
                index += used
            elif detail[0] == 2 and len(detail) > 4:
                detail = [2, *detail[2:]]  # 38:2:<colour space>:r:g:b
            pen = _paint(pen, code, _colour(detail))
        elif code == 4 and detail:
            off = pen.attributes - _OFF[24]
            shape = {0: set[str](), 2: {"underline2"}}.get(detail[0], {"underline"})
            pen = pen._replace(attributes=off | shape)
        elif code == 0:
            pen = Pen(drawing=pen.drawing)
        elif code in _ON:
            pen = pen._replace(attributes=pen.attributes | {_ON[code]})
        elif code in _OFF:
            pen = pen._replace(attributes=pen.attributes - _OFF[code])
        elif 30 <= code <= 37 or 90 <= code <= 97:
            pen = pen._replace(foreground=Color.from_ansi(code - 30 if code < 90 else code - 82))
        elif 40 <= code <= 47 or 100 <= code <= 107:
            pen = pen._replace(background=Color.from_ansi(code - 40 if code < 100 else code - 92))
        elif code == 39:
            pen = pen._replace(foreground=None)
        elif code == 49:
            pen = pen._replace(background=None)
    return pen


def _number(digits: str) -> int:
    return int(digits) if 0 < len(digits) <= 4 else 0


def _flat_colour(following: list[int]) -> tuple[list[int], int]:
    """The colour that fields after 38 or 48 spell out, and how many fields that takes."""
    length = {5: 2, 2: 4}.get(following[0], 1) if following else 0
    return following[:length], length


def _colour(detail: list[int]) -> Color | None:
    if any(number > 255 for number in detail):
        return None
    match detail:
        case [5, number]:
            return Color.from_ansi(number)
        case [2, red, green, blue, *_]:
            return Color.from_rgb(red, green, blue)
    return None


def _paint(pen: Pen, code: int, colour: Color | None) -> Pen:
    """The pen with the colour of the text (38) or behind it (48); 58, the underline's, is not shown."""
    if colour is None or code == 58:
        return pen
    return pen._replace(foreground=colour) if code == 38 else pen._replace(background=colour)


@lru_cache(maxsize=1024)
def _style(foreground: Color | None, background: Color | None, attributes: frozenset[str]) -> Style:
    def on(attribute: str) -> bool | None:
        return True if attribute in attributes else None

    return Style(
        color=foreground,
        bgcolor=background,
        bold=on("bold"),
        dim=on("dim"),
        italic=on("italic"),
        underline=on("underline"),
        underline2=on("underline2"),
        reverse=on("reverse"),
        strike=on("strike"),
        overline=on("overline"),
    )
