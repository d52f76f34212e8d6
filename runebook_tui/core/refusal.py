"""Refusals: why a command is not carried out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from runebook_tui.core import events as e


@dataclass(frozen=True)
class Refusal:
    """Why a command is not carried out, in one line for people."""

    reason: str


Outcome = tuple[e.Event, ...] | Refusal


def hint(word: str, known: Iterable[str]) -> str:
    """What was meant instead of `word`, or what there is, as the end of a sentence; "" for neither."""
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; it has: {', '.join(names)}" if names and len(names) <= 12 else ""
