"""A claim's pattern: what it matches, how specific it is, and where two of them meet.

One pattern means what it means in `.gitignore` (pathspec's "gitignore" is the tests' oracle). Between
claims the longest literal prefix wins, then more literal characters. File names are hostile: a
pattern is translated so that matching never backtracks, whatever its wildcards and the name.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple, TypeVar

_SAMPLE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~ +@%=,;"
_BOUNDARY = r"(?=/|\Z)"

T = TypeVar("T")

MAX_STARS = 64
"""How many "*" one claim may hold: two claims are compared in time that grows with it."""


class PatternError(ValueError):
    """A claim that is not a usable gitignore pattern."""


class _Wild(Enum):
    STAR = "*"
    ANY = "?"


class _Set(NamedTuple):
    """One character of some: "[a-z_]", "[!0-9]"."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool

    def holds(self, character: str) -> bool:
        return any(low <= character <= high for low, high in self.ranges) != self.negated

    def edges(self) -> Iterable[str]:
        """Characters among which two sets that meet have one in common."""
        for end in (end for pair in self.ranges for end in pair):
            for code in (ord(end), ord(end) - 1, ord(end) + 1):
                if 0 < code <= 0x10FFFF:
                    yield chr(code)


_Token = str | _Wild | _Set
_Segment = tuple[_Token, ...]

_NAME: _Segment = (_Wild.STAR,)
_DEEP: _Segment = (_Wild.STAR, _Wild.STAR)


class ClaimPattern:
    """A compiled gitignore-style pattern.

    `prefix` is its literal beginning ("" when it matches at any depth), `anchor` the folder or file
    that all its paths lie in or are, and `rank` orders patterns by how specific they are: (length of
    the prefix, literal characters). Raises PatternError.
    """

    __slots__ = ("anchor", "prefix", "rank", "regex", "segments", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.segments = _parse(text)
        self.regex = re.compile(_expression(self.segments), re.DOTALL)
        literal, whole = _literal_beginning(self.segments)
        self.prefix = literal.rstrip("/")
        self.anchor = self.prefix if whole or literal.endswith("/") else self.prefix.rpartition("/")[0]
        characters = sum(isinstance(token, str) for segment in self.segments for token in segment)
        self.rank = (len(self.prefix), characters)

    def matches(self, path: str) -> bool:
        """Whether the pattern covers the repository-relative `path` (a file, not a folder)."""
        return self.regex.match(path) is not None


@lru_cache(maxsize=4096)
def compile_pattern(text: str) -> ClaimPattern:
    """The compiled form of `text`; raises PatternError."""
    return ClaimPattern(text)


def meeting_path(first: str, second: str) -> str | None:
    """A path that both patterns match, or None.

    A last segment with a wildcard stands here for names only, not for what lies below them: nobody
    who claims `*.md` means a folder called `x.md`, so `*.md` and `*.py` do not meet in `x.md/y.py`.
    """
    one, two = compile_pattern(first), compile_pattern(second)
    segments = _meet(_downwards(one.segments), _downwards(two.segments), _DEEP, _NAME, _common_name)
    if segments is None:
        return None
    path = "/".join(segments)
    return path if one.matches(path) and two.matches(path) else None


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def _parse(text: str) -> tuple[_Segment, ...]:
    """The segments of a pattern; one that matches at any depth begins with "**"."""
    body = text if text.endswith("\\ ") else text.rstrip()
    if not body or body.startswith(("!", "#")):
        raise PatternError(f"{text!r} names no path")
    if body.count("*") > MAX_STARS:
        raise PatternError(f"the pattern that begins {text[:40]!r} has more than {MAX_STARS} '*'")
    names = body.split("/")
    if not names[0]:
        del names[0]
    elif "/" not in body[:-1]:
        names.insert(0, "**")
    if not names[-1]:
        names[-1] = "**"
    segments = [tuple(_tokens(name, text)) for name in names]
    segments = [s for n, s in enumerate(segments) if s != _DEEP or n == 0 or segments[n - 1] != _DEEP]
    if segments == [_DEEP] and body.endswith("**/"):
        return (_DEEP, _NAME, _DEEP)
    return tuple(segments)


def _tokens(name: str, text: str) -> Iterator[_Token]:
    at = 0
    while at < len(name):
        character, at = name[at], at + 1
        if character == "\\":
            if at == len(name):
                raise PatternError(f"{text!r}: a '\\' with nothing to escape")
            yield name[at]
            at += 1
        elif character == "[" and (end := _end_of_set(name, at)) > 0:
            yield _set(name[at:end], text)
            at = end + 1
        else:
            yield _Wild(character) if character in "*?" else character


def _end_of_set(name: str, at: int) -> int:
    """Where the "]" is that closes the set whose inside begins at `at`; -1 when nothing closes it."""
    at += name[at : at + 1] in ("!", "^")
    return name.find("]", at + 1)


def _set(inside: str, text: str) -> _Set:
    negated = inside.startswith(("!", "^"))
    rest = inside[negated:]
    if "\\" in rest or "[:" in rest:
        # git and pathspec read these differently: nobody may be surprised by what a claim covers.
        raise PatternError(f"{text!r}: '\\' and '[:' cannot stand between '[' and ']'")
    ranges: list[tuple[str, str]] = []
    while rest:
        used = 3 if rest[1:2] == "-" and len(rest) > 2 else 1
        low, high = rest[0], rest[used - 1]
        if low > high:
            raise PatternError(f"{text!r}: the range {low}-{high} is upside down")
        ranges.append((low, high))
        rest = rest[used:]
    return _Set(tuple(ranges), negated)


def _literal_beginning(segments: Sequence[_Segment]) -> tuple[str, bool]:
    """What every matching path begins with, and whether that is the whole pattern."""
    literal = ""
    for n, segment in enumerate(segments):
        literal += "/" if n else ""
        for token in segment:
            if not isinstance(token, str):
                return literal, False
            literal += token
    return literal, True


# ── matching ────────────────────────────────────────────────────────────────────────────────────
# Between two wildcards of one kind the first place where the pattern goes on is as good as any later
# one. So each step is an atomic group, and the time is at most length of the name x length of the pattern.


def _expression(segments: Sequence[_Segment]) -> str:
    if tuple(segments) == (_DEEP,):
        return "."
    runs = [list(run) for deep, run in groupby(segments, lambda segment: segment == _DEEP) if not deep]
    ending = {_DEEP: "/", _NAME: r"\Z"}.get(segments[-1], _BOUNDARY)
    parts = []
    for n, run in enumerate(runs):
        skip = "" if n == 0 and segments[0] != _DEEP else "(?:[^/]++/)*?"
        names = "/".join(_name_expression(segment) for segment in run)
        parts.append(f"{skip}{names}{ending}" if n == len(runs) - 1 else f"(?>{skip}{names}/)")
    return "".join(parts)


def _name_expression(segment: _Segment) -> str:
    if segment == _NAME:
        return "[^/]++"
    pieces = [
        "".join(_character_expression(token) for token in run)
        for star, run in groupby(segment, lambda token: token is _Wild.STAR)
        if not star
    ]
    stars = segment.count(_Wild.STAR)
    if not stars:
        return "".join(pieces)
    first = pieces.pop(0) if segment[0] is not _Wild.STAR else ""
    last = pieces.pop() if segment[-1] is not _Wild.STAR else ""
    middle = "".join(f"(?>[^/]*?{piece})" for piece in pieces)
    return f"{first}{middle}" + (f"(?>[^/]*{last}{_BOUNDARY})" if last else "[^/]*+")


def _character_expression(token: _Token) -> str:
    if isinstance(token, str):
        return re.escape(token)
    if isinstance(token, _Wild):
        return "[^/]"
    ranges = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in token.ranges)
    return f"(?!/)[{'^' if token.negated else ''}{ranges}]"


# ── meeting ─────────────────────────────────────────────────────────────────────────────────────


def _downwards(segments: Sequence[_Segment]) -> tuple[_Segment, ...]:
    """The segments with what lies below them, where the pattern means that too."""
    if segments[-1] == _DEEP:
        return (*segments[:-1], _NAME, _DEEP)
    literal = all(isinstance(token, str) for token in segments[-1])
    return (*segments, _DEEP) if literal else tuple(segments)


def _meet(
    one: Sequence[T], two: Sequence[T], star: T, single: T, common: Callable[[T, T], str | None]
) -> list[str] | None:
    """A shortest sequence that both patterns match, or None.

    `star` stands for any number of items, `single` for any one; `common` finds an item for two others.
    """
    came: dict[tuple[int, int], tuple[tuple[int, int], str | None]] = {}
    queue = deque([(0, 0)])
    end = (len(one), len(two))
    while queue:
        here = queue.popleft()
        if here == end:
            items: list[str] = []
            while here != (0, 0):
                here, item = came[here]
                items += [] if item is None else [item]
            return items[::-1]
        i, j = here
        left, right = (one[i] if i < len(one) else None), (two[j] if j < len(two) else None)
        steps: list[tuple[str | None, tuple[int, int]]] = []
        if left == star:
            steps.append((None, (i + 1, j)))
        if right == star:
            steps.append((None, (i, j + 1)))
        if left is not None and right is not None and (left != star or right != star):
            item = common(single if left == star else left, single if right == star else right)
            if item is not None:
                steps.append((item, (i + (left != star), j + (right != star))))
        for item, there in steps:
            if there not in came:
                came[there] = (here, item)
                queue.append(there)
    return None


def _common_name(one: _Segment, two: _Segment) -> str | None:
    """A name that both segments match, at least one character long."""
    characters = _meet(one, two, _Wild.STAR, _Wild.ANY, _common_character)
    return None if characters is None else "".join(characters) or "x"


def _common_character(one: _Token, two: _Token) -> str | None:
    """A character that both tokens match, or None."""
    literal = [token for token in (one, two) if isinstance(token, str)]
    edges = [edge for token in (one, two) if isinstance(token, _Set) for edge in token.edges()]
    for candidate in literal or (*_SAMPLE, *edges):
        if candidate != "/" and _fits(one, candidate) and _fits(two, candidate):
            return candidate
    return None


def _fits(token: _Token, character: str) -> bool:
    if isinstance(token, _Set):
        return token.holds(character)
    return isinstance(token, _Wild) or token == character


def exactly(path: str) -> str:
    """A pattern that matches the repository-relative `path` alone, and as a folder what lies below it.

    The path holds no line break and no NUL: no plan can name such a one.
    """
    plain = "/" + re.sub(r"([\\*?\[])", r"\\\1", path)
    # A pattern has no blank at its end; there, a set of that one character stands for it.
    return plain if plain == plain.rstrip() else f"{plain[:-1]}[{plain[-1]}]"
