"""Symbols of a Python file by `ast`: each with its signature, without comments, bodies and layout."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterable, Iterator
from copy import copy

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_BLOCKS = ("body", "orelse", "finalbody")
_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


class Unreadable(Exception):
    """The file cannot be read in its language; the text is the reason, in one line."""


def python_symbols(content: str, names: Iterable[str]) -> dict[str, list[str]]:
    """For each of `names` ("append_event", "Store.list") what `content` says of it; [] where it has none.

    A function gives its signature, a class that and those of its public members, a constant its value.
    Raises Unreadable when it is no Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
    except SyntaxError as error:
        where = "" if error.lineno is None else f"line {error.lineno}: "
        raise Unreadable(f"is not Python {_VERSION}: {where}{error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(f"cannot be read as Python: {error or type(error).__name__}") from error
    return {name: _found(tree.body, name.replace("::", ".").split(".")) for name in names}


def _found(body: list[ast.stmt], names: list[str]) -> list[str]:
    """What the statements of a module or class say of the nested name."""
    first, *rest = names
    found: list[str] = []
    for statement in _declarations(body):
        if first not in _names(statement):
            continue
        if rest:
            found += _found(statement.body, rest) if isinstance(statement, ast.ClassDef) else []
        elif isinstance(statement, ast.ClassDef):
            found += [_header(statement), *_members(statement)]
        else:
            found.append(_header(statement))
    return found


def _declarations(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements, also those under `if`, `try` and `with`."""
    for statement in body:
        if isinstance(statement, ast.If | ast.Try | ast.With):
            for block in _BLOCKS:
                yield from _declarations(getattr(statement, block, ()))
            for handler in getattr(statement, "handlers", ()):
                yield from _declarations(handler.body)
        else:
            yield statement


def _names(statement: ast.stmt) -> set[str]:
    """What a statement gives a name to."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {statement.name}
        case ast.Import() | ast.ImportFrom():
            return {each.asname or each.name.split(".")[0] for each in statement.names}
        case ast.Assign():
            targets = [part for target in statement.targets for part in ast.walk(target)]
        case ast.AnnAssign():
            targets = [statement.target]
        case _:
            # The statement `type` came with Python 3.12.
            named = getattr(statement, "name", None) if type(statement).__name__ == "TypeAlias" else None
            targets = [named] if isinstance(named, ast.Name) else []
    return {each.id for each in targets if isinstance(each, ast.Name)}


def _header(statement: ast.stmt) -> str:
    """A definition without its body on one line; any other statement whole."""
    if isinstance(statement, _Definition):
        bare = copy(statement)
        bare.body = [ast.Expr(ast.Constant(...))]
        lines = ast.unparse(bare).splitlines()
        return " ".join(" ".join(lines).removesuffix("...").split()).removesuffix(":")
    return " ".join(ast.unparse(statement).split())


def _members(statement: ast.ClassDef) -> Iterator[str]:
    """The public members of a class in alphabetical order, by their headers."""
    headers = (
        f"{statement.name}: {_header(each)}"
        for each in _declarations(statement.body)
        if any(_is_public(name) for name in _names(each))
    )
    yield from sorted(headers)


def _is_public(name: str) -> bool:
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))
