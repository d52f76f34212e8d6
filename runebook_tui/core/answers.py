"""Answers: what the operator says to requests, and takes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from runebook_tui.core.aftermath import Means
from runebook_tui.core.grants import Scope


@dataclass(frozen=True)
class Decide:
    """The operator's answer to a request."""

    request: int
    decision: Literal["approved", "rejected"]
    scope: Scope = Scope.ONCE
    reason: str = ""
    means: Means = ""
    group: str = ""
    """The same for decisions that are taken together."""
    base: Mapping[str, str] = field(default_factory=dict)
    """What is at the paths: an approval for once holds for that."""
    plan_before: str = ""
    """With `means` that change the plan: the SHA-256 of its text before."""
    plan_after: str = ""
    """And after."""
    patch: str = ""
    """With "handed over": the file that has the diff."""
    from_host: str | None = None
    """Where the plan has several hosts: the one whose operator decided, "" for the plan's own."""


@dataclass(frozen=True)
class TakeBack:
    """The operator takes the last decision back."""


@dataclass(frozen=True)
class Disown:
    """The operator says of a crossing "that was me"."""

    request: int
