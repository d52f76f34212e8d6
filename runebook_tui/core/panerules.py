"""Pane rules: what the last lines of a pane say that its program does, by rules that are data.

A rule is a regular expression for one line, and how many of the last lines it may stand in. The first rule
that matches counts; where none does, nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runebook_tui.core.observed import MOST_LINE, Reading
from runebook_tui.core.standing import Word

MOST_LINES = 40
"""So many of a pane's last lines are looked at, blank ones aside."""

_MOST_CHARACTERS = 500
_EDGES = " \t│┃║╎╭╮╰╯┌┐└┘─━▌▐█▀▄"
_WORDS = (Word.WAITING, Word.LIMITED, Word.WORKING, Word.IDLE)
_FIELDS = {"name", "says", "line", "near", "within", "unhooked"}


@dataclass(frozen=True, slots=True)
class PaneRule:
    """One rule."""

    name: str
    """With whose it is: "aider: confirm"."""
    word: Word
    line: re.Pattern[str]
    near: re.Pattern[str] | None = None
    """What another of the same last lines must hold, too."""
    within: int = 12
    """How many of the last lines it looks at, blank ones aside."""
    unhooked: bool = False
    """Whether the client's hook never tells of this."""


def rules_of(client: str, document: Mapping[str, Any]) -> tuple[PaneRule, ...]:
    """The rules of a TOML document of `client`. Raises ValueError for what is none."""
    found = []
    for each in document["rules"]:
        if strange := set(each) - _FIELDS:
            raise ValueError(f"{client}: a rule has no {', '.join(sorted(strange))}")
        word, within = Word(each["says"]), each.get("within", 12)
        if word not in _WORDS or not 0 < within <= MOST_LINES:
            raise ValueError(f"{client}: a rule cannot say {word!r} within {within} lines")
        near = each.get("near")
        found.append(
            PaneRule(
                f"{client}: {each['name']}",
                word,
                re.compile(each["line"]),
                None if near is None else re.compile(near),
                within,
                each.get("unhooked", False),
            )
        )
    return tuple(found)


def read_pane(rules: Iterable[PaneRule], lines: Sequence[str]) -> Reading:
    """What the lines of a pane (oldest first) say."""
    last = [line for each in lines if (line := each[:_MOST_CHARACTERS].strip(_EDGES))][-MOST_LINES:]
    for rule in rules:
        shown = last[-rule.within :]
        if rule.near is not None and not any(rule.near.search(line) for line in shown):
            continue
        for line in reversed(shown):
            if rule.line.search(line):
                return Reading(rule.word, rule.name, line[:MOST_LINE], rule.unhooked)
    return Reading()
