"""The document as `tomllib` gives it, turned into an ExecutionPlan, or into words about why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from runebook_tui.core.types import ExecutionPlan
from runebook_tui.orchestrator.positions import Path
from runebook_tui.orchestrator.problems import Problem, Source, quoted, shown, suggestion

_ROUNDS = 12
_MAY_HOLD_A_SECRET = ("plan", "store")
_LIST_TABLES = ("phases", "agents", "shared", "interfaces", "acceptance")


@dataclass(frozen=True)
class Shaped:
    """A document in the plan's shape, as far as it has it.

    `plan` leaves out what was wrong. `origin` says where each table and list item of `plan` stood in
    the document; `lost` holds the ids and names of what was left out.
    """

    plan: ExecutionPlan | None
    problems: tuple[Problem, ...] = ()
    origin: Mapping[Path, Path] | None = None
    lost: frozenset[str] = frozenset()


def shape(data: dict[str, Any], source: Source) -> Shaped:
    """The plan that `data` describes, with a problem for every field that is not as it should be."""
    try:
        return Shaped(ExecutionPlan.model_validate(data))
    except ValidationError as error:
        problems = tuple(_in_words(data, source, each) for each in _errors(error))
        bad = {_existing(data, _path(each)) for each in _errors(error)}
    for _ in range(_ROUNDS):
        kept, origin = _without(data, bad)
        if not isinstance(kept, dict):
            break
        if ("plan",) in bad or "plan" not in kept:
            kept["plan"] = {"name": "plan"}
        try:
            plan = ExecutionPlan.model_validate(kept)
        except ValidationError as error:
            bad |= {_culprit(origin, kept, each) for each in _errors(error)}
        else:
            lost = frozenset(name for path in bad for name in _names(_at(data, path), path[-1:]))
            return Shaped(plan, problems, origin, lost)
    return Shaped(None, problems)


def _errors(error: ValidationError) -> list[Any]:
    return error.errors(include_url=False)


def _path(error: Any) -> Path:
    return tuple(part for part in error["loc"] if part != "[key]")


def _existing(data: object, path: Path) -> Path:
    """`path` cut to what the document really has."""
    for length in range(len(path)):
        if _at(data, path[: length + 1]) is None:
            return path[:length]
    return path


def _culprit(origin: Mapping[Path, Path], kept: object, error: Any) -> Path:
    path = _existing(kept, _path(error))
    for length in range(len(path), 0, -1):
        if path[:length] in origin:
            return (*origin[path[:length]], *path[length:])
    return path


def _without(data: object, bad: set[Path]) -> tuple[Any, dict[Path, Path]]:
    """A copy of `data` without the paths in `bad`, and where each part of it came from."""
    origin: dict[Path, Path] = {}

    def copy(value: object, old: Path, new: Path) -> object:
        origin[new] = old
        if isinstance(value, dict):
            return {k: copy(v, (*old, k), (*new, k)) for k, v in value.items() if (*old, k) not in bad}
        if isinstance(value, list):
            kept = [(i, v) for i, v in enumerate(value) if (*old, i) not in bad]
            return [copy(v, (*old, i), (*new, n)) for n, (i, v) in enumerate(kept)]
        return value

    return (None if () in bad else copy(data, (), ())), origin


def _names(value: object, last: Path) -> Iterator[str]:
    if isinstance(value, str) and last in (("id",), ("name",)):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _names(each, (key,))
    elif isinstance(value, list):
        for each in value:
            yield from _names(each, ())


def _at(data: object, path: Path) -> object:
    for part in path:
        if isinstance(data, dict) and isinstance(part, str):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _in_words(data: object, source: Source, error: Any) -> Problem:
    path = _path(error)
    kind, value, facts = error["type"], error["input"], error.get("ctx", {})
    last = path[-1] if path else ""
    match kind:
        case "extra_forbidden":
            known = _known_keys(path[:-1])
            message = f"unknown key {quoted(str(last))}"
            message += suggestion(str(last), known) or f"; known here: {', '.join(known)}"
            return Problem(source.file, source.line(path), source.name(path[:-1]), message)
        case "missing":
            if not path[:-1]:
                message = f"the table [{last}] is missing; a plan begins with it"
                return Problem(source.file, 1, source.name(path), message)
            message = "is missing"
        case "model_type" | "dict_type" | "model_attributes_type":
            if len(path) == 1 and isinstance(value, list):
                message = f"must be one table, written [{last}], not [[{last}]]"
            else:
                message = f"must be a table, not {shown(value)}"
        case "too_long":
            message = f"holds more than {facts['max_length']} entries"
        case "tuple_type" | "list_type":
            if last in _LIST_TABLES and isinstance(value, dict):
                message = f"must be written [[{last}]] with two brackets, once for each"
            else:
                message = f"must be a list in [ ], not {shown(value)}"
        case "string_type":
            message = f"must be a text in quotes, not {shown(value)}"
        case "bool_type" | "bool_parsing":
            message = f"must be true or false, not {shown(value)}"
        case "float_type" | "float_parsing" | "int_type" | "int_parsing" | "finite_number":
            message = f"must be a number, not {shown(value)}"
        case "greater_than":
            message = f"must be more than {facts['gt']:g}, not {shown(value)}"
        case "less_than_equal":
            message = f"must be at most {facts['le']:g}, not {shown(value)}"
        case "literal_error" | "enum":
            choices = _choices(path)
            message = f"must be {' or '.join(quoted(c) for c in choices)}, not {shown(value)}"
            message += suggestion(value, choices) if isinstance(value, str) else ""
        case "string_too_long":
            message = f"is longer than {facts['max_length']} characters: {shown(value)}"
        case "string_too_short":
            message = "is empty"
        case "string_pattern_mismatch":
            message = (
                "must be letters, digits, '.', '_', ':' and '-', and begin with a letter or digit, "
                f"not {shown(value)}"
            )
        case "string_unicode":
            message = "holds characters that are not valid Unicode"
        case "value_error":
            reason = str(facts["error"])
            hidden = isinstance(value, dict) or path == _MAY_HOLD_A_SECRET
            message = reason if hidden else f"{reason}: {shown(value)}"
        case _:
            message = f"cannot be used: {shown(value)}"
    return source.problem(path, message)


def _annotation(path: Path) -> Any:
    """What the plan's models say about the field at `path`."""
    here: Any = ExecutionPlan
    for part in path:
        if isinstance(part, int):
            here = next((a for a in get_args(here) if a is not Ellipsis), None)
        elif isinstance(here, type) and issubclass(here, BaseModel) and part in here.model_fields:
            here = here.model_fields[part].annotation
        else:
            return None
    return here


def _known_keys(path: Path) -> tuple[str, ...]:
    model = _annotation(path)
    return tuple(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else ()


def _choices(path: Path) -> tuple[str, ...]:
    kind = _annotation(path)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return tuple(member.value for member in kind)
    members = [get_args(each) or (each,) for each in get_args(kind)]
    return tuple(each for group in members for each in group if isinstance(each, str))
