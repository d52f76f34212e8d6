"""What `check` notes of a plan: by brute force where there is one, else by example."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runebook_tui.core.ownership import OwnershipManager, operators_own
from runebook_tui.core.pattern import compile_pattern
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.orchestrator.coverage import coverage
from runebook_tui.orchestrator.longest import critical_path
from runebook_tui.orchestrator.planner import read_plan
from runebook_tui.orchestrator.together import together
from runebook_tui.orchestrator.waits import Moment, never_started


def plan(**claims: list[str]) -> ExecutionPlan:
    return ExecutionPlan.model_validate(
        {
            "plan": {"name": "notes"},
            "phases": [{"id": "build"}],
            "agents": [
                {"id": name, "phase": "build", "command": ["true"], "claims": patterns}
                for name, patterns in claims.items()
            ],
        }
    )


def test_an_overlap_says_who_wins_and_shows_a_file() -> None:
    found = coverage(
        plan(every=["src/**"], docs=["*.md"], api=["src/api/**"], idle=["nothing/**"]),
        ["src/a.py", "src/api/x.py", "src/api/y.py", "src/README.md", "LICENSE", "tools/a", "tools/b"],
    )
    seen = [(each.wins.owner, each.loses.owner, each.example, each.files) for each in found.overlaps]
    assert seen[:2] == [("api", "every", "src/api/x.py", 2), ("every", "docs", "src/README.md", 1)]
    assert ("api", "docs", 0) in [(wins, loses, files) for wins, loses, _, files in seen]
    assert [(each.folder, each.files, each.examples) for each in found.unowned] == [
        ("tools", 2, ("tools/a", "tools/b")),
        ("", 1, ("LICENSE",)),
    ]
    assert [each.pattern for each in found.idle] == ["nothing/**"]


CLAIM = st.sampled_from(
    ["**", "a/**", "a/b/**", "*.md", "a/*.md", "/x", "x", "a/b/c", "b/**/c", "docs", "/*", "a/?/c"]
)
PATH = st.lists(st.sampled_from(["a", "b", "c", "x", "x.md", "docs"]), min_size=1, max_size=4).map("/".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(CLAIM, max_size=3), st.lists(CLAIM, max_size=3), st.sets(PATH, max_size=12))
def test_the_coverage_is_that_of_brute_force(one: list[str], two: list[str], files: set[str]) -> None:
    here = plan(one=one, two=two)
    found = coverage(here, sorted(files), examples=99)
    owners = OwnershipManager(here.ownership)
    nobodys = {path for path in files if owners.owner_of(path) is None and not operators_own(path, None)}
    assert {path for each in found.unowned for path in each.examples} == nobodys
    assert sum(each.files for each in found.unowned) == len(nobodys)
    idle = {
        (claim.owner, claim.pattern)
        for claim in here.ownership
        if not any(compile_pattern(claim.pattern).matches(path) for path in files)
    }
    assert {(each.owner, each.pattern) for each in found.idle} == idle
    for each in found.overlaps:
        both = compile_pattern(each.wins.pattern), compile_pattern(each.loses.pattern)
        assert all(pattern.matches(each.example) for pattern in both)
        assert each.wins.owner != each.loses.owner
        if each.files:
            decides = owners.owner_of(each.example)
            assert decides is not None
            assert decides.owner == each.wins.owner
    contested = {
        path
        for path in files
        if len({claim.owner for claim in here.ownership if compile_pattern(claim.pattern).matches(path)}) > 1
    }
    assert bool(contested) == any(each.files for each in found.overlaps)


def test_files_that_change_together_but_have_different_owners() -> None:
    here = plan(storage=["storage/**"], analysis=["analysis/**"], docs=["*.md"])
    files = ["storage/api", "storage/b", "analysis/q", "x.md"]
    commits = [
        *[("storage/api", "analysis/q")] * 4,
        ("storage/api",),
        ("storage/b", "x.md"),
        ("storage/api", "analysis/q", *(f"more/{n}" for n in range(40))),
        ("storage/gone", "analysis/q"),
    ]
    (found,) = together(here, commits, files)
    assert found.owners == ("analysis", "storage")
    assert (found.commits, found.confidence) == (4, pytest.approx(4 / 5))
    (pair,) = found.files
    assert (set(pair.paths), pair.commits) == ({"storage/api", "analysis/q"}, 4)
    assert pair.confidence == pytest.approx(4 / 5)


CHAIN = """
[plan]
name = "chain"
[[phases]]
id = "one"
[[phases]]
id = "two"
after = ["one"]
[[phases]]
id = "always"
continuous = true
[[agents]]
id = "a"
phase = "one"
command = ["true"]
claims = ["a/**"]
tasks = [{ id = "a-1" }]
[[agents]]
id = "b"
phase = "one"
command = ["true"]
needs = { apis = ["api"] }
[[agents]]
id = "c"
phase = "two"
command = ["true"]
[[agents]]
id = "watcher"
phase = "always"
command = ["true"]
needs = { phases = ["two"] }
[[interfaces]]
name = "api"
owner = "a"
path = "a/api"
"""


def chain() -> ExecutionPlan:
    found, problems = read_plan(CHAIN, "runebook.toml", None)
    assert found is not None, problems
    return found


def test_the_longest_chain_in_steps_and_by_earlier_times() -> None:
    steps = critical_path(chain())
    assert steps is not None
    assert (steps.length, steps.unit) == (3, "steps")
    assert steps.chain == (Moment("API", "api"), Moment("agent ends", "b"), Moment("agent ends", "c"))
    seconds = {Moment("agent ends", "a"): 100.0, Moment("API", "api"): 5.0, Moment("agent ends", "b"): 10.0}
    timed = critical_path(chain(), seconds)
    assert timed is not None
    # c has never run: it counts as the median of the others.
    assert (timed.length, timed.unit) == (110.0, "seconds")
    assert timed.chain == (Moment("agent ends", "a"), Moment("agent ends", "c"))


def test_who_waits_for_one_that_never_starts_never_starts() -> None:
    assert never_started(chain(), ["a"]) == {"b": "a", "c": "a", "watcher": "a"}
    assert never_started(chain(), ["c"]) == {"watcher": "c"}
    assert never_started(chain(), []) == {}


def test_a_plan_without_agents_has_no_chain() -> None:
    assert critical_path(plan()) is None
