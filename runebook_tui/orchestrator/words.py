"""Ids from the words of a written plan, and the ids that the built-in agents know their work by."""

from __future__ import annotations

import re
from collections.abc import Collection

from runebook_tui.orchestrator.draft import slug, unused

BUILTINS = frozenset(
    {"orchestrator", "event-capture", "storage", "analysis", "surfaces", "nix-ci", "finalization"}
)
"""The agents of the seed document, which come with Runebook."""

INTERFACE_TEXTS = {"storage": ("pub fn append_event", "pub fn list_sessions")}
"""What the interfaces of built-in agents hold once they are real."""

_TASKS: dict[str, tuple[tuple[str, str], ...]] = {
    "orchestrator": (
        ("roadmap", "orchestrator-roadmap"),
        ("interfaces", "orchestrator-interfaces"),
        ("ownership", "orchestrator-ownership"),
        ("coordination", "orchestrator-coordination"),
    ),
    "event-capture": (("implement", "capture-implement"),),
    "storage": (("publish", "storage-publish"), ("implement", "storage-implement")),
    "analysis": (("suggestions", "analysis-suggestions"), ("implement", "analysis-implement")),
    "surfaces": (("integrate", "surfaces-integrate"), ("implement", "surfaces-implement")),
    "nix-ci": (
        ("nix scaffold", "nix-scaffold"),
        ("ci scaffold", "ci-scaffold"),
        ("continuous", "nix-ci-continuous"),
    ),
    "finalization": (
        ("at the end", "finalization-final"),
        ("checklist", "finalization-checklist"),
        ("integration", "finalization-integrate"),
    ),
}
"""For each built-in agent a text in a task's title, and the id by which the agent completes it."""

_KINDS = frozenset({"agent", "agents", "api", "apis", "phase", "pipeline", "service", "system"})
"""Words at the end of a name that say what kind of thing it is, not which."""

_PALE = frozenset(
    re.split(
        r"\s+",
        "a add all an and any are as assign at be by create do each every file files for from get in "
        "initialize is it its make of on or run runs set setup start starts stub the their then this to up "
        "update use with write",
    )
)
"""Words that do not tell one task from another."""


def name_slug(name: str) -> str:
    """The id of an agent or phase that people call `name`: "Storage APIs" is `storage`."""
    words = re.sub(r"\([^)]*\)", " ", name).split()
    while len(words) > 1 and words[-1].lower() in _KINDS:
        words.pop()
    return slug(" ".join(words))


def significant(text: str) -> list[str]:
    """The words of `text` that carry its meaning, in lower case."""
    return [word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in _PALE]


def same_word(one: str, two: str) -> bool:
    """Whether two words are forms of one: "suggestion" and "suggestions"."""
    short, long = sorted((one, two), key=len)
    return long.startswith(short) and len(short) >= 4 or one == two


def task_id(agent: str, title: str, taken: Collection[str]) -> str:
    """An unused id for a task: the one that the built-in knows, else the agent and the task's first word."""
    low = title.lower()
    known = next((name for text, name in _TASKS.get(agent, ()) if text in low), None)
    if known is not None and known not in taken:
        return known
    word = next(iter(significant(re.sub(r"\([^)]*\)", " ", title))), "task")
    return unused(f"{agent[:36].rstrip('-')}-{word[:18]}", taken)
