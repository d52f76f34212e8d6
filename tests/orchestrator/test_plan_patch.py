"""A patched plan is the plan plus exactly that edit, and everything else is as somebody wrote it."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from runebook_tui.core.ownership import OwnershipManager
from runebook_tui.core.pattern import compile_pattern
from runebook_tui.core.planedits import (
    AddClaim,
    AddMayWrite,
    AddPathPolicy,
    EditError,
    PlanEdit,
    RemoveClaim,
    edit_words,
    edited,
    literal,
    read,
    written,
)
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.orchestrator.patch import difference, patched
from runebook_tui.orchestrator.planner import PlanError, read_plan
from runebook_tui.orchestrator.templates import TEMPLATES, render

PLAN = """\
# The plan of the checkout.
[plan]
name = "checkout"  # for now

[[phases]]
id = "build"

# Storage comes first.
[[agents]]
id = "storage"  # keep this id
phase = "build"
command = [
  "sh", # the shell
  "work.sh",
]
claims = ["src/storage/**"]  # all of it

# And who reads it.

[[agents]]
id = "analysis"
phase = "build"
command = ["sh"]
claims = [
    # the code
    "src/analysis/**",
    "docs/analysis.md" # the words
    # more to come
]

[agents.env]
A = "1"
"""


def plan_of(text: str) -> ExecutionPlan:
    plan, problems = read_plan(text.removeprefix("\ufeff"), "runebook.toml", None)
    assert plan is not None, problems
    return plan


def lines_added(before: str, after: str) -> list[str]:
    changed = difference(before, after).splitlines()[2:]
    assert not [line for line in changed if line.startswith("-")], changed
    return [line[1:] for line in changed if line.startswith("+")]


def test_a_pattern_joins_the_list_in_its_line() -> None:
    after = patched(PLAN, [AddClaim("storage", "/storage.md")])
    assert 'claims = ["src/storage/**", "/storage.md"]  # all of it\n' in after
    assert plan_of(after) == edited(plan_of(PLAN), [AddClaim("storage", "/storage.md")])


def test_a_list_of_several_lines_gets_one_more_with_the_same_indent() -> None:
    after = patched(PLAN, [AddClaim("analysis", "tools/**")])
    assert '\n    "tools/**",\n' in after
    assert "    # more to come\n" in after
    assert "# the words" in after


def test_a_list_that_would_grow_too_long_is_broken_up() -> None:
    edits = [AddClaim("storage", f"src/part-{number}/some/longer/way/**") for number in range(4)]
    after = patched(PLAN, edits)
    assert 'claims = [\n  "src/storage/**",\n  "src/part-0/some/longer/way/**",\n' in after
    assert '  "src/part-3/some/longer/way/**",\n]  # all of it\n' in after


def test_a_list_that_is_not_there_is_written_beside_its_neighbours() -> None:
    after = patched(PLAN, [AddMayWrite("storage", "docs/**"), AddMayWrite("analysis", "src/storage/*.sql")])
    assert lines_added(PLAN, after) == ['may_write = ["docs/**"]', 'may_write = ["src/storage/*.sql"]']
    assert 'claims = ["src/storage/**"]  # all of it\nmay_write = ["docs/**"]\n' in after
    assert ']\nmay_write = ["src/storage/*.sql"]\n\n[agents.env]' in after


def test_only_the_claim_that_is_written_so_is_removed() -> None:
    after = patched(PLAN, [RemoveClaim("analysis", "docs/analysis.md")])
    assert plan_of(after).agents[1].claims == ("src/analysis/**",)
    assert "# more to come" in after
    with pytest.raises(PlanError, match="analysis has no claim that is written /docs/analysis.md"):
        patched(PLAN, [RemoveClaim("analysis", "/docs/analysis.md")])


def test_a_file_changes_hands_in_one_patch() -> None:
    edits = [RemoveClaim("analysis", "docs/analysis.md"), AddClaim("storage", literal("docs/analysis.md"))]
    after = patched(PLAN, edits)
    owner = OwnershipManager(plan_of(after).ownership).owner_of("docs/analysis.md")
    assert owner is not None
    assert owner.owner == "storage"


@pytest.mark.parametrize(
    "policy",
    [
        "",
        '[policy]\naway = "flag" # later\n\n# below\n',
        '[[policy.paths]]\npath = "a"\naway = "flag" # so\n\n# below\n',
        'policy = { away = "flag" }\n',
        'policy = { paths = [{ path = "a", away = "flag" }] }\n',
        '[policy]\npaths = [\n  { path = "a", away = "flag" }, # a\n]\n',
    ],
)
def test_a_policy_for_single_paths_finds_its_place(policy: str) -> None:
    text = (
        policy + PLAN if policy.startswith("policy") else PLAN.replace("[[phases]]", policy + "[[phases]]", 1)
    )
    edit = AddPathPolicy("src/core/**", away="refuse", hold_seconds=9, review="owner")
    after = patched(text, [edit])
    assert plan_of(after) == edited(plan_of(text), [edit])
    assert comments(after) == comments(text)
    again = AddPathPolicy("src/core/**", away="hold", hold_seconds=2.5)
    twice = patched(after, [again])
    assert [each.away for each in plan_of(twice).policy.paths if each.path == "src/core/**"] == ["hold"]


def test_a_policy_that_is_there_takes_up_what_it_did_not_say() -> None:
    text = PLAN + '\n[[policy.paths]]\npath = "a/**"\n# why\naway = "flag"\n'
    after = patched(text, [AddPathPolicy("a/**", review="owner")])
    assert lines_added(text, after) == ['review = "owner"']


@pytest.mark.parametrize(
    ("text", "edit", "says"),
    [
        (PLAN, AddClaim("nobody-here", "a/**"), "the plan has no agent called nobody-here"),
        (PLAN, AddClaim("analysis", "src/storage/**"), "are equally specific: two owners of one path"),
        (PLAN, AddClaim("analysis", "a/../../b"), "leaves the repository"),
        (PLAN, AddPathPolicy("a"), "a policy that says nothing"),
        (PLAN, AddClaim("analysis", "a\udcff/**"), "is not"),
        ("[plan", AddClaim("analysis", "a"), "is not TOML"),
        ("[plan]\nname = 'x'\nfoo = 1\n", AddClaim("analysis", "a"), "foo"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(text: str, edit: PlanEdit, says: str) -> None:
    with pytest.raises(PlanError, match=says):
        patched(text, [edit])


def test_control_characters_are_written_as_escapes() -> None:
    edits = [AddClaim("analysis", "a\x1b[31m\x7f/**"), AddPathPolicy("b\x7f\r/**", away="flag")]
    after = patched(PLAN, edits)
    assert plan_of(after) == edited(plan_of(PLAN), edits)
    assert after.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_templates_can_be_patched(name: str) -> None:
    text = render(name, "shop", ["src", "docs"])
    agent = plan_of(text).agents[0].id
    for edit in (
        AddClaim(agent, "/x y/**"),
        AddMayWrite(agent, "/x/*.y"),
        AddPathPolicy("/x", review="owner"),
    ):
        after = patched(text, [edit])
        assert plan_of(after) == edited(plan_of(text), [edit])
        assert comments(after) == comments(text)


# ── any plan ────────────────────────────────────────────────────────────────────────────────────


def comments(text: str) -> list[str]:
    """The lines that hold nothing but a comment."""
    return [line for line in text.split("\n") if line.lstrip().startswith("#")]


NAMES = st.text("abc[]*? !\\é#'\"~", min_size=1, max_size=6).filter(lambda name: name.strip("."))
FILES = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PLAIN = st.sampled_from(["src/**", "*.md", "docs/*.txt", "/Makefile", "a b/**", "x'y", 'q"q', "é/**"])
COMMENT = st.sampled_from(["", " # why", "  # [agents] 'x", '# "quote'])
LINE = st.sampled_from(["", "# a comment", "  # [[agents]]", "\t"])


@st.composite
def lists(draw: st.DrawFn, patterns: list[str]) -> str:
    """A TOML list of these patterns, in one of the ways in which people write one."""
    items = [f"'{each}'" if "'" not in each and draw(st.booleans()) else quoted(each) for each in patterns]
    if draw(st.booleans()):
        pad = draw(st.sampled_from(["", " "]))
        return f"[{pad}{', '.join(items)}{pad}]"
    indent = draw(st.sampled_from(["", "  ", "\t"]))
    body = "".join(
        f"{draw(LINE)}\n{indent}{item}{draw(st.sampled_from([',', ' ,']))}{draw(COMMENT)}\n" for item in items
    )
    if items and draw(st.booleans()):
        body += f"{indent}# the end\n"
    return f"[\n{body}{draw(st.sampled_from(['', '  ']))}]"


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@st.composite
def plans(draw: st.DrawFn) -> str:
    text = f"{draw(LINE)}\n[plan]{draw(COMMENT)}\nname = 'x'\n[[phases]]\nid = 'p'\n{draw(LINE)}\n"
    for number, agent in enumerate(("one", "two")):
        claims = draw(st.lists(PLAIN, max_size=3, unique=True)) if number == 0 else ["only-two/**"]
        fields = [f"id = '{agent}'", "phase = 'p'", "command = ['a',\n 'b']"]
        if number or draw(st.booleans()):
            fields.append(f"claims = {draw(lists(claims))}{draw(COMMENT)}")
        fields = draw(st.permutations(fields))
        pad = draw(st.sampled_from(["", "  "]))
        text += f"{pad}[[agents]]{draw(COMMENT)}\n"
        text += "".join(f"{draw(LINE)}\n{pad}{field}\n" for field in fields)
        if draw(st.booleans()):
            text += f"{draw(LINE)}\n[agents.needs]{draw(COMMENT)}\ntasks = []\n"
    if draw(st.booleans()):
        text += f"{draw(LINE)}\n[policy]{draw(COMMENT)}\naway = 'flag'\n"
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return draw(st.sampled_from(["", "\ufeff"])) + text


EDITS = st.one_of(
    st.builds(AddClaim, st.just("one"), FILES.map(literal)),
    st.builds(AddMayWrite, st.sampled_from(["one", "two"]), st.one_of(PLAIN, FILES.map(literal))),
    st.builds(RemoveClaim, st.just("one"), PLAIN),
    st.just(RemoveClaim("two", "only-two/**")),
    st.builds(
        AddPathPolicy, FILES.map(literal), st.just("refuse"), st.none(), st.sampled_from([None, "owner"])
    ),
)


@settings(max_examples=300, deadline=None)
@given(plans(), EDITS)
@example(PLAN.replace("\n", "\r\n").removesuffix("\r\n"), AddPathPolicy("/x", "flag"))
def test_the_patched_text_is_the_plan_plus_the_edit_and_nothing_else(text: str, edit: PlanEdit) -> None:
    plan, _ = read_plan(text.removeprefix("\ufeff"), "runebook.toml", None)
    assume(plan is not None)
    assert plan is not None
    try:
        wanted = edited(plan, [edit])
    except EditError:
        with pytest.raises(PlanError):
            patched(text, [edit])
        return
    after = patched(text, [edit])
    assert plan_of(after) == wanted
    assert comments(after) == comments(text)
    assert after.endswith("\n") == text.endswith("\n")
    assert after.startswith("\ufeff") == text.startswith("\ufeff")
    assert after.count("\n") == after.count("\r\n") or "\r" not in after
    assert ("\r" in after) == ("\r" in text)
    if wanted == plan:
        assert after == text


@settings(max_examples=400, deadline=None)
@given(FILES, FILES)
@example("a ", "a")
@example("a\u3000", "a")
@example("*", "a")
def test_a_literal_claim_matches_that_path_alone(path: str, other: str) -> None:
    claim = compile_pattern(literal(path))
    assert claim.matches(path)
    assert claim.matches(other) == (other == path or other.startswith(f"{path}/"))


@pytest.mark.parametrize("path", ["a\nb", "a\udc80b"])
def test_a_name_that_no_plan_can_hold_is_refused(path: str) -> None:
    with pytest.raises(EditError, match="no plan can name"):
        literal(path)


@settings(deadline=None)
@given(EDITS)
def test_an_edit_survives_the_socket_and_has_words(edit: PlanEdit) -> None:
    assert read(written([edit])) == (edit,)
    assert edit_words(edit).isprintable()


@pytest.mark.parametrize(
    "value", [None, [], [{"kind": "x"}], [{"kind": "add-claim", "agent": "a"}], ["\x1b"]]
)
def test_what_is_no_edit_is_refused_in_one_line(value: object) -> None:
    with pytest.raises(EditError) as caught:
        read(value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()
