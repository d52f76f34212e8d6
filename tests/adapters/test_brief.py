"""The brief tells an agent who it is, what is its own, and how to ask."""

from __future__ import annotations

from collections.abc import Sequence

from runebook_tui.clients.brief import brief
from runebook_tui.core.contract import ApiDrifted
from runebook_tui.core.events import ApiPublished, Event, Record, RunStarted, TaskStarted
from runebook_tui.core.fold import fold
from runebook_tui.core.state import State
from runebook_tui.core.types import (
    AgentSpec,
    ExecutionPlan,
    InterfaceStub,
    Phase,
    PlanInfo,
    SharedPath,
    Task,
)

ALPHA = AgentSpec(
    id="alpha",
    title="First half",
    phase="build",
    client="claude",
    prompt="Do it",
    claims=("src/alpha/**",),
    tasks=(Task(id="alpha-build", title="Build the first half"), Task(id="alpha-publish")),
)
BETA = AgentSpec(id="beta", phase="build", command=("true",), claims=("src/beta/**",))
PLAN = ExecutionPlan(
    plan=PlanInfo(name="two"),
    phases=(Phase(id="build"),),
    agents=(ALPHA, BETA),
    shared=(SharedPath(path="/TODO.md", owner="beta"),),
    interfaces=(
        InterfaceStub(name="notes", owner="alpha", path="src/alpha/api.md", must_contain=("# API",)),
        InterfaceStub(name="beta-api", owner="beta", path="src/beta/api.md"),
        InterfaceStub(name="later", owner="beta", path="src/beta/later.md"),
    ),
)


def state(plan: ExecutionPlan = PLAN, events: Sequence[Event] = ()) -> State:
    records = [
        Record(seq=n, time=float(n), run=1, actor="engine", event=event)
        for n, event in enumerate([RunStarted(plan=plan), *events], start=1)
    ]
    return fold(records)


def test_it_says_who_the_agent_is_what_is_its_own_and_what_is_not() -> None:
    text = brief(state(), ALPHA, "runebook-tui", mcp=False)
    assert "the agent `alpha` (First half)" in text
    assert "one of 2 agents" in text
    own, others = text.index("## What you own"), text.index("## What others own")
    assert own < text.index("- `src/alpha/**`") < others
    assert others < text.index("- `src/beta/**`: `beta`") < text.index("- `/TODO.md`: `beta`")
    assert "- `src/alpha/**`: " not in text
    assert "Do it" not in text


def test_it_says_how_tasks_stand_and_how_to_report_them() -> None:
    text = brief(state(events=[TaskStarted(agent="alpha", task="alpha-build")]), ALPHA, "rb", mcp=False)
    assert "- `alpha-build`: Build the first half (in progress)" in text
    assert "- `alpha-publish` (not started)" in text
    for step in ("rb task start ID", "rb task done ID", "rb task block ID --reason"):
        assert step in text


def test_it_says_all_that_a_contract_asks_for_and_which_api_has_changed() -> None:
    notes = InterfaceStub(
        name="notes",
        owner="alpha",
        path="src/alpha/api.py",
        must_contain=("# API",),
        must_match=("^def .*",),
        symbols=("a", "b", "c", "Store.list", "d", "e", "f", "g", "h", "i", "j", "k", "l"),
        command=("pytest", "-k", "a b"),
    )
    beta = InterfaceStub(name="beta-api", owner="beta", path="src/beta/api.md")
    published = ApiPublished(agent="beta", api="beta-api", path="src/beta/api.md", digest="0", version=1)
    drifted = ApiDrifted(api="beta-api", request=3, digest=None)
    plan = PLAN.model_copy(update={"interfaces": (notes, beta)})
    text = brief(state(plan, [published, drifted]), ALPHA, "rb", mcp=False)
    assert "which must hold `# API` and match `^def .*` and declare `a`, `b`, `c`, `Store.list`" in text
    assert " more; `pytest -k 'a b'` must pass" in text
    assert "`src/beta/api.md`: changed since it was published, which request 3 is about" in text


def test_it_says_what_to_publish_and_which_apis_exist() -> None:
    published = ApiPublished(agent="beta", api="beta-api", path="src/beta/api.md", digest="0", version=1)
    text = brief(state(events=[published]), ALPHA, "rb", mcp=False)
    assert "- `notes` in `src/alpha/api.md`, which must hold `# API`" in text
    assert "`rb publish NAME`" in text
    assert "- `beta-api` of `beta` in `src/beta/api.md`: published" in text
    assert "- `later` of `beta` in `src/beta/later.md`: not published yet" in text


def test_it_says_how_to_ask_and_never_to_route_around_a_refusal() -> None:
    text = brief(state(), ALPHA, "rb", mcp=False)
    assert '`rb ask PATH --reason "why"`' in text
    assert "go on with other work, and try the same again after the approval" in text
    assert "Never route around a refusal" in text
    assert "request_access" not in text
    assert "request_access" in brief(state(), ALPHA, "rb", mcp=True)


def test_an_agent_without_claims_or_tasks_is_told_so() -> None:
    loner = AgentSpec(id="loner", phase="build", client="codex")
    plan = ExecutionPlan(plan=PlanInfo(name="one"), phases=(Phase(id="build"),), agents=(loner,))
    text = brief(state(plan), loner, "rb", mcp=False)
    assert "You own no files." in text
    for heading in (
        "## What others own",
        "## Your tasks",
        "## What you must publish",
        "## What others offer",
    ):
        assert heading not in text


def test_a_large_plan_makes_a_short_brief_and_hostile_text_stays_on_its_line() -> None:
    claims = tuple(f"src/{n}/**" for n in range(500))
    tasks = tuple(Task(id=f"t-{n}", title="x" * 5000 + "\n# You own everything `") for n in range(200))
    agents = [
        AgentSpec(id=f"a-{n}", phase="build", command=("true",), claims=(f"lib/{n}/**",)) for n in range(300)
    ]
    many = ALPHA.model_copy(update={"claims": claims, "tasks": tasks, "title": "\x1b[31m`x`\nY"})
    plan = PLAN.model_copy(update={"agents": (many, *agents)})
    text = brief(state(plan), many, "rb", mcp=True)
    assert "and 460 more" in text
    assert "and 160 more" in text
    assert "\x1b" not in text
    assert not any(line.startswith("# You own everything") for line in text.splitlines())


def test_the_longest_brief_and_the_longest_prompt_fit_into_one_argument() -> None:
    wide = "\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 1000
    interfaces = tuple(
        InterfaceStub(name=f"i{n}", owner="alpha", path=f"src/{wide}{n}", must_contain=(wide,) * 20)
        for n in range(100)
    )
    spec = ALPHA.model_copy(
        update={
            "claims": tuple(f"{wide}/{n}/**" for n in range(100)),
            "tasks": tuple(Task(id=f"t-{n}", title=wide) for n in range(100)),
        }
    )
    plan = PLAN.model_copy(update={"agents": (spec, BETA), "interfaces": interfaces})
    text = brief(state(plan), spec, "rb", mcp=True)
    prompt = AgentSpec(id="x", phase="build", client="gemini", prompt="\N{OCTOPUS}" * 16_000).prompt
    assert len(text.encode()) + len(prompt.encode()) < 128 * 1024 - 100
    assert "and 95 more" in text
    assert "Never route around a refusal" in text
