"""What the operator decides again and again becomes a change of the plan that is suggested, never made."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from core_play import Play, agent, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from runebook_tui.core import commands as c
from runebook_tui.core.grants import Scope
from runebook_tui.core.learning import ENOUGH, DismissLesson, lessons
from runebook_tui.core.pattern import compile_pattern
from runebook_tui.core.planedits import AddClaim, AddMayWrite, AddPathPolicy, edited
from runebook_tui.core.types import Policy


def play(**policy: object) -> Play:
    agents = (
        agent("storage", claims=["src/storage/**"]),
        agent("docs", claims=["*.md"]),
        agent("analysis", claims=["src/analysis/**"]),
        agent("surfaces"),
    )
    here = Play(plan(*agents, policy=Policy.model_validate(policy)))
    here.start("storage", "docs", "analysis", "surfaces")
    return here


def decided(here: Play, who: str, paths: Sequence[str], decision: str = "approved") -> int:
    """One request about `paths`, decided; its number."""
    here.now += 100
    here.do(c.Ask(who, tuple(paths), "please"))
    number = here.state.last_request
    approved = decision == "approved"
    here.do(c.Decide(number, "approved" if approved else "rejected", Scope.ONCE))
    # What was approved is written, so that the next try asks again.
    for path in paths if approved else ():
        here.write(path, who)
    return number


def test_a_file_that_was_approved_three_times() -> None:
    here = play()
    numbers = [decided(here, "analysis", ["src/storage/api.py"]) for _ in range(ENOUGH)]
    (lesson,) = lessons(here.state)
    assert lesson.edit == AddMayWrite("analysis", "/src/storage/api.py")
    assert lesson.requests == tuple(numbers)
    assert lesson.words == (
        "analysis was approved 3 times for src/storage/api.py of storage: let it write it without asking"
    )


def test_twice_is_not_enough_and_one_request_counts_once() -> None:
    here = play()
    decided(here, "analysis", ["src/storage/a.py", "src/storage/b.py", "src/storage/c.py"])
    decided(here, "analysis", ["src/storage/a.py"])
    assert lessons(here.state) == ()


def test_files_of_one_folder_teach_the_deepest_folder() -> None:
    here = play()
    for name in ("v1/a.py", "v1/b.py", "v1/deep/c.py", "v1/d.py"):
        decided(here, "analysis", [f"src/storage/{name}"])
    (lesson,) = lessons(here.state)
    assert lesson.edit == AddMayWrite("analysis", "src/storage/v1/**")
    assert lesson.words == (
        "analysis was approved 4 times for files of storage in src/storage/v1/: "
        "let it write them without asking (this reaches files of docs, too)"
    )


def test_files_of_one_ending_that_share_no_folder() -> None:
    here = play()
    for path in ("README.md", "a/x.md", "b/y.md"):
        decided(here, "analysis", [path])
    assert [lesson.edit for lesson in lessons(here.state)] == [AddMayWrite("analysis", "*.md")]


def test_nobodys_files_are_to_be_owned() -> None:
    here = play(unowned="ask")
    for path in ("tools/a", "tools/b", "tools/c"):
        decided(here, "surfaces", [path])
    assert [lesson.edit for lesson in lessons(here.state)] == [AddClaim("surfaces", "tools/**")]


def test_a_rejection_begins_the_count_anew() -> None:
    here = play()
    for _ in range(2):
        decided(here, "analysis", ["src/storage/a.py"])
    decided(here, "analysis", ["src/storage/a.py"], "rejected")
    for _ in range(2):
        decided(here, "analysis", ["src/storage/a.py"])
    assert lessons(here.state) == ()
    decided(here, "analysis", ["src/storage/a.py"])
    assert len(lessons(here.state)) == 1


def test_others_approvals_do_not_count() -> None:
    here = play()
    for who in ("analysis", "surfaces", "docs"):
        decided(here, who, ["src/storage/a.py"])
    assert lessons(here.state) == ()


def test_what_is_rejected_again_and_again_is_to_be_refused() -> None:
    here = play()
    for who in ("analysis", "surfaces", "analysis"):
        decided(here, who, ["src/storage/keys.py"], "rejected")
    (lesson,) = lessons(here.state)
    assert lesson.edit == AddPathPolicy("/src/storage/keys.py", away="refuse")
    assert lesson.words == (
        "analysis, surfaces: 3 requests for src/storage/keys.py of storage were rejected: refuse them at once"
    )
    here.do(c.ChangePlan(edited(here.state.plan, [lesson.edit])))
    assert lessons(here.state) == ()


def test_what_the_plan_has_is_not_suggested() -> None:
    here = play()
    for _ in range(3):
        decided(here, "analysis", ["src/storage/a.py"])
    (lesson,) = lessons(here.state)
    here.do(c.ChangePlan(edited(here.state.plan, [lesson.edit])))
    assert lessons(here.state) == ()


def test_a_dismissed_lesson_does_not_come_back_even_in_the_next_run() -> None:
    here = play()
    for _ in range(2):
        for _ in range(3):
            decided(here, "analysis", ["src/storage/a.py"])
        if not here.state.dismissed_lessons:
            (lesson,) = lessons(here.state)
            here.do(DismissLesson(lesson.id))
            assert "no lesson" in here.refused(DismissLesson(lesson.id))
        assert lessons(here.state) == ()
        here.do(c.EndRun("stopped", "enough"))
        here.do(c.StartRun(here.state.plan))
        here.start("analysis")


@pytest.mark.parametrize("path", ["runebook.toml", ".git/config", ".git/hooks/x", ".git/info/exclude"])
def test_the_operators_files_are_never_suggested(path: str) -> None:
    here = play(unowned="ask")
    for _ in range(4):
        here.now += 100
        here.write(path, "analysis")
        here.do(c.Decide(here.state.last_request, "approved", Scope.ONCE))
    assert here.state.last_request == 4
    assert lessons(here.state) == ()


SEGMENT = st.text("ab*[] !é.", min_size=1, max_size=3).filter(lambda name: name.strip("."))
PATHS = st.lists(SEGMENT, min_size=1, max_size=3).map(lambda parts: "/".join(["src/storage", *parts]))
STEPS = st.tuples(
    st.sampled_from(["analysis", "surfaces"]),
    st.lists(PATHS, min_size=1, max_size=2, unique=True),
    st.sampled_from(["approved", "approved", "approved", "rejected"]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_a_lesson_covers_what_it_was_learnt_from_and_accepting_it_ends_it(
    steps: list[tuple[str, list[str], str]],
) -> None:
    here = play()
    for who, paths, decision in steps:
        decided(here, who, paths, decision)
    for lesson in lessons(here.state):
        assert len(lesson.requests) >= ENOUGH
        edit = lesson.edit
        pattern = compile_pattern(edit.path if isinstance(edit, AddPathPolicy) else edit.pattern)
        requests = [here.state.requests[number] for number in lesson.requests]
        assert all(any(pattern.matches(path) for path in request.paths) for request in requests)
        if isinstance(edit, AddMayWrite):
            assert {request.status for request in requests} == {"approved"}
            assert {request.requester for request in requests} == {edit.agent}
        else:
            assert {request.status for request in requests} == {"rejected"}
        here.do(c.ChangePlan(edited(here.state.plan, [edit])))
        assert lesson.id not in {each.id for each in lessons(here.state)}
