"""The reader: what of an interface's contract its file holds."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runebook_tui.contracts import texts
from runebook_tui.contracts.languages import PYTHON, language_of, why_no_symbols
from runebook_tui.contracts.python import Unreadable, python_symbols

MOST_BYTES = 16 << 20
"""A larger file is refused."""
MOST_SEARCHED_BYTES = 2 << 20
"""A larger file is not searched for patterns and symbols."""
_MOST_LINES = 100
_MOST_CHARACTERS = 400
_MOST_IN_ALL = 100_000

Clauses = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Kind, what is wanted, and the lines that are it."""


@dataclass(frozen=True)
class Reading:
    """What was found in the file."""

    digest: str | None
    """SHA-256 of the file, hexadecimal; None when there is none inside the repository."""
    clauses: Clauses = ()
    fault: str = ""
    """Why it could not be read as it should, in one line."""


def is_quick(wanted: Iterable[tuple[str, str]]) -> bool:
    """Whether `read` takes no time to speak of: it looks for plain texts only."""
    return all(kind == "text" for kind, _ in wanted)


def read(root: Path, path: str, wanted: Sequence[tuple[str, str]]) -> Reading:
    """Read the file `path` below `root` for what is `wanted`: kinds "text", "pattern" and "symbol"."""
    try:
        data = _content(root, path)
    except OSError as error:
        return Reading(None, (), f"{path} cannot be read: {error.strerror}")
    if data is None:
        return Reading(None)
    digest = hashlib.sha256(data).hexdigest()
    limit = MOST_BYTES if is_quick(wanted) else MOST_SEARCHED_BYTES
    if len(data) > limit:
        return Reading(None, (), f"{path} is larger than {limit >> 20} MiB")
    content = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    symbols, fault = _symbols(path, content, [what for kind, what in wanted if kind == "symbol"])
    finders: dict[str, Callable[[str], list[str]]] = {
        "text": lambda what: texts.lines_with(content, what),
        "pattern": lambda what: texts.lines_matching(content, what),
        "symbol": lambda what: symbols.get(what, []),
    }
    found = [(kind, what, finders[kind](what)) for kind, what in wanted]
    return Reading(digest, _bounded(found), fault and f"{path} {fault}")


def _content(root: Path, path: str) -> bytes | None:
    """The file's first bytes, one more than are allowed; None where it is no file of the repository."""
    whole = root / path
    if not whole.is_file() or not whole.resolve().is_relative_to(root.resolve()):
        return None
    descriptor = os.open(whole, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        # It may have become a pipe in between, which would never end.
        return file.read(MOST_BYTES + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _symbols(path: str, content: str, names: list[str]) -> tuple[dict[str, list[str]], str]:
    """The symbols of a file, or why there are none."""
    if not names:
        return {}, ""
    language = language_of(path)
    why_not = why_no_symbols(path)
    if language is None or why_not:
        return {}, f"cannot be checked: {why_not}"
    try:
        if language == PYTHON:
            return python_symbols(content, names), ""
        from runebook_tui.contracts.trees import tree_symbols

        return tree_symbols(language, content, names), ""
    except Unreadable as error:
        return {}, str(error)
    except RecursionError:
        return {}, "is nested too deeply"


def _bounded(found: Iterable[tuple[str, str, list[str]]]) -> Clauses:
    """The same within bounds: of what is left out there is a digest, so that its change is seen."""
    kept = []
    room = _MOST_IN_ALL
    for kind, what, lines in found:
        short = [
            line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]}… ({_digest([line])})"
            for line in lines
        ]
        if len(short) > _MOST_LINES:
            rest = short[_MOST_LINES:]
            short = [*short[:_MOST_LINES], f"… and {len(rest)} more ({_digest(rest)})"]
        room -= sum(map(len, short))
        if room < 0 and short:
            short = [f"… {len(lines)} lines ({_digest(lines)})"]
        kept.append((kind, what, tuple(each or "(an empty line)" for each in short)))
    return tuple(kept)


def _digest(lines: Iterable[str]) -> str:
    return "SHA-256 " + hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()[:16]
