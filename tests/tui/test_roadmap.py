"""The phases as a graph: columns, lines, and what is on the critical path."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tui_scenes import PLAN

from runebook_tui.core.types import ExecutionPlan
from runebook_tui.tui.roadmap import critical, drawn, edges, layers

DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}


def test_each_phase_is_right_of_all_that_it_waits_for() -> None:
    assert layers(DIAMOND) == (("a",), ("b", "c"), ("d",))
    assert layers({"a": (), "b": ("a",), "c": ("b", "a")}) == (("a",), ("b",), ("c",))
    assert layers({}) == ()


def test_phases_in_a_circle_stand_last() -> None:
    assert layers({"a": (), "b": ("c",), "c": ("b",)}) == (("a",), ("b", "c"))
    assert layers({"b": ("c",), "c": ("b",)}) == (("b", "c"),)
    drawn({"b": ("c",), "c": ("b",)}, 4, {"b": 1, "c": 1})


def test_a_plan_waits_by_after_and_by_what_its_needs_come_from() -> None:
    assert edges(PLAN)["wire"] == ("build",)
    plan = ExecutionPlan.model_validate(
        {
            "plan": {"name": "x"},
            "phases": [{"id": "one"}, {"id": "two", "needs": {"tasks": ["t"]}}],
            "agents": [{"id": "a", "phase": "one", "command": ["x"], "tasks": [{"id": "t"}]}],
        }
    )
    assert edges(plan) == {"one": (), "two": ("one",)}


def test_lines_lead_from_each_phase_to_those_that_wait_for_it() -> None:
    drawing = drawn(DIAMOND, 2, dict.fromkeys(DIAMOND, 1))
    assert [(box.phase, box.x, box.y, box.width, box.height) for box in drawing.boxes] == [
        ("a", 0, 0, 4, 3),
        ("b", 9, 0, 4, 3),
        ("c", 9, 3, 4, 3),
        ("d", 19, 0, 4, 3),
    ]
    assert [line.rstrip() for line in drawing.lines] == [
        "",
        "    ──┬──    ───┬──",
        "      │         │",
        "      │         │",
        "      └──    ───┘",
        "",
    ]


def test_a_line_to_a_phase_further_away_passes_between_the_boxes() -> None:
    drawing = drawn({"a": (), "b": ("a",), "c": ("a", "b")}, 2, {"a": 1, "b": 1, "c": 1})
    assert "─" * 4 in drawing.lines[3], "below the box of b"


@given(st.lists(st.sets(st.integers(0, 7)), min_size=1, max_size=8))
def test_whatever_waits_for_whatever_every_phase_has_a_box_of_its_own(before: list[set[int]]) -> None:
    waits = {
        str(n): tuple(str(each) for each in sorted(found) if each < len(before) and each != n)
        for n, found in enumerate(before)
    }
    columns = layers(waits)
    assert sorted(name for column in columns for name in column) == sorted(waits)
    drawing = drawn(waits, 3, dict.fromkeys(waits, 1))
    cells = [
        (box.x + x, box.y + y) for box in drawing.boxes for x in range(box.width) for y in range(box.height)
    ]
    assert len(cells) == len(set(cells))
    assert all(drawing.lines[y][x] == " " for x, y in cells), "no line goes through a box"


def test_the_critical_path_names_agents_and_phases() -> None:
    found = critical(PLAN)
    assert found.agents[-1] == "analysis"
    assert found.phases == {"orchestration", "build", "wire"}
    assert critical(ExecutionPlan.model_validate({"plan": {"name": "empty"}})).agents == ()
