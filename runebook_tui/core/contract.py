"""The contract of an interface: what the plan asks of its file, and what of that the file holds. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator

from runebook_tui.core.fact import Fact
from runebook_tui.core.names import AgentId, ApiName, Regex, RepositoryPath, SymbolName
from runebook_tui.core.value import Value

_MOST = 64
"""Clauses of one kind that an interface can have."""


class InterfaceStub(Value):
    """A named contract that an agent must publish."""

    name: ApiName
    """What others name in `needs = { apis = [...] }`."""
    title: str = ""
    """What it offers, for people."""
    owner: AgentId
    """The agent that publishes it."""
    path: RepositoryPath
    """The file that holds it; its owner must own this path."""
    must_contain: tuple[str, ...] = ()
    """Texts that the file holds once the interface is real."""
    must_match: Annotated[tuple[Regex, ...], Field(max_length=_MOST)] = ()
    """Python regular expressions that find something in it; `^` and `$` stand for a line's ends."""
    symbols: Annotated[tuple[SymbolName, ...], Field(max_length=_MOST)] = ()
    """Names that it declares, `append_event` or `Store.list`, in Python, JavaScript, TypeScript or Rust."""
    command: tuple[str, ...] | None = None
    """A program that must end with 0 before it is published, run as its owner, in its owner's tree."""
    command_seconds: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    """How long that program may take, in seconds."""

    @field_validator("command")
    @classmethod
    def _a_program(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and (not value or not value[0]):
            raise ValueError("'command' is empty")
        if any("\0" in word for word in value or ()):
            raise ValueError("cannot hold a NUL character")
        return value


Kind = Literal["text", "pattern", "symbol"]
Wanted = tuple[Kind, str]


class Clause(Fact):
    """One thing that the plan asks of an interface's file, and the lines of the file that are it."""

    kind: Kind
    wanted: str
    """The text, the regular expression, or the symbol's name."""
    lines: tuple[str, ...] = ()
    """Each on one line, bounded, without blanks at its ends; none where the file does not hold it."""

    @property
    def key(self) -> Wanted:
        """What is asked for."""
        return self.kind, self.wanted


Contract = tuple[Clause, ...]


class ApiDrifted(Fact):
    """The contract of a published interface is not as it was published; the request asks about it."""

    type: Literal["ApiDrifted"] = "ApiDrifted"
    api: str
    request: int
    digest: str | None
    """SHA-256 of the file as it is, hexadecimal; None when it is gone or cannot be read."""
    contract: Contract = ()
    """The contract as it is."""
    broken: str = ""
    """What the file lacks of what the plan asks for, in words; "" when it lacks nothing."""
    diff: str = ""
    """From the contract as published to the contract as it is: a unified diff."""
    consumers: tuple[str, ...] = ()
    """The agents that build on it."""
    by: tuple[str, ...] = ()
    """Who changed it, or may have."""


class ApiRestored(Fact):
    """The contract of a published interface is as published again."""

    type: Literal["ApiRestored"] = "ApiRestored"
    api: str
    version: int


def wanted(interface: InterfaceStub) -> Iterator[Wanted]:
    """What the plan asks of the interface's file, in the plan's order."""
    for text in interface.must_contain:
        yield "text", text
    for pattern in interface.must_match:
        yield "pattern", pattern
    for symbol in interface.symbols:
        yield "symbol", symbol


def lacking(contract: Iterable[Clause]) -> str:
    """What of the contract the file lacks, in words: "does not contain 'x'"; "" when it holds it all."""
    words = {"text": "does not contain", "pattern": "has nothing that matches", "symbol": "does not declare"}
    parts = []
    for kind, verb in words.items():
        names = [repr(each.wanted) for each in contract if each.kind == kind and not each.lines]
        if names:
            parts.append(f"{verb} {', '.join(names)}")
    return " and ".join(parts)


def agree(published: Iterable[Clause], now: Iterable[Clause]) -> bool:
    """Whether the file keeps its published contract.

    What the plan asks for since then only has to be there; what it asks for no more does not count.
    """
    was = {clause.key: clause.lines for clause in published}
    return all(clause.lines and was.get(clause.key, clause.lines) == clause.lines for clause in now)


def contract_diff(name: str, version: int, published: Iterable[Clause], now: Iterable[Clause]) -> str:
    """The unified diff of the contract of version `version`; "" when it is the same."""
    was = {clause.key: clause.lines for clause in published}
    clauses = [clause for clause in now if was.get(clause.key, ()) != clause.lines or not clause.lines]
    before = [line for each in clauses for line in _written(each, was.get(each.key, each.lines))]
    after = [line for each in clauses for line in _written(each, each.lines)]
    lines = difflib.unified_diff(before, after, f"{name} v{version}", f"{name} now", n=1, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _written(clause: Clause, lines: tuple[str, ...]) -> Iterator[str]:
    yield f"[{clause.kind} {clause.wanted.splitlines()[0] if clause.wanted.strip() else ''}]"
    yield from lines


def changed_words(diff: str, limit: int) -> str:
    """What a contract's diff takes away and adds, on one line of at most about `limit` characters."""
    body = diff.splitlines()[2:]
    gone = [line[1:] for line in body if line.startswith("-")]
    new = [line[1:] for line in body if line.startswith("+")]
    parts = [f"{word}: {'; '.join(lines)}" for word, lines in (("gone", gone), ("new", new)) if lines]
    text = " / ".join(parts)
    return text if len(text) <= limit else text[:limit] + "…"
