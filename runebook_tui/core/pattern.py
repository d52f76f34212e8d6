"""A claim's pattern: what it matches, how specific it is, and where two of them meet.

One pattern means what it means in `.gitignore` (pathspec translates it). Between claims the
longest literal prefix wins, then more literal characters.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pathspec.patterns.gitignore.basic import GitIgnoreBasicPattern

_WILD = re.compile(r"[*?\[\\]")
_SAMPLE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~ +@%=,;"


class PatternError(ValueError):
    """A claim that is not a usable gitignore pattern."""


class ClaimPattern:
    """A compiled gitignore-style pattern.

    `prefix` is its literal beginning ("" when it matches at any depth) and `rank` orders patterns
    by how specific they are: (length of the prefix, literal characters). Raises PatternError.
    """

    __slots__ = ("anchor", "prefix", "rank", "regex", "text")

    def __init__(self, text: str) -> None:
        try:
            include = GitIgnoreBasicPattern(text)
        except ValueError as error:
            raise PatternError(f"{text!r} is not a gitignore pattern") from error
        if include.regex is None or not include.include:
            raise PatternError(f"{text!r} names no path")
        # pathspec's regular expressions read a line at a time; a file name may hold line breaks.
        source = include.regex.pattern.replace("(?:/|$)", r"(?:/|\Z)").replace("/?$", r"/?\Z")
        self.text = text
        self.regex = re.compile(source, re.DOTALL)
        anchored = "/" in text.rstrip("/")
        body = text.strip("/") if anchored or "/" not in text else text.rstrip("/")
        wild = _WILD.search(body)
        literal = body if wild is None else body[: wild.start()]
        self.prefix = literal.rstrip("/") if anchored else ""
        whole = wild is None
        self.anchor = self.prefix if whole or literal.endswith("/") else self.prefix.rpartition("/")[0]
        self.rank = (len(self.prefix), _literal_characters(body))

    def matches(self, path: str) -> bool:
        """Whether the pattern covers the repository-relative `path` (a file, not a folder)."""
        return self.regex.match(path) is not None


@lru_cache(maxsize=4096)
def compile_pattern(text: str) -> ClaimPattern:
    """The compiled form of `text`; raises PatternError."""
    return ClaimPattern(text)


def meeting_path(first: str, second: str) -> str | None:
    """A path that both patterns match, or None."""
    one, two = compile_pattern(first), compile_pattern(second)
    segments = _meet(tuple(_segments(first)), tuple(_segments(second)))
    if segments is None:
        return None
    path = "/".join(segments)
    return path if one.matches(path) and two.matches(path) else None


def _literal_characters(body: str) -> int:
    without_sets = re.sub(r"\[[^\]]*\]", "", body)
    plain = re.sub(r"\\(.)", r"\1", without_sets)
    return len(re.sub(r"[*?/]", "", plain))


def _segments(text: str) -> list[str]:
    """The pattern as path segments, "**" standing for any number of them.

    A last segment with a wildcard stands for names only, not for what lies below them: nobody who
    claims `*.md` means a folder called `x.md`, so `*.md` and `*.py` do not meet in `x.md/y.py`.
    """
    folder_only = text.endswith("/")
    body = text.strip("/")
    parts = body.split("/")
    if "/" not in text.rstrip("/"):
        parts = ["**", *parts]
    if parts[-1] == "**":
        return [*parts[:-1], "*", "**"]
    if folder_only:
        return [*parts, "*", "**"]
    return parts if _WILD.search(parts[-1]) else [*parts, "**"]


def _meet(one: tuple[str, ...], two: tuple[str, ...]) -> list[str] | None:
    seen: set[tuple[int, int]] = set()

    def walk(i: int, j: int) -> list[str] | None:
        if (i, j) in seen:
            return None
        seen.add((i, j))
        if i == len(one) and j == len(two):
            return []
        left = one[i] if i < len(one) else None
        right = two[j] if j < len(two) else None
        steps: list[tuple[str | None, int, int]] = []
        if left == "**":
            steps.append((None, i + 1, j))
            if right is not None and right != "**":
                steps.append((_meet_segment(right, "*"), i, j + 1))
        if right == "**":
            steps.append((None, i, j + 1))
            if left is not None and left != "**":
                steps.append((_meet_segment(left, "*"), i + 1, j))
        if left not in (None, "**") and right not in (None, "**"):
            both = _meet_segment(str(left), str(right))
            if both is None:
                return None
            steps.append((both, i + 1, j + 1))
        for name, after_i, after_j in steps:
            rest = walk(after_i, after_j)
            if rest is not None:
                return rest if name is None else [name, *rest]
        return None

    return walk(0, 0)


def _tokens(segment: str) -> list[str]:
    return re.findall(r"\\.|\[!?\]?[^\]]*\]|.", segment, re.DOTALL)


def _meet_segment(one: str, two: str) -> str | None:
    """A name that both segment patterns match, at least one character long."""
    left, right = _tokens(one), _tokens(two)
    seen: set[tuple[int, int]] = set()

    def walk(i: int, j: int) -> str | None:
        if (i, j) in seen:
            return None
        seen.add((i, j))
        if i == len(left) and j == len(right):
            return ""
        steps: list[tuple[str, int, int]] = []
        if i < len(left) and left[i] == "*":
            steps.append(("", i + 1, j))
            if j < len(right) and right[j] != "*":
                steps.append((_character(right[j], "?"), i, j + 1))
        if j < len(right) and right[j] == "*":
            steps.append(("", i, j + 1))
            if i < len(left) and left[i] != "*":
                steps.append((_character(left[i], "?"), i + 1, j))
        if i < len(left) and j < len(right) and left[i] != "*" and right[j] != "*":
            shared = _character(left[i], right[j])
            if shared:
                steps.append((shared, i + 1, j + 1))
        for name, after_i, after_j in steps:
            rest = walk(after_i, after_j)
            if rest is not None:
                return name + rest
        return None

    name = walk(0, 0)
    return "x" if name == "" else name


def _character(one: str, two: str) -> str:
    """A character that both tokens match, or ""."""
    literal = [
        token[-1] for token in (one, two) if len(token) == 1 and token != "?" or token.startswith("\\")
    ]
    for candidate in literal or _SAMPLE:
        if _fits(one, candidate) and _fits(two, candidate):
            return candidate
    return ""


def _fits(token: str, character: str) -> bool:
    if token == "?":
        return True
    if token.startswith("\\"):
        return token[-1] == character
    if len(token) > 1:
        inner = token[1:-1]
        negated = inner.startswith(("!", "^"))
        body = (inner[1:] if negated else inner).replace("\\", "\\\\")
        return bool(body) and (re.match(f"[{body}]", character) is not None) != negated
    return token == character
