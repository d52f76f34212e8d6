"""Who owns a path: the most specific claim, then the first written; and which claims are tied."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from itertools import product

import pathspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runebook_tui.core.ownership import FileOwnership, OwnershipManager, Verdict, ties

SEGMENTS = st.sampled_from(["a", "b", "ab", "a*", "*b", "*", "**", "?", "a?", "*a*"])
NAMES = ["a", "b", "ab", "ba", "aab"]
PATHS = ["/".join(names) for depth in (1, 2, 3) for names in product(NAMES, repeat=depth)]


@st.composite
def patterns(draw: st.DrawFn) -> str:
    body = "/".join(draw(st.lists(SEGMENTS, min_size=1, max_size=3)))
    pattern = draw(st.sampled_from(["", "/"])) + body + draw(st.sampled_from(["", "", "/"]))
    assume(pattern.strip("/*") or pattern in ("*", "**", "/*", "/**"))
    return pattern


CLAIMS = st.lists(
    st.builds(FileOwnership, pattern=patterns(), owner=st.sampled_from("xyz")),
    min_size=1,
    max_size=6,
)


def rank(pattern: str) -> tuple[int, int]:
    """The longest literal prefix (nothing for what matches at any depth), then all literal characters."""
    anchored = "/" in pattern.rstrip("/")
    literal = pattern.strip("/")
    for n, character in enumerate(literal):
        if character in "*?":
            literal = literal[:n]
            break
    return (len(literal.rstrip("/")) if anchored else 0, sum(c.isalpha() for c in pattern))


def winner(claims: list[FileOwnership], path: str) -> FileOwnership | None:
    """Every claim asked, the best kept."""
    best: FileOwnership | None = None
    for claim in claims:
        covers = pathspec.PathSpec.from_lines("gitignore", [claim.pattern]).match_file(path)
        if covers and (best is None or rank(claim.pattern) > rank(best.pattern)):
            best = claim
    return best


@settings(max_examples=150, deadline=None)
@given(CLAIMS, st.lists(st.sampled_from(PATHS), min_size=3, max_size=6))
def test_the_most_specific_claim_wins_then_the_first_written(
    claims: list[FileOwnership], paths: list[str]
) -> None:
    owners = OwnershipManager(claims)
    for path in paths:
        assert owners.owner_of(path) is winner(claims, path), path
        assert owners.owner_of(path) is owners.owner_of(path), "also from the cache"


def means(pattern: str, path: str) -> bool:
    """Whether the path is one that the pattern's author meant.

    All that gitignore matches, but for what lies below a name that a last segment with a wildcard
    happens to match: `*.md` means no folder `x.md`.
    """
    segments = pattern.removeprefix("/").split("/")
    if "/" not in pattern.rstrip("/"):
        segments.insert(0, "**")
    if segments[-1] == "":
        segments[-1:] = ["*", "**"] if set(segments[:-1]) == {"**"} else ["**"]
    names = path.split("/")

    def walk(i: int, j: int) -> bool:
        if i == len(segments):
            return j == len(names) or not set(segments[-1]) & set("*?")
        if segments[i] == "**":
            if i == len(segments) - 1:
                return j < len(names)
            return any(walk(i + 1, k) for k in range(j, len(names) + 1))
        return j < len(names) and fnmatchcase(names[j], segments[i]) and walk(i + 1, j + 1)

    return walk(0, 0)


@settings(max_examples=200, deadline=None)
@given(patterns(), patterns())
def test_two_owners_are_tied_exactly_where_they_meet_on_equal_terms(first: str, second: str) -> None:
    claims = [FileOwnership(pattern=first, owner="x"), FileOwnership(pattern=second, owner="y")]
    found = ties(claims)
    for tie in found:
        assert (tie.first, tie.second) == tuple(claims)
        assert rank(first) == rank(second)
        for pattern in (first, second):
            assert pathspec.PathSpec.from_lines("gitignore", [pattern]).match_file(tie.example), tie
    if rank(first) == rank(second):
        common = [path for path in PATHS if means(first, path) and means(second, path)]
        assert found or not common, common[:3]


@pytest.mark.parametrize(
    ("first", "second", "example"),
    [
        ("src/**", "/src/", "src/x"),
        ("*.md", "R*m", None),
        ("ab*", "*ba", "aba"),
        ("src/[a-m]*.py", "src/[k-z]*.py", "src/k.py"),
        ("src/[!a-y]x", "src/[a-y]x", None),
        ("src/[(-)]x", "src/[!)]x", "src/(x"),
        (r"app/\[slug\]/**", "app/[slug]/**", None),
        (r"a/\*b", "a/?b", None),
        ("a/**/b", "a/*/b", "a/b/b"),
        ("a/**/z/q", "a/**/q/z", "a/z/q/z"),
    ],
)
def test_a_tie_comes_with_a_path_that_both_claim(first: str, second: str, example: str | None) -> None:
    found = ties([FileOwnership(pattern=first, owner="x"), FileOwnership(pattern=second, owner="y")])
    assert [tie.example for tie in found] == ([] if example is None else [example])


def test_one_owner_is_never_tied_with_itself() -> None:
    assert ties([FileOwnership(pattern="*.py", owner="x"), FileOwnership(pattern="*.py", owner="x")]) == []


def test_below_a_last_wildcard_nobody_is_tied_and_the_first_written_wins() -> None:
    docs, code = FileOwnership(pattern="*.md", owner="x"), FileOwnership(pattern="*.py", owner="y")
    assert ties([docs, code]) == []
    assert OwnershipManager([docs, code]).owner_of("x.md/y.py") is docs
    assert OwnershipManager([code, docs]).owner_of("x.md/y.py") is code


def test_claims_of_equal_rank_at_different_depths_are_decided_by_the_first_written() -> None:
    beside, below = FileOwnership(pattern="src/a*", owner="x"), FileOwnership(pattern="src/a/*", owner="y")
    assert OwnershipManager([beside, below]).owner_of("src/a/z") is beside
    assert OwnershipManager([below, beside]).owner_of("src/a/z") is below


def test_very_long_claims_are_compared_without_running_out_of_stack() -> None:
    pairs = [("a" * 1000 + "*", "a" * 900 + "*"), ("a/" * 500 + "*", "a/" * 500 + "**"), ("?" * 1000,) * 2]
    for first, second in pairs:
        ties([FileOwnership(pattern=first, owner="x"), FileOwnership(pattern=second, owner="y")])


def test_a_claim_with_brackets_in_its_name_beats_the_folder_around_it() -> None:
    folder = FileOwnership(pattern="app/**", owner="x")
    page = FileOwnership(pattern=r"app/\[slug\]/**", owner="y")
    assert ties([folder, page]) == []
    assert OwnershipManager([folder, page]).owner_of("app/[slug]/page.tsx") is page
    assert OwnershipManager([folder, page]).owner_of("app/s/page.tsx") is folder


HOSTILE = ["line\nbreak", os.fsdecode(b"\xff"), "\ud800", "a" * 4000, "[x]", " ", "\r"]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:12])
def test_a_hostile_name_has_the_owner_of_its_folder(name: str) -> None:
    owners = OwnershipManager(
        [FileOwnership(pattern="src/**", owner="alpha"), FileOwnership(pattern="*.md", owner="beta")]
    )
    assert owners.may_modify("alpha", f"src/{name}") is Verdict.OWNED
    assert owners.may_modify("beta", f"src/{name}/x") is Verdict.FOREIGN
    assert owners.may_modify("alpha", f"{name}/x") is Verdict.UNOWNED
    assert owners.may_modify("alpha", f"{name}.md") is Verdict.FOREIGN
    assert owners.files_of("alpha", [f"src/{name}", name]) == (f"src/{name}",)


@pytest.mark.parametrize(
    "path",
    [
        "runebook.toml",
        ".git/config",
        ".git/hooks",
        ".git/hooks/pre-commit",
        ".runebook",
        ".runebook/log.sqlite",
    ],
)
def test_the_operators_paths_are_nobody_elses_whatever_is_claimed_or_granted(path: str) -> None:
    owners = OwnershipManager([FileOwnership(pattern="**", owner="alpha")])
    assert owners.may_modify("alpha", path) is Verdict.OPERATOR
    assert owners.may_modify("alpha", path, granted=True) is Verdict.OPERATOR
    assert owners.may_modify("alpha", path, ignored=True) is Verdict.OPERATOR
    assert Verdict.OPERATOR.crosses


def test_an_agents_own_folder_below_runebooks_is_its_own_and_no_other_agents() -> None:
    owners = OwnershipManager([])
    assert not owners.may_modify("alpha", ".runebook/agents/alpha/home").crosses
    assert owners.may_modify("alpha", ".runebook/agents/alphabet/home") is Verdict.OPERATOR
    assert owners.may_modify("alpha", ".runebook/agents/beta/home") is Verdict.OPERATOR


def test_every_answer_of_the_rule() -> None:
    owners = OwnershipManager(
        [
            FileOwnership(pattern="a/**", owner="alpha"),
            FileOwnership(pattern="core/**", owner="alpha", shared=True),
        ]
    )
    assert owners.may_modify("alpha", "a/x") is Verdict.OWNED
    assert owners.may_modify("alpha", "core/x") is Verdict.OWNED
    assert owners.may_modify("beta", "a/x") is Verdict.FOREIGN
    assert owners.may_modify("beta", "core/x") is Verdict.SHARED
    assert owners.may_modify("beta", "core/x", granted=True) is Verdict.GRANTED
    assert owners.may_modify("beta", "a/x", ignored=True) is Verdict.IGNORED
    assert owners.may_modify("beta", "a/__pycache__/x") is Verdict.IGNORED
    assert owners.may_modify("beta", "a/x.pyc") is Verdict.IGNORED
    assert owners.may_modify("beta", "b/x") is Verdict.UNOWNED
    assert owners.may_modify("beta", "b/x", unowned_asks=True) is Verdict.FOREIGN
    crossing = {verdict for verdict in Verdict if verdict.crosses}
    assert crossing == {Verdict.SHARED, Verdict.FOREIGN, Verdict.OPERATOR}
