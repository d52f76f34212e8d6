"""What a request about a path gets while nobody answers: the most exact pattern that says it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.core.away import policy_for
from runebook_tui.core.pattern import compile_pattern
from runebook_tui.core.types import PathPolicy, Policy

POLICY = Policy(
    away="hold",
    hold_seconds=60,
    paths=(
        PathPolicy(path="*.md", away="flag"),
        PathPolicy(path="src/core/**", away="refuse", review="owner"),
        PathPolicy(path="src/core/draft/**", hold_seconds=5, away="hold"),
        PathPolicy(path="src/core/draft/*", hold_seconds=9),
    ),
)


@pytest.mark.parametrize(
    ("path", "treatment"),
    [
        ("src/ui/x.py", ("hold", 60, "operator")),
        ("README.md", ("flag", 60, "operator")),
        ("src/core/x.py", ("refuse", 60, "owner")),
        ("src/core/x.md", ("refuse", 60, "owner")),  # the longer literal beginning wins over any ending
        ("src/core/draft/x.py", ("hold", 5, "owner")),  # what it does not say, the next exact one does
        ("src/core/draft/deep/x.md", ("hold", 5, "owner")),
    ],
)
def test_the_most_exact_pattern_that_says_it_counts(path: str, treatment: tuple[str, float, str]) -> None:
    assert policy_for(POLICY, path) == treatment


def test_of_two_that_are_as_exact_the_first_written_counts() -> None:
    rules = (PathPolicy(path="src/a*", away="flag"), PathPolicy(path="src/*b", away="refuse"))
    assert compile_pattern("src/a*").rank > compile_pattern("src/*b").rank
    assert policy_for(Policy(paths=rules), "src/ab").away == "flag"
    same = (PathPolicy(path="src/?b", away="flag"), PathPolicy(path="src/*b", away="refuse"))
    assert compile_pattern("src/?b").rank == compile_pattern("src/*b").rank
    assert policy_for(Policy(paths=same), "src/ab").away == "flag"
    assert policy_for(Policy(paths=same[::-1]), "src/ab").away == "refuse"


PATTERNS = st.sampled_from(["a/**", "a/b/*", "*.x", "a/b/c.x", "**/c.x", "a/?/*", "b/"])
RULES = st.lists(
    st.builds(
        PathPolicy,
        path=PATTERNS,
        away=st.sampled_from([None, "hold", "refuse", "flag"]),
        hold_seconds=st.sampled_from([None, 1.0, 2.0]),
    ),
    max_size=6,
).map(tuple)


@given(RULES, st.sampled_from(["a/b/c.x", "a/c.x", "b/y", "c.x", "z"]))
def test_it_is_what_the_best_of_all_rules_says(rules: tuple[PathPolicy, ...], path: str) -> None:
    def best(field: str, otherwise: object) -> object:
        saying = [
            (compile_pattern(each.path).rank, -order, getattr(each, field))
            for order, each in enumerate(rules)
            if compile_pattern(each.path).matches(path) and getattr(each, field) is not None
        ]
        return max(saying, key=lambda entry: entry[:2])[2] if saying else otherwise

    found = policy_for(Policy(paths=rules), path)
    assert (found.away, found.hold_seconds) == (best("away", "hold"), best("hold_seconds", 120.0))


def test_the_gate_can_ask_it_without_the_values_of_the_plan() -> None:
    code = "import sys, runebook_tui.core.away; print('pydantic' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "False"
