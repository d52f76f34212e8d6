"""How long the gate lets a write wait: as the plan says, but never longer than the client's own shell."""

from __future__ import annotations

import pytest

from runebook_tui.core.types import AgentSpec, ExecutionPlan, Phase, PlanInfo, Policy
from runebook_tui.execution.patience import hold_seconds


@pytest.mark.parametrize(
    ("client", "plan", "seconds"),
    [("codex", 120.0, 8.0), ("codex", 5.0, 5.0), ("claude", 600.0, 118.0), ("aider", 600.0, 600.0)],
)
def test_a_client_is_refused_before_its_shell_gives_up(client: str, plan: float, seconds: float) -> None:
    agent = AgentSpec.model_validate({"id": "alpha", "phase": "work", "client": client, "prompt": "Do it"})
    assert hold_seconds(of(agent, plan), "alpha", "x") == seconds


def test_a_program_of_the_plans_own_waits_as_the_plan_says() -> None:
    assert (
        hold_seconds(of(AgentSpec(id="alpha", phase="work", command=("true",)), 600.0), "alpha", "x") == 600.0
    )


def of(agent: AgentSpec, seconds: float) -> ExecutionPlan:
    return ExecutionPlan(
        plan=PlanInfo(name="patience"),
        policy=Policy(hold_seconds=seconds),
        phases=(Phase(id="work"),),
        agents=(agent,),
    )
