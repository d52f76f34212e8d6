"""Every key and list item of a TOML text is found at the line where it stands."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runebook_tui.orchestrator.planner import EXAMPLE, PlanError, read_plan
from runebook_tui.orchestrator.positions import Path, positions

LOADED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For machines with other work to do."""

TEXT = '''\
# [[agents]] in a comment
title = """
[[agents]]
id = "x" \\""" # """
literal = \'\'\'
[plan]\'\'\'
[plan]
name.first = "a # b"   # a comment
"name".'second' = [ # [
  1979-05-27T07:32:00Z, [ "]", ']' ],

  # "no item",
  { a = 1, b.c = [2,
    3] }, ]
[[agents]]
[[agents.tasks]]
id = 1
[[agents.tasks]]
id = 2
[agents.env]
A = "b"
[[agents]]
tasks = [{ id = 3 }, { id = 4 }]
'''


def test_headers_keys_and_items_are_found() -> None:
    found = positions(TEXT)
    expected: dict[Path, int] = {
        ("title",): 2,
        ("literal",): 5,
        ("plan",): 7,
        ("plan", "name", "first"): 8,
        ("plan", "name", "second"): 9,
        ("plan", "name", "second", 0): 10,
        ("plan", "name", "second", 1, 1): 10,
        ("plan", "name", "second", 2): 13,
        ("plan", "name", "second", 2, "b", "c", 1): 14,
        ("agents", 0): 15,
        ("agents", 0, "tasks", 0, "id"): 17,
        ("agents", 0, "tasks", 1): 18,
        ("agents", 0, "env", "A"): 21,
        ("agents", 1): 22,
        ("agents", 1, "tasks", 1, "id"): 23,
    }
    assert {path: found.get(path) for path in expected} == expected


def paths(value: object, here: Path = ()) -> set[Path]:
    if isinstance(value, dict):
        return {here}.union(*(paths(each, (*here, key)) for key, each in value.items()))
    if isinstance(value, list):
        return {here}.union(*(paths(each, (*here, n)) for n, each in enumerate(value)))
    return {here}


@pytest.mark.parametrize("text", [TEXT, EXAMPLE, TEXT.replace("\n", "\r\n")])
def test_the_paths_are_those_of_the_document(text: str) -> None:
    assert set(positions(text)) == paths(tomllib.loads(text)) - {()}


PIECES = st.sampled_from(
    [
        "a",
        "b",
        ".",
        "=",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        ",",
        '"',
        "'",
        '"""',
        "'''",
        "\\",
        "#",
        "\n",
        " ",
        "1",
        '"s"',
    ]
)


@LOADED
@given(st.lists(PIECES, max_size=30).map("".join))
def test_whatever_toml_is_accepted_is_located(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except ValueError:
        return
    assert set(positions(text)) == paths(data) - {()}


KEYS = st.sampled_from(["a", '"b c"', "'d'", "a.b", 'x."y\\n"'])
VALUES = st.recursive(
    st.sampled_from(['"x # ]"', "'\\'", '"""a\n"b\\""""', "'''\n'''", "1.5", "true", "07:32:00", '""']),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: "[\n" + ", # ,\n".join(each) + "]"),
        st.dictionaries(KEYS, inner, max_size=2).map(
            lambda each: "{" + ", ".join(f"{k} = {v}" for k, v in each.items()) + "}"
        ),
    ),
    max_leaves=6,
)
LINES = st.one_of(
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]} # ="),
    st.sampled_from(["[t]", "[[l]]", "[l.t]", "[[l.l]]", "[t.'a.b']", "", "# ["]),
)


@LOADED
@given(st.lists(LINES, max_size=8).map("\n".join))
def test_generated_documents_are_located(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except ValueError:
        return
    assert set(positions(text)) == paths(data) - {()}


@LOADED
@given(st.data())
def test_a_broken_plan_is_a_problem_never_a_crash(data: st.DataObject) -> None:
    text = EXAMPLE
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        piece = data.draw(st.one_of(st.text(max_size=8), PIECES, st.just(text[start:end] * 2)))
        text = text[:start] + piece + text[end:]
    plan, problems = read_plan(text, "f", None, builtins={"a"})
    assert (plan is None) == any(problem.severity == "error" for problem in problems)
    assert str(PlanError(problems)).isprintable() or len(problems) > 1


TOML = st.recursive(
    st.one_of(
        st.sampled_from(["storage", "build", "src/**", "../x", "", "~", "[", "a" * 70]),
        st.integers(),
        st.booleans(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=4,
)


@LOADED
@given(st.data())
def test_any_value_anywhere_is_a_problem_never_a_crash(data: st.DataObject) -> None:
    document = tomllib.loads(EXAMPLE)
    spots = sorted(paths(document) - {()}, key=str)
    for path in data.draw(st.lists(st.sampled_from(spots), max_size=4)):
        here: object = document
        for part in path[:-1]:
            if isinstance(here, dict):
                here = here.get(part)
            elif isinstance(here, list) and isinstance(part, int) and part < len(here):
                here = here[part]
        last, put = path[-1], data.draw(TOML)
        if isinstance(here, dict) and isinstance(last, str):
            here[last] = put
        elif isinstance(here, list) and isinstance(last, int):
            here[last : last + 1] = [put]
    plan, problems = read_plan(to_toml(document), "f", None)
    assert (plan is None) == any(problem.severity == "error" for problem in problems)


def to_toml(document: dict[str, object]) -> str:
    return "\n".join(f"{key} = {value(each)}" for key, each in document.items())


def value(each: object) -> str:
    if isinstance(each, dict):
        return "{" + ", ".join(f"{key} = {value(v)}" for key, v in each.items()) + "}"
    if isinstance(each, list):
        return "[" + ", ".join(map(value, each)) + "]"
    if isinstance(each, bool):
        return str(each).lower()
    return f"'{each}'" if isinstance(each, str) else str(each)
