"""Several requests are marked and decided together; a decision is taken back; lessons are one key."""

from __future__ import annotations

import pytest
from tui_scenes import NOW, Stage, by, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core.decisions import TAKE_BACK_SECONDS
from runebook_tui.tui.marks import Marks
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.outcomes import outcomes
from runebook_tui.tui.screens.patch import PatchScreen
from runebook_tui.tui.screens.reason import ReasonPrompt
from runebook_tui.tui.screens.together import TogetherScreen
from runebook_tui.tui.verdict import SETTLE_SECONDS


def test_only_what_was_on_the_screen_as_it_stands_counts_as_seen() -> None:
    marks = Marks()
    marks.painted(1, "v1", 10.0)
    assert not marks.seen(1, "v1", 10.0 + SETTLE_SECONDS / 2)
    assert marks.seen(1, "v1", 10.0 + SETTLE_SECONDS)
    assert not marks.seen(1, "v2", 20.0)
    assert not marks.seen(2, "v1", 20.0)


def test_a_mark_is_lost_by_a_change_and_gone_with_its_request() -> None:
    marks = Marks()
    for number in (1, 2, 3):
        marks.mark(number, "v1")
    assert marks.follow({1: "v1", 2: "v2"}) == (2,)
    assert marks.requests == (1,)
    marks.unmark(1)
    assert 1 not in marks


async def mark_both(played: Stage) -> None:
    """Mark request 1, then 2."""
    await played.decide("space")
    played.cockpit.requests.select(2, by_hand=True)
    await played.decide("space")
    await played.shows("Requests · 2 · 2 marked", "▣ ◇ 1", "▣ ◆ 2", "marked · asked")


async def test_marked_requests_are_approved_together_after_all_of_them_were_named() -> None:
    async with stage() as played:
        await mark_both(played)
        assert "a approve 2 marked" in played.bar()
        assert "esc clear marks" in played.bar()
        await played.press("a")
        assert isinstance(played.app.screen, TogetherScreen)
        await played.shows("Approve 2 requests?", "storage or you → core (1), capture → storage (1)")
        await played.shows("src/core/types.py", "src/storage/api.py", "approve all 2")
        assert played.backend.sent == []
        await played.press("y")
        await played.shows("nobody needs you", "approved 2 requests")
        assert played.backend.sent == [("approve", {"requests": [1, 2], "scope": "once", "reason": ""})]
        assert {each.status for each in played.backend.state.requests.values()} == {"approved"}


async def test_escape_decides_nothing_and_a_second_one_clears_the_marks() -> None:
    async with stage() as played:
        await mark_both(played)
        await played.press("a", "escape")
        await played.shows("2 marked")
        await played.press("escape")
        await played.until(lambda: "marked" not in played.text())
        assert "approve 2" in played.bar()
        assert played.backend.sent == []


async def test_marked_requests_are_rejected_with_one_reason() -> None:
    async with stage() as played:
        await mark_both(played)
        await played.press("r")
        assert isinstance(played.app.screen, ReasonPrompt)
        await played.shows("Reject 2 requests", "reject all 2")
        await played.press(*"no", "enter")
        await played.shows("rejected 2 requests")
        assert {each.answer for each in played.backend.state.requests.values()} == {"no"}


async def test_one_marked_request_is_decided_wherever_the_selection_is() -> None:
    async with stage() as played:
        await played.decide("space", "n")
        assert "a approve 1, marked" in played.bar()
        await played.press("a", "y")
        await played.until(lambda: not played.backend.state.requests[1].open)
        assert played.backend.state.requests[2].open


async def test_undoing_needs_that_all_have_written_something() -> None:
    async with stage() as played:
        await mark_both(played)
        await played.press("u")
        await played.shows("request 2: nothing was written that could be undone")
        await played.press("space", "u", "y")
        await played.until(lambda: played.backend.state.requests[1].undone)
        assert played.backend.state.requests[2].open


async def test_space_takes_a_mark_away() -> None:
    async with stage() as played:
        await played.decide("space")
        await played.shows("1 marked")
        await played.press("space")
        await played.until(lambda: "marked" not in played.text())


async def test_all_that_are_on_the_screen_are_marked_at_once() -> None:
    async with stage() as played:
        await played.press("asterisk")
        await played.shows("2 not marked: mark what you have seen")
        await played.decide("asterisk")
        await played.shows("2 marked")


async def test_what_is_below_the_edge_is_not_marked() -> None:
    backend = scene()
    for name in ("a", "b", "c", "d"):
        backend.do(c.Observe((touch(f"src/surfaces/{name}.py", by("nix-ci")),)), at=NOW - 50 + ord(name) * 3)
    async with stage(backend, size=(80, 24)) as played:
        count = len(played.cockpit.requests.entries)
        assert count > 2
        await played.decide("asterisk")
        await played.shows("2 marked", f"{count - 2} not marked")


async def test_what_has_just_come_up_is_not_marked() -> None:
    async with stage() as played:
        await played.look()
        backend = played.backend
        backend.do(c.Observe((touch("src/surfaces/new.py", by("nix-ci")),)), at=NOW)
        await played.shows("src/surfaces/new.py")
        await played.press("asterisk")
        await played.shows("2 marked", "1 not marked")
        assert [each.id for each in played.cockpit.requests.marked] == [2, 1]


async def test_a_marked_request_that_changes_is_marked_no_more() -> None:
    backend = scene()
    backend.do(c.Observe((touch("src/surfaces/one.py", by("nix-ci")),)), at=NOW - 1)
    async with stage(backend, size=(160, 40)) as played:
        await played.decide("asterisk")
        await played.shows("3 marked")
        backend.do(c.Observe((touch("src/surfaces/two.py", by("nix-ci")),)), at=NOW)
        await played.shows("request 3 has changed and is not marked any more", "2 marked")


async def test_a_request_that_changes_behind_the_question_is_not_decided() -> None:
    backend = scene()
    backend.do(c.Observe((touch("src/surfaces/one.py", by("nix-ci")),)), at=NOW - 1)
    async with stage(backend) as played:
        await played.decide("asterisk")
        await played.press("a")
        assert isinstance(played.app.screen, TogetherScreen)
        backend.do(c.Observe((touch("src/surfaces/two.py", by("nix-ci")),)), at=NOW)
        assert len(backend.state.requests[3].paths) == 2
        await played.press("y")
        await played.shows("request 3 has changed meanwhile")
        assert backend.sent == []


async def test_what_the_engine_refuses_of_several_is_said_and_can_be_decided_again() -> None:
    async with stage(size=(160, 40)) as played:
        await mark_both(played)
        await played.press("a")
        played.backend.stuck = {}
        played.backend.refuse = {2: "the tree is busy [/x]"}
        await played.press("y")
        await played.shows("approved 1 request", "1 request not decided", "the tree is busy [/x]")
        played.backend.refuse = {}
        await played.decide("a")
        await played.until(lambda: not played.backend.state.requests[2].open)


# ── taking back ─────────────────────────────────────────────────────────────────────────────────


async def test_a_decision_can_be_taken_back_while_the_key_bar_counts_down() -> None:
    async with stage() as played:
        await played.press("z")
        await played.shows("nothing was decided that could be taken back")
        await played.decide("a")
        await played.until(lambda: "z take back 1 (30 s)" in played.bar())
        played.now += 6
        await played.until(lambda: "z take back 1 (24 s)" in played.bar())
        await played.press("z")
        await played.shows("taken back", "request 1 is open again")
        assert played.backend.state.requests[1].open
        await played.until(lambda: "take back" not in played.bar())


async def test_decisions_taken_together_are_taken_back_together() -> None:
    async with stage() as played:
        await mark_both(played)
        await played.press("a", "y")
        await played.until(lambda: "z take back 2 decisions (30 s)" in played.bar())
        await played.press("z")
        await played.until(lambda: all(each.open for each in played.backend.state.requests.values()))


async def test_too_late_it_is_neither_offered_nor_done() -> None:
    async with stage() as played:
        await played.decide("a")
        await played.until(lambda: "take back 1" in played.bar())
        played.now += TAKE_BACK_SECONDS + 1
        await played.until(lambda: "take back" not in played.bar())
        await played.press("z")
        await played.shows("a decision can be taken back within 30 s")
        assert [do for do, _ in played.backend.sent] == ["approve"]


def test_what_came_back_is_said_in_words() -> None:
    answer = {
        "requests": [{"request": 4}, {"request": 5}],
        "restored": [{"undo": "u1", "done": ["a", "b"], "refused": {"c": "it went on"}}],
        "plan_restored": True,
    }
    done, lost = outcomes("take-back", answer)
    assert done.words == (
        "requests 4, 5 are open again; brought back: a, b; the plan's file is as it was before"
    )
    assert (lost.done, lost.words) == (False, "c: it went on")


# ── lessons ─────────────────────────────────────────────────────────────────────────────────────


def taught() -> MemoryBackend:
    """Three approvals of capture for files of storage."""
    backend = scene()
    for name in ("a", "b", "c"):
        backend.do(c.Ask("capture", (f"src/storage/{name}.py",), "please"), at=NOW - 5)
        backend.do(c.Decide(backend.state.last_request, "approved"), actor="operator", at=NOW - 4)
    return backend


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_lesson_is_a_quiet_line_and_accepted_only_by_the_operator(size: tuple[int, int]) -> None:
    async with stage(taught(), size=size) as played:
        await played.shows("▲ plan: capture was approved 3 times", "◆ 2", "src/core/types.py")
        before = played.backend.state.plan
        await played.press("L")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        await played.shows("capture may write src/storage/** without asking", "requests 3, 4, 5")
        await played.shows("never suggest this again", "later", "change the plan")
        assert played.backend.state.plan == before
        await played.press("escape")
        assert played.backend.state.plan == before
        await played.shows("▲ plan: capture")
        await played.press("L")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        await played.press("y")
        await played.until(lambda: played.backend.state.plan != before)
        assert played.backend.state.plan.agent("capture").may_write == ("src/storage/**",)
        await played.until(lambda: "▲ plan" not in played.text())


async def test_a_lesson_that_is_dismissed_does_not_come_back() -> None:
    async with stage(taught()) as played:
        await played.press("L")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        await played.press("d")
        await played.until(lambda: "▲ plan" not in played.text())
        assert [do for do, _ in played.backend.sent] == ["amend-preview", "dismiss-lesson"]
        await played.press("L")
        await played.shows("suggest no change of the plan")


async def test_without_a_lesson_nothing_is_there() -> None:
    async with stage() as played:
        assert "▲" not in played.text()
        assert "lesson" not in played.bar()
