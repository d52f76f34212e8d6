"""Agreement: whether the person at the terminal wants a file of theirs changed."""

from __future__ import annotations

import sys

from runebook_tui.core.printable import visible_lines


def somebody_there() -> bool:
    """Whether there is a person who can be asked."""
    return sys.stdin.isatty()


def agreed(question: str) -> bool:
    """Ask at the terminal; only a yes is one. Nothing of the question is taken for a terminal's commands."""
    gap = "" if question.endswith("\n") else " "
    try:
        return input(f"{visible_lines(question)}{gap}[y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
