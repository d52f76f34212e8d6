"""A plan made from CODEOWNERS gives every tracked file the owner that CODEOWNERS gives it."""

from __future__ import annotations

import pathspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runebook_tui.core.ownership import OwnershipManager
from runebook_tui.orchestrator.codeowners import draft_from_codeowners, plan_from_codeowners
from runebook_tui.orchestrator.ownersfile import read_codeowners
from runebook_tui.orchestrator.planner import read_plan

LOADED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For machines with other work to do."""


def owners_by_plan(text: str, tracked: list[str]) -> dict[str, str | None]:
    plan, problems = read_plan(plan_from_codeowners(text, tracked, "x"), "x", None)
    assert plan is not None, "\n".join(map(str, problems))
    titles = {agent.id: agent.title for agent in plan.agents}
    manager = OwnershipManager(plan.ownership)
    claims = {path: manager.owner_of(path) for path in tracked}
    return {path: titles[claim.owner] if claim else None for path, claim in claims.items()}


def owners_by_last_match(rules: list[tuple[str, str | None]], tracked: list[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = dict.fromkeys(tracked)
    for pattern, owner in rules:
        spec = pathspec.PathSpec.from_lines("gitignore", [pattern])
        for path in tracked:
            if matches(spec, pattern, path):
                found[path] = owner
    return found


def matches(spec: pathspec.PathSpec[pathspec.Pattern], pattern: str, path: str) -> bool:
    if not spec.match_file(path):
        return False
    if pattern.endswith("/*"):
        # CODEOWNERS' own rule: `dir/*` covers the files in `dir`, not what lies deeper.
        return path.count("/") == pattern.strip("/").count("/")
    return True


def doubtful(pattern: str) -> bool:
    """Whether two readings of a pattern are possible, or `matches` cannot tell."""
    return "**/*" in pattern or ("**" in pattern and pattern.endswith("/*"))


NAMES = st.sampled_from(["a", "b", "ab", "a.js", "b.js", "docs", "x y", "[s]", "a(b"])
FILES = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PARTS = st.sampled_from(["a", "b", "*", "a*", "*.js", "?", "docs", "**", "a?.js", "*b"])
PATTERNS = st.builds(
    lambda before, parts, after: before + "/".join(parts) + after,
    st.sampled_from(["", "/"]),
    st.lists(PARTS, min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
).filter(lambda text: text == "*" or bool(text.strip("/*")) and not doubtful(text))
OWNERS = st.sampled_from(["@one", "@org/two", "three@example.org", "@other/two", None])


def files_only(paths: list[str]) -> list[str]:
    """Without paths that would be a file and a folder at once."""
    return [path for path in paths if not any(other.startswith(path + "/") for other in paths)]


@LOADED
@given(
    st.lists(st.tuples(PATTERNS, OWNERS), max_size=7),
    st.lists(FILES, max_size=14, unique=True).map(files_only),
)
def test_every_file_keeps_its_owner(rules: list[tuple[str, str | None]], tracked: list[str]) -> None:
    text = "\n".join(f"{pattern} {owner or ''}" for pattern, owner in rules)
    assert owners_by_plan(text, tracked) == owners_by_last_match(rules, tracked)
    assert not [note for note in draft_from_codeowners(text, tracked, "x").left_out if "keep" in note]


@LOADED
@given(PATTERNS, FILES)
def test_a_pattern_is_read_as_pathspec_reads_it(pattern: str, path: str) -> None:
    spec = pathspec.PathSpec.from_lines("gitignore", [pattern])
    rule = read_codeowners(f"{pattern} @x").rule_of(path)
    assert (rule is not None) == matches(spec, pattern, path)


def test_the_examples_of_the_documentation() -> None:
    text = """\
# This is a comment.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
"""
    assert owners_by_plan(
        text,
        [
            "README",
            "x/y.js",
            "a.go",
            "build/logs/x",
            "docs/a",
            "docs/b/c",
            "x/apps/y",
            "scripts/run",
            "deep/logs/z",
            "apps/a",
            "apps/github/b",
            "more/docs/one",
            "more/docs/two/three",
        ],
    ) == {
        "README": "@global-owner1",
        "x/y.js": "@js-owner",
        "a.go": "docs@example.com",
        "build/logs/x": "@octocat",
        "docs/a": "@doctocat",
        "docs/b/c": "@doctocat",
        "x/apps/y": "@octocat",
        "scripts/run": "@doctocat",
        "deep/logs/z": "@octocat",
        "apps/a": "@octocat",
        "apps/github/b": None,
        "more/docs/one": "@global-owner1",
        "more/docs/two/three": "@global-owner1",
    }


def test_owners_become_agents_and_the_others_are_said() -> None:
    text = "/a/ @org/Team-X @second\n/b/ @other/team-x\n/c/ jo.doe@example.org\n/d/ @all\n"
    draft = draft_from_codeowners(text, ["a/f", "b/f", "c/f", "d/f"], "x")
    plan, _ = read_plan(draft.text, "x", None)
    assert plan is not None
    assert [agent.id for agent in plan.agents] == ["team-x", "other-team-x", "jo-doe", "all-2"]
    assert "also @second" in draft.text


def test_lines_that_codeowners_does_not_have_are_left_out_by_number() -> None:
    draft = draft_from_codeowners("!a @x\n[ab].c @x\n[Section]\n../b @x\n/c nobody\n", ["c"], "x")
    assert [note.partition(":")[0] for note in draft.left_out] == [f"line {n}" for n in range(1, 6)]


def test_a_name_that_cannot_stand_in_a_plan_is_said() -> None:
    draft = draft_from_codeowners("/a/ @x\n/a/n* @y\n/a/*.c\n", ["a/b", "a/x\ny", "a/z.c", "a/n"], "x")
    assert '"a/x\\ny" does not keep its owner' in draft.left_out
    plan, problems = read_plan(draft.text, "x", None)
    assert plan is not None, problems


def test_hostile_owners_and_patterns_still_make_a_plan() -> None:
    text = "\x1b[31m @\u202eevil\n" + "a" * 5000 + " @x\n\udcff @y\n* @" + "o" * 500 + "\n"
    plan, problems = read_plan(plan_from_codeowners(text, ["a", "\udcff"], "\udcff"), "x", None)
    assert plan is not None, problems
