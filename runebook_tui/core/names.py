"""The texts of a plan that have a form of their own: ids, claims, paths, names of interfaces."""

from __future__ import annotations

import posixpath
import re
import warnings
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

RESERVED_IDS = frozenset({"operator", "engine", "all", "you", "nobody"})
"""Words that no agent can be called."""

_MAX_ID = 64
_NAME = r"(?:[^\W\d]|[$#])[\w$]*"


def host_words(host: str) -> str:
    """A host of the plan, for people."""
    return f"host {host}" if host else "the plan's own host"


def from_words(host: str | None) -> str:
    """From where a decision was made, to follow it; "" where the plan has one host only."""
    return "" if host is None else f" from {host_words(host)}"


def _identifier(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", text):
        raise ValueError("must be lower-case letters, digits, '-' and '_', and begin with a letter or digit")
    return text


def _agent_identifier(text: str) -> str:
    if text in RESERVED_IDS:
        raise ValueError(f"{text!r} is a word that Runebook keeps for itself")
    return _identifier(text)


def _host(text: str) -> str:
    return _identifier(text) if text else text


def _remote(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./-]*", text):
        raise ValueError("must be the name of a git remote, such as 'origin', not its address")
    return text


def _pattern(text: str) -> str:
    """A claim: a gitignore-style pattern that stays inside the repository."""
    if not text.strip() or text != text.strip():
        raise ValueError("is empty or has blanks at an end")
    if text.startswith(("!", "#")):
        raise ValueError("cannot begin with '!' or '#': a claim only ever adds paths")
    if "\0" in text or "\n" in text:
        raise ValueError("cannot hold a line break or NUL")
    if text.startswith("~") or re.match(r"[A-Za-z]:[\\/]", text):
        raise ValueError("must be relative to the repository")
    if ".." in text.split("/"):
        raise ValueError("leaves the repository ('..')")
    if text.strip("/*") == "" and text not in ("*", "**", "/**", "/*"):
        raise ValueError("names no path")
    return text


def _path(text: str) -> str:
    """One path inside the repository, normalised."""
    if not text or "\0" in text:
        raise ValueError("is empty")
    if text.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", text):
        raise ValueError("must be relative to the repository")
    normal = posixpath.normpath(text)
    if normal == ".." or normal.startswith("../"):
        raise ValueError("leaves the repository ('..')")
    return normal


def _regex(text: str) -> str:
    """A regular expression as `re` reads it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(text, re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a regular expression ({error})") from error
    return text


def _symbol(text: str) -> str:
    """A name as a language has it, with the names around it: `Store.list`, `Store::list`."""
    if not re.fullmatch(rf"{_NAME}(?:(?:\.|::){_NAME})*", text):
        raise ValueError("must be a name, or names joined by '.' or '::'")
    return text


Identifier = Annotated[str, StringConstraints(max_length=_MAX_ID), AfterValidator(_identifier)]
AgentId = Annotated[str, StringConstraints(max_length=_MAX_ID), AfterValidator(_agent_identifier)]
HostName = Annotated[str, StringConstraints(max_length=_MAX_ID), AfterValidator(_host)]
"""The name of a host in the plan; "" for the plan's own."""
RemoteName = Annotated[str, StringConstraints(max_length=_MAX_ID), AfterValidator(_remote)]
Pattern = Annotated[str, StringConstraints(max_length=1024), AfterValidator(_pattern)]
RepositoryPath = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_path)]
ApiName = Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
Regex = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_regex)]
SymbolName = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_symbol)]
OneLine = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A short text that is not empty."""
