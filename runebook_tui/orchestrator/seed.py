"""The plan that ships: the seed document's."""

from __future__ import annotations

from runebook_tui.core.types import ExecutionPlan
from runebook_tui.orchestrator.planner import PlanError, read_plan
from runebook_tui.orchestrator.templates import render


def seed_plan(name: str) -> ExecutionPlan:
    """The plan of the seed document, as the template `runebook` has it."""
    plan, problems = read_plan(render("runebook", name), "the template runebook", None)
    if plan is None:
        raise PlanError(problems)
    return plan
