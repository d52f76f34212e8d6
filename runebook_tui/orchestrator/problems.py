"""What is wrong with a plan, in words that name the file, the line and the field."""

from __future__ import annotations

import difflib
import json
import os
import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from runebook_tui.orchestrator.positions import Path

Severity = Literal["error", "warning"]

_SHOWN = 80
_COMPARED = 500


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a plan; `line` counts from 1, `field` is as people write it."""

    file: str
    line: int | None
    field: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        what = f"{self.field}: {self.message}" if self.field else self.message
        return f"{where}: {what}" if self.severity == "error" else f"{where}: warning: {what}"


class PlanError(Exception):
    """A plan that cannot be used; `problems` holds everything that was found, errors first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems without repetitions: errors first, then by line."""
    once = dict.fromkeys(problems)
    return tuple(sorted(once, key=lambda each: (each.severity != "error", each.line or 0)))


@dataclass(frozen=True)
class Source:
    """The text that a plan was read from: turns a path of the data into a file, line and field."""

    file: str
    lines: Mapping[Path, int] = field(default_factory=dict)
    data: object = None
    """The document as `tomllib` gives it; the names of agents and phases are taken from it."""

    def line(self, path: Path) -> int | None:
        """The line of the deepest known part of `path`."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def where(self, path: Path) -> str:
        """`line 12`, or the field when no line is known."""
        line = self.line(path)
        return self.name(path) if line is None else f"line {line}"

    def name(self, path: Path) -> str:
        """The field as people write it, such as `agents[2] "storage": claims[0]`."""
        text = ""
        here = self.data
        for part in path:
            here = _step(here, part)
            if isinstance(part, int):
                text += f"[{part}]"
                label = (here.get("id") or here.get("name")) if isinstance(here, dict) else None
                if isinstance(label, str) and label:
                    text += f" {quoted(label)}:"
            else:
                glue = "" if not text else " " if text.endswith(":") else "."
                text += glue + (part if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", part) else quoted(part))
        return text.removesuffix(":")

    def problem(self, path: Path, message: str, severity: Severity = "error") -> Problem:
        """A problem at `path`."""
        return Problem(self.file, self.line(path), self.name(path), message, severity)


def shown(value: object) -> str:
    """`value` as text of at most some 80 characters without control characters."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int | float):
        short = reprlib.Repr()
        short.maxlong = 40
        return short.repr(value)
    return str(value)[:_SHOWN]


def quoted(text: str) -> str:
    """`text` in double quotes, at most some 80 characters, everything unprintable escaped."""
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    plain = json.dumps(cut, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escape(c) for c in plain)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shown_path(path: str | os.PathLike[str]) -> str:
    """A path for people: bytes that are not UTF-8 and control characters escaped."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` when `known` holds something near, else an empty text."""
    near = difflib.get_close_matches(word[:200], islice(known, _COMPARED), n=1, cutoff=0.6)
    return f"; did you mean {quoted(near[0])}?" if near else ""


def listed(names: Iterable[str]) -> str:
    """Names in quotes with commas, at most eight of them."""
    each = list(dict.fromkeys(names))
    more = f" and {len(each) - 8} more" if len(each) > 8 else ""
    return ", ".join(quoted(name) for name in each[:8]) + more


def _step(value: object, part: str | int) -> object:
    if isinstance(value, dict) and isinstance(part, str):
        return value.get(part)
    if isinstance(value, list | tuple) and isinstance(part, int) and -1 < part < len(value):
        return value[part]
    return None
