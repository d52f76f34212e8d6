"""The first layer: rules against the output of a failure, each within a time limit: output is hostile."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from runebook_agents.analysis.failure import Failure
from runebook_agents.analysis.idea import Idea, Kind
from runebook_agents.analysis.place import place_of
from runebook_agents.analysis.rules import Rule
from runebook_tui.core.printable import visible
from runebook_tui.core.suggested import Priority

RULE_SECONDS = 0.1
"""How long one regular expression may look at one output: `regex` gives up after that."""

ALL_SECONDS = 3.0
"""How long all rules together may."""

_VALUE_CHARACTERS = 160
_NAME = re.compile(r"\{([a-z_]+)\}")


def ideas(
    rules: Sequence[Rule], failure: Failure, root: Path, over: Callable[[], bool] = lambda: False
) -> tuple[Idea, ...]:
    """What the rules say of `failure`, the best first; () once `over` says that nobody wants to know."""
    found: list[Idea] = []
    end = time.monotonic() + ALL_SECONDS
    for rule in rules:
        if over():
            return ()
        if time.monotonic() > end:
            break
        values = matched(rule, failure)
        if values is not None:
            found.append(_idea(rule, failure, values, root))
    return tuple(sorted(found, key=lambda idea: idea.rank))


def matched(rule: Rule, failure: Failure) -> Mapping[str, str] | None:
    """The values of the named groups when `rule` fits `failure`, else None."""
    if rule.codes and failure.code not in rule.codes:
        return None
    values: dict[str, str] = {}
    try:
        ran = rule.command if failure.command else None
        if ran is not None and ran.search(failure.command, timeout=RULE_SECONDS) is None:
            return None
        for pattern in rule.output:
            match = pattern.search(failure.output, timeout=RULE_SECONDS, concurrent=True)
            if match is None:
                return None
            values |= {name: value or "" for name, value in match.groupdict().items() if name not in values}
    except TimeoutError:
        return None
    return values


def _idea(rule: Rule, failure: Failure, values: Mapping[str, str], root: Path) -> Idea:
    texts = {
        "command": failure.command,
        "code": "" if failure.code is None else str(failure.code),
        "agent": failure.agent,
        "folder": failure.folder,
        **values,
    }
    file, line = place_of(root, failure.folder, values.get("file", ""), values.get("line", ""))
    return Idea(
        kind=cast(Kind, rule.kind),
        title=filled(rule.title, texts)[:200],
        rule=rule.id,
        layer="heuristics",
        words=filled(rule.words, texts)[:2000],
        snippet=filled(rule.snippet, {name: _quoted(value) for name, value in texts.items()}),
        priority=cast(Priority, rule.priority),
        confidence=rule.confidence,
        file=file,
        line=line,
    )


def filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with each `{name}` replaced; what a program printed stays short, and on its line."""

    def value(match: re.Match[str]) -> str:
        return visible(values.get(match[1], ""), _VALUE_CHARACTERS)

    return _NAME.sub(value, template)


def _quoted(value: str) -> str:
    """A value as one word of a shell, never an option: it is another's text, and people copy snippets."""
    bounded = visible(value, _VALUE_CHARACTERS)
    return shlex.quote(f"./{bounded}" if bounded.startswith("-") else bounded)
