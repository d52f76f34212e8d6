"""The decision card."""

from __future__ import annotations

import pytest
from tui_scenes import DIFF, NOW, YOU_OR_STORAGE, by, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core.grants import Scope
from runebook_tui.tui.backend import BackendError
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.screens.card import CardScreen
from runebook_tui.tui.screens.reason import ReasonPrompt


async def test_the_card_tells_who_wants_what_from_whom_and_what_each_key_does() -> None:
    async with stage() as played:
        await played.press("n", "n", "enter")
        await played.shows(
            "Request 2 · asked",
            "capture wants to write src/storage/api.py, owned by storage",
            '"append_event needs a limit argument to page"',
            "capture asked (pid 4121)",
            "nothing is written yet",
            "approve once",
            "until capture-1 is done",
            "capture gets no, with your reason",
            "open 0:14",
        )


async def test_the_card_of_a_crossing_says_that_the_bytes_are_there() -> None:
    async with stage() as played:
        await played.press("enter")
        await played.shows(
            "storage or you wrote src/core/types.py, owned by core",
            "let it stand",
            "the bytes stay until somebody changes them",
            "that was me",
            "not now: it is not certain who made the change",
        )
        await played.shows(
            "42  -    def append_event(self, event: Event) -> int:", "44  +", "raise ValueError"
        )


@pytest.mark.parametrize(("key", "scope"), [("a", Scope.ONCE), ("t", Scope.TASK), ("p", Scope.PLAN)])
async def test_approving_on_the_card(key: str, scope: Scope) -> None:
    async with stage() as played:
        await played.press("n", "n", "enter", key)
        await played.until(lambda: not played.backend.state.requests[2].open)
        assert played.app.screen is played.cockpit
        assert played.backend.state.requests[2].status == "approved"
        assert played.backend.state.grants[2].scope is scope


async def test_rejecting_on_the_card_with_a_reason() -> None:
    async with stage() as played:
        await played.press("n", "n", "enter", "r")
        assert isinstance(played.app.screen, ReasonPrompt)
        await played.press(*"no", "enter")
        await played.until(lambda: played.backend.state.requests[2].status == "rejected")
        assert played.backend.state.requests[2].answer == "no"
        await played.until(lambda: played.app.screen is played.cockpit)


async def test_thinking_better_of_a_rejection_goes_back_to_the_card() -> None:
    async with stage() as played:
        await played.press("n", "n", "enter", "r", "escape")
        assert isinstance(played.app.screen, CardScreen)
        await played.press("escape")
        assert played.app.screen is played.cockpit
        assert played.backend.sent == []


async def test_that_was_me_on_the_card() -> None:
    async with stage() as played:
        await played.press("enter", "m")
        await played.until(lambda: played.backend.state.requests[1].status == "withdrawn")


async def test_keys_that_are_not_offered_decide_nothing() -> None:
    async with stage() as played:
        await played.press("enter", "t")
        await played.shows("it is not certain who made the change")
        await played.press("p", "R", "x", "n")
        assert isinstance(played.app.screen, CardScreen)
        await played.press("escape", "n", "n", "enter", "m")
        assert isinstance(played.app.screen, CardScreen)
        assert played.backend.sent == []


async def test_until_the_task_ends_needs_a_task() -> None:
    backend = scene()
    backend.do(c.CompleteTask("capture", "capture-1"), at=NOW)
    async with stage(backend) as played:
        await played.press("n", "n", "enter", "t")
        await played.shows("capture has no task in progress")
        assert backend.sent == []


async def test_a_decision_taken_elsewhere_closes_the_card_on_any_key() -> None:
    async with stage() as played:
        await played.press("n", "n", "enter")
        played.backend.do(c.Decide(2, "approved", reason="by the command line"), actor="operator")
        await played.shows("request 2 was approved elsewhere: by the command line", "any key closes")
        await played.press("z")
        assert played.app.screen is played.cockpit
        assert played.backend.sent == []


@pytest.mark.parametrize("key", ["a", "r", "p", "escape", "down", "space"])
async def test_no_key_decides_on_a_card_that_is_over(key: str) -> None:
    async with stage() as played:
        await played.press("n", "n", "enter")
        played.backend.do(c.Decide(2, "rejected"), actor="operator")
        await played.shows("rejected elsewhere")
        await played.press(key)
        assert played.app.screen is played.cockpit
        assert played.backend.sent == []


async def test_a_request_that_grew_needs_a_second_press() -> None:
    async with stage() as played:
        await played.press("enter")
        await played.shows("let it stand")
        played.backend.diffs[1] = DIFF.replace("storage/api", "core/events")
        played.backend.do(c.Observe((touch("src/core/events.py", YOU_OR_STORAGE),)), at=NOW - 122)
        await played.shows("has changed since you opened it", "and 1 more", "+++ b/src/core/events.py")
        await played.press("a")
        await played.shows("look at what has changed")
        assert played.backend.sent == []
        await played.press("a")
        await played.until(lambda: not played.backend.state.requests[1].open)


async def test_the_owner_at_work_is_named() -> None:
    backend = scene()
    backend.do(c.Observe((touch("src/storage/api.py", by("storage")),)), at=NOW - 12)
    async with stage(backend) as played:
        await played.press("n", "n", "enter")
        await played.shows(
            "owner: storage is working on Publish the API", "changing it right now (wrote it 0:12 ago)"
        )


async def test_a_long_diff_scrolls() -> None:
    backend = scene()
    lines = "".join(f"+line {number}\n" for number in range(1, 501))
    backend.diffs[1] = f"--- /dev/null\n+++ b/x\n@@ -0,0 +1,500 @@\n{lines}"
    async with stage(backend) as played:
        await played.press("enter")
        await played.shows("+line 1")
        await played.press("end")
        await played.shows("500  +line 500")
        await played.press("pageup", "home", "j")
        await played.shows("@@ -0,0 +1,500 @@")


class _NoDiff(MemoryBackend):
    async def diff(self, request: int) -> str:
        raise BackendError("the history was pruned [/x]")


async def test_a_diff_that_cannot_be_read_says_so() -> None:
    async with stage(_NoDiff(scene().records)) as played:
        await played.press("enter")
        await played.shows("the diff cannot be read: the history was pruned [/x]")


async def test_without_an_engine_the_card_says_why_nothing_can_be_decided() -> None:
    backend = scene()
    backend.engine_alive = False
    async with stage(backend) as played:
        await played.press("n", "n", "enter", "a")
        await played.shows("not now: the engine is not running")
        assert isinstance(played.app.screen, CardScreen)
        assert backend.sent == []
