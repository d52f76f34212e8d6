"""`docs/plan.md` shows a plan that loads and names every field."""

from __future__ import annotations

import re
from pathlib import Path

from runebook_tui.core.types import ExecutionPlan
from runebook_tui.orchestrator.markdown import plan_from_markdown
from runebook_tui.orchestrator.planner import read_plan

PAGE = (Path(__file__).parent.parent.parent / "docs" / "plan.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_plan_on_the_page_loads_without_problems() -> None:
    plan, problems = read_plan(blocks("toml")[0], "docs/plan.md", None)
    assert plan is not None
    assert not problems


def test_the_page_names_every_field() -> None:
    for model in ExecutionPlan.model_json_schema()["$defs"].values():
        missing = [name for name in model.get("properties", {}) if f"`{name}`" not in PAGE]
        assert not missing, model["title"]


def test_the_markdown_on_the_page_is_understood() -> None:
    plan, problems = read_plan(plan_from_markdown(blocks("markdown")[0], "x"), "x", None)
    assert plan is not None, problems
    assert [agent.id for agent in plan.agents] == ["event-capture", "storage"]
    assert plan.agents[1].claims == ("src/memory/**", "src/notes.md")
