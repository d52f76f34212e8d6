"""What a client asks a model, and what the model says: the same values for every protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One tool call, with the client's own name of the tool."""

    name: str
    arguments: Mapping[str, Any] | str
    """By name; a text for a tool that takes one (Codex's `apply_patch`)."""


@dataclass(frozen=True)
class Asked:
    """One request of a client for the model's next turn."""

    tools: frozenset[str]
    """The names of the tools that it offers; none when it wants a title or a summary."""
    results: tuple[str, ...]
    """What the tools answered to the calls of this conversation so far, oldest first."""
    text: str = ""
    """The conversation as the client sent it, JSON."""
    streamed: bool = True
    """Whether the answer is to be server-sent events."""


Say = Call | str
"""What a model says in one turn: a tool call, or words that end the turn."""
Answer = Callable[[Asked], Say]


def plain(content: object) -> str:
    """The text of a message's content, which every protocol may give as a text or as a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(plain(part) for part in content)
    if isinstance(content, Mapping):
        return plain(content.get("text", ""))
    return ""
