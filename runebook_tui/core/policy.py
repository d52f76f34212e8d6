"""Policy: what happens at a boundary, for the whole plan and for single paths."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from runebook_tui.core.forgetting import FEWEST
from runebook_tui.core.names import Pattern
from runebook_tui.core.value import Value

Away = Literal["hold", "refuse", "flag"]
"""What an unanswered request gets."""
Review = Literal["operator", "owner"]
"""Who looks at a request first; the operator always decides."""


class PathPolicy(Value):
    """What happens at the boundary of some paths, where that differs from the plan's policy."""

    path: Pattern
    """A gitignore-style pattern; the most exact one that matches counts, as with claims."""
    away: Away | None = None
    """What an unanswered request about them gets."""
    hold_seconds: Annotated[float, Field(gt=0, le=86_400)] | None = None
    """How long `hold` lets a write to them wait, in seconds."""
    review: Review | None = None
    """Who looks at a request about them first."""


class Policy(Value):
    """What happens at a boundary."""

    away: Away = "hold"
    """What an unanswered request gets."""
    hold_seconds: Annotated[float, Field(gt=0, le=86_400)] = 120.0
    """How long `hold` lets a write wait before it refuses it, in seconds."""
    unowned: Literal["allow", "ask"] = "allow"
    """Whether files that nobody claims may be written without asking."""
    review: Review = "operator"
    """Who looks at a request first: with "owner" the owning agent is told of it and may recommend."""
    paths: tuple[PathPolicy, ...] = ()
    """What differs for some paths: `[[policy.paths]]`."""
    memory_days: Annotated[float, Field(gt=0, le=36_500)] = 90.0
    """For how many days the storage agent remembers commands and what came of them."""
    memory_mb: Annotated[float, Field(ge=1, le=1_000_000)] = 500.0
    """How large its memory may become, in megabytes (10⁶ bytes); the oldest goes first."""
    history_mb: Annotated[float, Field(ge=1, le=1_000_000)] = 1000.0
    """How much the contents that files had may take on disk, in megabytes (10⁶ bytes); what was not used for
    longest goes first."""
    log_changes: Annotated[int, Field(ge=FEWEST, le=1_000_000_000)] = 200_000
    """How many changes of files the log keeps at least, the newest; of older ones the last of each file."""
    secrets: tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...] = ()
    """Regular expressions (Python's) of what is a secret here, beyond what Runebook knows: what one matches
    is left out before anything is stored."""
    finalize_seconds: Annotated[float, Field(gt=0, le=86_400)] = 30.0
    """How long an agent may take once it is told to finalize."""

    @field_validator("secrets")
    @classmethod
    def _are_expressions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                re.compile(each)
            except re.error as error:
                raise ValueError(f"{each!r} is no regular expression: {error}") from error
        return value
