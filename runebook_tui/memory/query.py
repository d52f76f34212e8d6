"""What people search for, as SQLite's full-text search understands it."""

from __future__ import annotations

import re

_PART = re.compile(r'"([^"]*)"?|(\S+)')
_MOST_PARTS = 20


def match_of(words: str, columns: str = "", agent: str = "") -> str:
    """The MATCH expression that finds rows with all of `words`; "" when there is nothing to look for.

    A word stands for itself, `word*` for all that begin so, "several words" for exactly these in this order.
    Signs part words and are not looked for: `src/api.py` is found as `src api py` in this order.
    `columns` says where the words are to be found, and `agent` whose row it is.
    """
    parts = []
    for quoted, bare in _PART.findall(words)[:_MOST_PARTS]:
        text = quoted or bare
        prefix = bare.endswith("*")
        if re.search(r"[^\W_]", text) is None:
            continue
        parts.append(_phrase(text.rstrip("*")) + ("*" if prefix else ""))
    if not parts:
        return ""
    found = " AND ".join(parts)
    if columns:
        found = f"{{{columns}}} : ({found})"
    if agent:
        found += f" AND {{agent}} : {_phrase(agent)}"
    return found


def _phrase(text: str) -> str:
    """A text of others as one phrase."""
    return '"' + text.replace('"', '""').replace("\0", " ") + '"'
