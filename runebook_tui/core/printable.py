"""Other people's text, made safe to print: every character that does not print itself becomes a symbol."""

from __future__ import annotations

import re
import unicodedata

LIMIT = 4096
"""Characters of one text that are looked at; what is longer ends in an ellipsis."""

_COMBINING_LIMIT = 3


def visible(text: str, limit: int = LIMIT) -> str:
    """`text` on one line, with every character that does not print itself replaced by a visible symbol.

    Control characters become their picture (ESC is ␛), bytes that were not UTF-8 `\\xNN`, and what
    reorders text or takes no room (bidirectional overrides, zero-width and private characters)
    `\\uNNNN`.
    """
    if len(text) > limit:
        text = text[:limit] + "…"
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        hidden = marks > _COMBINING_LIMIT or not character.isprintable()
        shown.append(_symbol(character) if hidden or (not marks and _takes_no_room(character)) else character)
    return "".join(shown)


def visible_lines(text: str) -> str:
    """Several lines of others' text, each made safe."""
    return "\n".join(visible(line) for line in text.split("\n"))


def _takes_no_room(character: str) -> bool:
    """Whether a terminal shows the character in no cell of its own: selectors, joiners, vowels of Hangul."""
    if character.isascii():
        return False
    code = ord(character)
    jamo = 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FF
    return jamo or unicodedata.category(character) in ("Mn", "Me", "Cf")


def _symbol(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def as_markdown(text: str, limit: int = LIMIT) -> str:
    """`text` on one line, as Markdown that shows just that; a bare address may still become a link."""
    return re.sub(r"([\\`*_\[\]<>#|~&$@])", r"\\\1", visible(text, limit))


def as_code(text: str, limit: int = LIMIT) -> str:
    """`text` on one line, as a code span of Markdown, whatever backticks it holds."""
    shown = visible(text, limit)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    edge = " " if shown.startswith(("`", " ")) or shown.endswith(("`", " ")) or not shown else ""
    return f"{fence}{edge}{shown}{edge}{fence}"
