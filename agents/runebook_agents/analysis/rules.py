"""Rules: what a kind of failure looks like and what helps, read from TOML files that anybody can add to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import regex

from runebook_agents.analysis.idea import Kind
from runebook_tui.core.suggested import RANKS

SHIPPED = Path(__file__).with_name("rules")

MOST_RULES = 2000
MOST_BYTES = 1024 * 1024
"""How large a file of rules may be."""

_FIELDS = {
    "id", "output", "command", "codes", "kind", "priority", "confidence", "title", "words", "snippet",
}  # fmt: skip
_ALWAYS = frozenset({"command", "code", "agent", "folder"})
_NAME = re.compile(r"\{([a-z_]+)\}")


class RuleError(Exception):
    """A file of rules that cannot be used; one line that says where and why."""


@dataclass(frozen=True)
class Rule:
    """One kind of failure and what helps."""

    id: str
    title: str
    output: tuple[regex.Pattern[str], ...] = ()
    """All of them are found in the output; their named groups fill the texts."""
    command: regex.Pattern[str] | None = None
    """Found in the command; where no command is known, it does not count."""
    codes: tuple[int, ...] = ()
    """Exit codes; () for any."""
    kind: str = "fix"
    priority: str = "normal"
    confidence: float = 0.5
    words: str = ""
    snippet: str = ""


def folders(root: Path, home: Path) -> tuple[Path, ...]:
    """Where rules are: those that ship, the user's, the repository's. A later id takes an earlier's place."""
    return SHIPPED, home / ".config" / "runebook" / "rules.d", root / ".runebook" / "rules.d"


def load(places: Iterable[Path]) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules of all files in `places`, and one line for each that cannot be used."""
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    for place in places:
        for file in sorted(place.glob("*.toml")) if place.is_dir() else ():
            try:
                rules |= {rule.id: rule for rule in read(file)}
            except RuleError as error:
                problems.append(str(error))
    return tuple(rules.values())[:MOST_RULES], tuple(problems)


def read(file: Path) -> tuple[Rule, ...]:
    """The rules of one file. Raises RuleError."""
    try:
        content = file.read_bytes()
        if len(content) > MOST_BYTES:
            raise RuleError(f"{file.name}: a file of rules has at most {MOST_BYTES} bytes")
        table = tomllib.loads(content.decode())
    except (OSError, ValueError) as error:
        raise RuleError(f"{file.name}: {error}") from error
    given = table.get("rules", [])
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise RuleError(f"{file.name}: rules are tables, [[rules]]")
    return tuple(_rule(file.name, number, each) for number, each in enumerate(given, 1))


def _rule(file: str, number: int, given: dict[str, Any]) -> Rule:
    where = f"{file}: rule {given.get('id', number)}"
    unknown = given.keys() - _FIELDS
    if unknown:
        raise RuleError(f"{where}: there is no field {sorted(unknown)[0]!r}")
    for name in ("id", "title", "kind", "priority", "words", "snippet", "command"):
        if not isinstance(given.get(name, ""), str):
            raise RuleError(f"{where}: {name} is a text")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,63}", given.get("id", "")) or not given.get("title"):
        raise RuleError(f"{where}: a rule has an id such as 'pip-conflict', and a title")
    outputs = given.get("output", [])
    outputs = [outputs] if isinstance(outputs, str) else outputs
    codes = given.get("codes", [])
    if not isinstance(codes, list) or not all(type(each) is int for each in codes):
        raise RuleError(f"{where}: codes is a list of exit codes")
    if not isinstance(outputs, list) or not all(isinstance(each, str) for each in outputs):
        raise RuleError(f"{where}: output is a regular expression, or a list of them")
    if not outputs and not codes:
        raise RuleError(f"{where}: say what it matches: output or codes")
    confidence = given.get("confidence", 0.5)
    if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise RuleError(f"{where}: confidence is from 0 to 1")
    if given.get("priority", "normal") not in RANKS:
        raise RuleError(f"{where}: priority is one of {', '.join(RANKS)}")
    kinds = get_args(Kind)
    if given.get("kind", "fix") not in kinds:
        raise RuleError(f"{where}: kind is one of {', '.join(kinds)}")
    rule = Rule(
        **{
            name: given[name]
            for name in ("id", "title", "kind", "priority", "words", "snippet")
            if name in given
        },
        output=tuple(_pattern(where, each) for each in outputs),
        command=_pattern(where, given["command"]) if "command" in given else None,
        codes=tuple(codes),
        confidence=float(confidence),
    )
    known = _ALWAYS.union(*(pattern.groupindex for pattern in rule.output))
    for text in (rule.title, rule.words, rule.snippet):
        for name in _NAME.findall(text):
            if name not in known:
                raise RuleError(f"{where}: {{{name}}} is no named group of its output")
    return rule


def _pattern(where: str, text: str) -> regex.Pattern[str]:
    try:
        return regex.compile(text, regex.MULTILINE)
    except regex.error as error:
        raise RuleError(f"{where}: {text!r} is no regular expression: {error}") from error
