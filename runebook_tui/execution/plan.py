"""The plan's file while a run is under way: followed when the operator edits it, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from runebook_tui.core import commands as c
from runebook_tui.core.state import State
from runebook_tui.core.types import ENGINE, OPERATOR, Author
from runebook_tui.orchestrator.planner import PlanError, load_plan
from runebook_tui.place import PLAN_NAME

Handle = Callable[[c.Command, str], Awaitable[None]]


class PlanFollower:
    """Takes over what the operator writes into the plan's `file`; without one, nothing."""

    def __init__(self, file: Path | None, handle: Handle, state: Callable[[], State]) -> None:
        self._file = file
        self._handle = handle
        self._state = state

    async def edited(self, author: Author) -> None:
        """The plan's file changed: follow it when a person, and nobody else, can have changed it."""
        if self._file is None:
            return
        state = self._state()
        try:
            plan = await asyncio.to_thread(load_plan, self._file)
        except PlanError as error:
            plan, problem = state.plan, str(error).splitlines()[0]
        else:
            problem = "the plan goes on as it was: it is the operator's"
            if plan == state.plan:
                return
        if author.name != OPERATOR or plan == state.plan:
            who = author.name or " or ".join(
                "you" if each == OPERATOR else each for each in author.candidates
            )
            await self._handle(c.RecordAttempt(who, f"edit {PLAN_NAME}", problem), ENGINE)
            return
        await self._handle(c.ChangePlan(plan), OPERATOR)
