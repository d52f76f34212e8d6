"""The plan's file while a run is under way: followed when the operator edits it, and nobody else."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from runebook_tui.core import commands as c
from runebook_tui.core.events import Touched
from runebook_tui.core.state import State
from runebook_tui.core.types import ENGINE, OPERATOR, Author, ExecutionPlan
from runebook_tui.execution.vault import Vault
from runebook_tui.orchestrator.planner import PlanError, load_plan
from runebook_tui.place import PLAN_NAME

Handle = Callable[[c.Command, str], Awaitable[None]]


_KEPT = "the plan goes on as it was: it is the operator's"


class PlanFollower:
    """Takes over what the operator writes into the plan's `file`; without one, nothing."""

    def __init__(
        self,
        file: Path | None,
        handle: Handle,
        state: Callable[[], State],
        vault: Vault,
        leads: Callable[[], bool],
    ) -> None:
        """`leads` says whether this host's copy of the file counts."""
        self._leads = leads
        self._file = file
        self._vault = vault
        self._handle = handle
        self._state = state

    async def edited(self, author: Author) -> None:
        """The plan's file changed: follow it when a person, and nobody else, can have changed it."""
        if self._file is None or not self._leads():
            return
        state = self._state()
        try:
            plan = await asyncio.to_thread(load_plan, self._file)
            shown = self._vault.without_secrets(plan)
        except PlanError as error:
            plan, problem = state.plan, str(error).splitlines()[0]
        else:
            problem = _KEPT
            if shown == state.plan:
                if author.name == OPERATOR:
                    self._vault.keep(plan)
                return
        if author.name != OPERATOR or plan == state.plan:
            await self._refused(author, problem)
            return
        await self._handle(c.ChangePlan(self._vault.keep(plan)), OPERATOR)

    async def begin(self, plan: ExecutionPlan, last: Touched | None) -> None:
        """A run is taken up, of which no agent is alive: what the file holds counts.

        Unless that is just what an agent wrote, or may have, by the `last` touch of the file, and the
        operator has not let it stand.
        """
        state = self._state()
        shown = self._vault.without_secrets(plan)
        if shown == state.plan:
            self._vault.keep(plan)
            return
        if self._file is not None and last is not None and last.author.name != OPERATOR:
            digest = await asyncio.to_thread(_digest, self._file)
            if digest in (None, last.change.after.digest) and not _stands(state):
                await self._refused(last.author, _KEPT)
                return
        await self._handle(c.ChangePlan(self._vault.keep(plan)), OPERATOR)

    async def _refused(self, author: Author, problem: str) -> None:
        who = author.name or " or ".join("you" if each == OPERATOR else each for each in author.candidates)
        await self._handle(c.RecordAttempt(who, f"edit {PLAN_NAME}", problem), ENGINE)


def _digest(file: Path) -> str | None:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


def _stands(state: State) -> bool:
    """Whether the operator has approved the last crossing of the plan's file, or said: that was me."""
    about = [each for each in state.requests.values() if PLAN_NAME in each.crossings]
    return bool(about) and about[-1].status in ("approved", "withdrawn")
