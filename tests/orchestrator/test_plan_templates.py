"""The templates, and the seed document read as a plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runebook_tui.core.types import ExecutionPlan
from runebook_tui.orchestrator.markdown import plan_from_markdown, read_markdown
from runebook_tui.orchestrator.planner import PlanError, read_plan
from runebook_tui.orchestrator.templates import render

LOADED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For machines with other work to do."""

SEED = (Path(__file__).parent.parent / "data" / "parallel-execution-plan.md").read_text("utf-8")


def loaded(text: str) -> ExecutionPlan:
    plan, problems = read_plan(text, "runebook.toml", None)
    assert plan is not None, "\n".join(map(str, problems))
    assert not problems
    return plan


def test_the_seed_document_and_the_template_are_the_same_plan() -> None:
    template = loaded(render("runebook", "RuneBook"))
    assert [each.id for each in template.acceptance] == ["no-conflicts"]  # the document names no commands
    assert loaded(plan_from_markdown(SEED, "RuneBook")) == template.model_copy(update={"acceptance": ()})


def test_the_plan_of_the_seed_document_is_as_written_there() -> None:
    plan = loaded(render("runebook", "RuneBook"))
    phases = {phase.id: phase for phase in plan.phases}
    assert list(phases) == ["orchestrator", "parallel", "analysis", "surfaces", "continuous"]
    assert [phase.id for phase in plan.phases if phase.continuous] == ["continuous"]
    assert phases["parallel"].after == phases["continuous"].after == ("orchestrator",)
    assert phases["analysis"].needs.apis == ("storage",)
    assert phases["surfaces"].needs.tasks == ("analysis-suggestions",)
    assert [(agent.id, agent.builtin, agent.phase) for agent in plan.agents] == [
        ("orchestrator", "orchestrator", "orchestrator"),
        ("event-capture", "event-capture", "parallel"),
        ("storage", "storage", "parallel"),
        ("analysis", "analysis", "analysis"),
        ("surfaces", "surfaces", "surfaces"),
        ("nix-ci", "nix-ci", "continuous"),
        ("finalization", "finalization", "continuous"),
    ]
    assert sum(len(agent.tasks) for agent in plan.agents) == 17
    claims = {agent.id: agent.claims for agent in plan.agents}
    assert claims["analysis"] == (
        "src/lib/agent/analysis-pipeline.ts",
        "src/lib/agent/analysis-service.ts",
        "src/lib/agent/analyzers/**",
    )
    assert claims["nix-ci"] == ("/flake.nix", "/shell.nix", ".github/workflows/**")
    assert claims["surfaces"] == ("src/lib/agent/surfaces.ts", "integrations/**")
    assert [(each.path, each.owner) for each in plan.shared] == [("src-tauri/src/core/**", "orchestrator")]
    assert [(each.name, each.path) for each in plan.interfaces] == [
        ("storage", "src-tauri/src/memory/api.rs")
    ]


def test_what_the_seed_document_leaves_open_is_said_by_line() -> None:
    draft = read_markdown(SEED, "RuneBook")
    line = SEED.split("\n").index("### Agents (`src-tauri/src/agents/`)") + 1
    message = f'line {line}: "src-tauri/src/agents/" stays unclaimed: it does not say whose it is'
    assert draft.left_out == (message,)
    assert message in draft.text


VARIANT = """\
# Our plan

## Phase 1: Ground work
- **Agent**: Lead Agent
- **Tasks**:
  - Write `docs/spec.md`
  - Publish the base API

## Phase B - Wire up
**Agents**: Agent 7 (Docs) and Builder
**Agent 7 Tasks**:
- Write manual
- Owns: `docs/manual/`, `index.md`, `../no`
**Builder Tasks**:
1. Compile
   everything
2. Owns: src/, lib/*.c, docs/manual/
**Dependencies**: Phase 1 (Lead Agent specification published as an API)

## Phase 3: End
**Agent**: Finisher
**Dependencies**: Phase 9, Phase B
**Mood**: fine
"""


def test_a_variant_with_other_phases_agents_and_forms() -> None:
    draft = read_markdown(VARIANT, "variant")
    plan = loaded(draft.text)
    assert [(p.id, p.after, p.needs.apis) for p in plan.phases] == [
        ("ground-work", (), ()),
        ("wire-up", (), ("lead",)),
        ("end", ("wire-up",), ()),
    ]
    agents = {agent.id: agent for agent in plan.agents}
    assert list(agents) == ["lead", "docs", "builder", "finisher"]
    assert agents["lead"].claims == ("docs/spec.md",)
    assert agents["docs"].claims == ("docs/manual/**", "docs/index.md")
    assert agents["builder"].claims == ("src/**", "lib/*.c")
    assert [task.title for task in agents["builder"].tasks] == ["Compile everything"]
    assert all(agent.builtin is None and agent.command for agent in plan.agents)
    assert "say in runebook.toml what this agent runs" in draft.text
    assert [note.partition(":")[0] for note in draft.left_out if note.startswith("line")] == [
        "line 23",
        "line 22",
        "line 13",
    ]
    assert any('"docs/manual/**" of "builder" is left out' in note for note in draft.left_out)


def test_a_document_without_phases_is_refused_in_words() -> None:
    with pytest.raises(PlanError, match="describes no phase with an agent"):
        plan_from_markdown("# Notes\n\nNothing here.\n", "x")


@LOADED
@given(st.data())
def test_no_document_crashes_the_reader(data: st.DataObject) -> None:
    lines = SEED.split("\n")[:105] if data.draw(st.booleans()) else VARIANT.split("\n")
    for _ in range(data.draw(st.integers(0, 12))):
        number = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["drop", "twice", "text", "swap", "prefix"]))
        if change == "drop" and len(lines) > 1:
            del lines[number]
        elif change == "twice":
            lines.insert(number, lines[number])
        elif change == "text":
            lines[number] = data.draw(st.text(max_size=20))
        elif change == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[number], lines[other] = lines[other], lines[number]
        else:
            lines[number] = (
                data.draw(st.sampled_from(["- ", "  ", "**", "## ", "`", "- Owns: `"])) + lines[number]
            )
    try:
        text = plan_from_markdown("\n".join(lines), "x")
    except PlanError:
        return
    problems = read_plan(text, "x", None)[1]
    # What the document itself gets wrong (circles) is all that can be wrong with what is made of it.
    errors = [problem for problem in problems if problem.severity == "error"]
    assert all("wait" in problem.message for problem in errors), "\n".join(map(str, errors))


@LOADED
@given(
    st.text(max_size=300),
    st.lists(st.text(min_size=1, max_size=12), max_size=8),
    st.sampled_from(["coders", "runebook"]),
)
def test_a_template_fits_every_repository(name: str, folders: list[str], template: str) -> None:
    plan = loaded(render(template, name, folders))
    assert 1 <= len(plan.plan.name) <= 200


def test_coders_share_the_folders_of_the_repository() -> None:
    plan = loaded(render("coders", "shop", ["app", "lib", "tests", "docs", ".github", "we[ird]"]))
    claims = {agent.id: agent.claims for agent in plan.agents}
    assert claims["alpha"] == ("app/**", "we\\[ird\\]/**", "/ALPHA.md")
    assert claims["beta"] == ("lib/**",)
    assert claims["gamma"] == ("docs/**", "tests/**")


def test_every_field_of_a_plan_is_shown_and_explained_by_coders() -> None:
    text = render("coders", "shop", ["app"])
    for model in (
        "PlanInfo",
        "Policy",
        "Phase",
        "AgentSpec",
        "SharedPath",
        "InterfaceStub",
        "AcceptanceCheck",
        "AnalysisPolicy",
    ):
        fields = ExecutionPlan.model_json_schema()["$defs"][model]["properties"]
        missing = [name for name in fields if f"{name} =" not in text and f"`{name}`" not in text]
        assert not missing, (model, missing)


def test_an_unknown_template_is_an_error() -> None:
    with pytest.raises(ValueError, match="there is no template 'x'"):
        render("x", "y")
