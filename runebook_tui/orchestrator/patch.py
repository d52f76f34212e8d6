"""Patches of a plan's file: edits of its text that leave comments, order and form as people wrote them."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, assert_never

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, InlineTable, Table

from runebook_tui.core.planedits import (
    AddClaim,
    AddMayWrite,
    AddPathPolicy,
    EditError,
    PlanEdit,
    RemoveClaim,
    edited,
)
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.orchestrator.planner import read_plan
from runebook_tui.orchestrator.positions import positions
from runebook_tui.orchestrator.problems import PlanError, Problem
from runebook_tui.place import PLAN_NAME

SHORT = 100
"""A list that was written in one line is broken up when it would be longer than so many characters."""

_NEIGHBOURS = (
    "claims",
    "env",
    "cwd",
    "args",
    "model",
    "prompt",
    "client",
    "command",
    "builtin",
    "phase",
    "id",
)
"""After the first of these that an agent has, a key that it lacks is written."""


def patched(text: str, edits: Sequence[PlanEdit]) -> str:
    """The text of a plan after the edits; what they do not concern is left as it is, to the byte.

    Raises PlanError when the text is no plan, an edit does not fit it, or the result has an error.
    """
    before = _plan(text)
    try:
        wanted = edited(before, edits)
    except EditError as error:
        raise _failure(str(error)) from error
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n")
    result = lines if lines.endswith("\n") else lines + "\n"
    try:
        for edit in edits:
            result = _edited(result, edit)
    except (TOMLKitError, EditError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise _failure(
            f"cannot be edited by a program as it is written ({error}); edit it by hand"
        ) from error
    if not lines.endswith("\n"):
        result = result.removesuffix("\n")
    try:
        result.encode()
    except UnicodeEncodeError as error:
        raise _failure("a plan is UTF-8 text, and a pattern in this edit is not") from error
    if _plan(result) != wanted:
        raise _failure("cannot be edited by a program as it is written; edit it by hand")
    return mark + _line_ends(text.removeprefix("\ufeff"), result)


def difference(before: str, after: str) -> str:
    """The patch from one text of the plan to another, as a unified diff; "" when they are equal."""
    one, two = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = difflib.unified_diff(one, two, f"a/{PLAN_NAME}", f"b/{PLAN_NAME}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _failure(message: str) -> PlanError:
    return PlanError([Problem(PLAN_NAME, None, "", message)])


def _plan(text: str) -> ExecutionPlan:
    plan, problems = read_plan(text.removeprefix("\ufeff"), PLAN_NAME, None)
    if plan is None:
        raise PlanError(problem for problem in problems if problem.severity == "error")
    return plan


def _edited(text: str, edit: PlanEdit) -> str:
    match edit:
        case AddClaim(agent, pattern):
            return _with_pattern(text, agent, "claims", pattern)
        case AddMayWrite(agent, pattern):
            return _with_pattern(text, agent, "may_write", pattern)
        case RemoveClaim(agent, pattern):
            document = tomlkit.parse(text)
            claims = document["agents"][_number(text, agent)]["claims"]
            while pattern in claims:
                del claims[claims.index(pattern)]
            return tomlkit.dumps(document)
        case AddPathPolicy():
            return _with_policy(text, edit)
        case _:
            assert_never(edit)


def _number(text: str, agent: str) -> int:
    """Which of the `agents` of the text it is, from 0."""
    for number, each in enumerate(tomllib.loads(text)["agents"]):
        if each.get("id") == agent:
            return number
    raise EditError(f"no agent is called {agent}")


# ── lists ───────────────────────────────────────────────────────────────────────────────────────


def _with_pattern(text: str, agent: str, key: str, pattern: str) -> str:
    number = _number(text, agent)
    if key not in tomllib.loads(text)["agents"][number]:
        text = _with_key(text, ("agents", number), key, f"[{_quoted(pattern)}]", _NEIGHBOURS)
    document = tomlkit.parse(text)
    table = document["agents"][number]
    patterns = table[key]
    if pattern in patterns:
        return text
    written = patterns.as_string()
    if "\n" in written:
        indent = _indent(
            text, positions(text)["agents", number, key, len(patterns) - 1] if patterns else None
        )
        patterns.add_line(pattern, indent=indent or "  ")
    elif len(f"{key} = {written}, {_quoted(pattern)}") <= SHORT:
        patterns.append(pattern)
    else:
        table[key] = _broken_up([*patterns, pattern])
    return tomlkit.dumps(document)


def _broken_up(patterns: Iterable[str]) -> Array:
    array = tomlkit.array()
    for each in patterns:
        array.add_line(each, indent="  ")
    array.add_line(indent="")
    return array


def _quoted(text: str) -> str:
    """`text` as a TOML string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


# ── keys ────────────────────────────────────────────────────────────────────────────────────────


def _with_key(text: str, path: tuple[str | int, ...], key: str, value: str, after: Sequence[str]) -> str:
    """The text with a key that the table at `path` lacks, below the first of `after` that it has."""
    document = tomlkit.parse(text)
    table: Any = document
    for part in path:
        table = table[part]
    if isinstance(table, InlineTable):
        table[key] = tomllib.loads(f"value = {value}")["value"]
        return tomlkit.dumps(document)
    neighbour = next(each for each in after if each in table)
    line = positions(text)[(*path, neighbour)]
    return _with_lines(text, _last_line(text, line), [f"{_indent(text, line)}{key} = {value}"])


def _last_line(text: str, line: int) -> int:
    """The last line of the key that begins on `line`, from 1: the first that makes it whole."""
    lines = text.split("\n")
    for last in range(line, len(lines) + 1):
        try:
            tomllib.loads("\n".join(lines[line - 1 : last]))
        except tomllib.TOMLDecodeError:
            continue
        return last
    raise EditError(f"line {line} has no end")


def _indent(text: str, line: int | None) -> str:
    """The blanks that the line, from 1, begins with; "" for None."""
    whole = "" if line is None else text.split("\n")[line - 1]
    return whole[: len(whole) - len(whole.lstrip(" \t"))]


def _with_lines(text: str, after: int, new: Sequence[str]) -> str:
    lines = text.split("\n")
    return "\n".join([*lines[:after], *new, *lines[after:]])


# ── policies ────────────────────────────────────────────────────────────────────────────────────


def _with_policy(text: str, edit: AddPathPolicy) -> str:
    paths = tomllib.loads(text).get("policy", {}).get("paths", [])
    for number, each in enumerate(paths):
        if each["path"] == edit.path:
            return _changed_policy(text, edit, number)
    document = tomlkit.parse(text)
    policy: Any = document.get("policy", {})
    if isinstance(policy, InlineTable) or isinstance(policy.get("paths"), Array):
        table = tomlkit.inline_table()
        table.update({"path": edit.path, **dict(_values(edit))})
        if "paths" not in policy:
            policy["paths"] = tomlkit.array()
        policy["paths"].append(table)
        return tomlkit.dumps(document)
    block = ["", "[[policy.paths]]", f"path = {_quoted(edit.path)}"]
    block += [f"{key} = {_toml(value)}" for key, value in _values(edit)]
    where = positions(text)
    if paths:
        last = max(line for path, line in where.items() if path[:3] == ("policy", "paths", len(paths) - 1))
    elif isinstance(policy, Table) and not policy.is_super_table():
        last = max(line for path, line in where.items() if path[:1] == ("policy",))
    else:
        return text + "\n".join(block) + "\n"
    whole = last if text.split("\n")[last - 1].lstrip().startswith("[") else _last_line(text, last)
    return _with_lines(text, whole, block)


def _changed_policy(text: str, edit: AddPathPolicy, number: int) -> str:
    for key, value in _values(edit):
        document = tomlkit.parse(text)
        paths: Any = document["policy"]
        table = paths["paths"][number]
        if key in table:
            table[key] = value
            text = tomlkit.dumps(document)
        else:
            after = ("hold_seconds", "away", "path")
            text = _with_key(text, ("policy", "paths", number), key, _toml(value), after)
    return text


def _values(edit: AddPathPolicy) -> Iterator[tuple[str, str | float]]:
    if edit.away is not None:
        yield "away", edit.away
    if edit.hold_seconds is not None:
        seconds = edit.hold_seconds
        yield "hold_seconds", int(seconds) if seconds == int(seconds) else seconds
    if edit.review is not None:
        yield "review", edit.review


def _toml(value: str | float) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)


# ── line ends ───────────────────────────────────────────────────────────────────────────────────


def _line_ends(original: str, result: str) -> str:
    """`result` with the line ends that the same lines have in `original`; new lines have its first."""
    if "\r\n" not in original:
        return result
    usual = "\r" if original[: original.index("\n")].endswith("\r") else ""
    # The last line has no end, whichever it is.
    old, new = (original + usual).split("\n"), result.split("\n")
    bare = [line.removesuffix("\r") for line in old]
    whole: list[str] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, bare, new, autojunk=False).get_opcodes():
        whole += old[i:j] if tag == "equal" else [line + usual for line in new[k:m]]
    return "\n".join([*whole[:-1], whole[-1].removesuffix("\r")])
