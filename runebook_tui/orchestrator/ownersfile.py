"""A CODEOWNERS file: its rules, and whose a path is by them.

Follows GitHub's documentation ("About code owners"): the last matching line wins, a line without
owners leaves its files to nobody; no `!`, no `[ ]`; `dir/*` means the files directly in `dir`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from runebook_tui.orchestrator.problems import quoted

_FOLDERS = "(?:[^/]*+/)*?"


@dataclass(frozen=True)
class Rule:
    """One line of a CODEOWNERS file; no owners means that its files have none."""

    line: int
    pattern: str
    owners: tuple[str, ...]

    @property
    def owner(self) -> str | None:
        """The first owner."""
        return self.owners[0] if self.owners else None


@dataclass
class Codeowners:
    """A whole file: its rules, and the lines that could not be used, in words."""

    rules: list[Rule] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._regexes: list[tuple[Rule, re.Pattern[str]]] | None = None

    def rule_of(self, path: str) -> Rule | None:
        """The last rule that matches `path`, or None."""
        if self._regexes is None:
            self._regexes = [(rule, _regex(rule.pattern)) for rule in reversed(self.rules)]
        return next((rule for rule, regex in self._regexes if regex.fullmatch(path)), None)


def read_codeowners(text: str) -> Codeowners:
    """The rules of a CODEOWNERS text."""
    found = Codeowners()
    for number, line in enumerate(text.split("\n"), start=1):
        words = re.findall(r"(?:\\.|\S)+", line.strip())
        words = words[: next((n for n, word in enumerate(words) if word.startswith("#")), len(words))]
        if not words:
            continue
        pattern, owners = words[0], tuple(words[1:])
        if pattern.startswith(("[", "^[")):
            reason = "sections are not read"
        elif pattern.startswith("!") or re.search(r"[\[\]]", pattern):
            reason = "CODEOWNERS has no '!' and no '[ ]'"
        elif ".." in pattern.split("/") or not pattern.strip("/"):
            reason = "it names no path"
        else:
            owners = tuple(word for word in owners if "@" in word)
            found.rules.append(Rule(number, pattern, owners))
            if len(owners) != len(words) - 1:
                found.notes.append(f"line {number}: an owner is written @name, @team or as an e-mail address")
            continue
        found.notes.append(f"line {number}: {quoted(line.strip())} is left out: {reason}")
    return found


def _regex(pattern: str) -> re.Pattern[str]:
    """What a CODEOWNERS pattern matches: whole paths from the top of the repository.

    Nothing that was matched is tried again in another way, so no pattern takes long.
    """
    pattern = re.sub(r"/\*\*/$", "/**", pattern)
    anchored = "/" in pattern.rstrip("/")
    names = pattern.strip("/").split("/")
    deep = names[-1] == "**"
    source, run = "", [] if anchored else [_FOLDERS]
    for name in names[:-1]:
        if name == "**":
            source += _settled(run)
            run = [_FOLDERS]
        else:
            run.append(_name(name) + "/")
    if deep:
        source += _settled(run) + ".+"
    else:
        source += "".join(run) + _name(names[-1])
    if pattern.endswith("/"):
        source += "/.+"
    elif not (anchored and names[-1] == "*") and not deep:
        source += "(?:/.*)?"
    return re.compile(source, re.DOTALL)


def _settled(run: list[str]) -> str:
    """Names in a row, matched where they come first: `**` follows, so no later place would be better."""
    return f"(?>{''.join(run)})" if run and run != [_FOLDERS] else ""


def _name(name: str) -> str:
    # A lone star stands for at least one character.
    if name == "*":
        return "[^/]++"
    pieces = [""]
    for part in re.findall(r"\\.|\*+|.", name, re.DOTALL):
        if part.startswith("*"):
            pieces.append("")
        else:
            pieces[-1] += "[^/]" if part == "?" else re.escape(part[-1])
    first, *rest = pieces
    if not rest:
        return first
    last = rest.pop()
    between = "".join(f"(?>[^/]*?{piece})" for piece in rest)
    return first + between + (rf"(?>[^/]*?{last}(?=/|\Z))" if last else "[^/]*+")
