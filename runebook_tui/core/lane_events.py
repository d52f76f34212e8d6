"""The events of lanes: an agent's worktree is ready, and what came out of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from runebook_tui.core.fact import Fact


class LaneOpened(Fact):
    """An agent's worktree is ready for it."""

    type: Literal["LaneOpened"] = "LaneOpened"
    agent: str
    branch: str
    fresh: bool
    """Whether it is as the repository's HEAD; else it was taken up with the work that was in it."""


class LaneIntegrated(Fact):
    """What an agent may write was taken from its lane into the repository."""

    type: Literal["LaneIntegrated"] = "LaneIntegrated"
    agent: str
    commit: str = ""
    """The new commit; "" when there was nothing to commit."""
    paths: tuple[str, ...] = ()
    """What was taken."""
    left: dict[str, str] = Field(default_factory=dict)
    """Paths that stay in the lane, and why."""
    settled: bool = False
    """Whether all of the lane was looked at, and nothing of it waits for a decision."""
