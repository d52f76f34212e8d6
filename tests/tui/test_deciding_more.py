"""The card's further keys: widen, transfer, hand over, earlier decisions; the patch is shown before."""

from __future__ import annotations

import pytest
from tui_scenes import NOW, by, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core import reviews
from runebook_tui.core.activity import Activity
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.screens.card import CardScreen
from runebook_tui.tui.screens.patch import PatchScreen

PATCH = """--- a/runebook.toml
+++ b/runebook.toml
@@ -9,3 +9,4 @@
 id = "capture"
 claims = ["src/capture/**"]
+may_write = ["/src/storage/api.py"]
 # [/x] a comment
"""


def planned() -> MemoryBackend:
    """The scene, and what the plan would be changed to by request 2."""
    backend = scene()
    for means in ("widened", "transferred"):
        backend.previews[2, means] = {
            "patch": PATCH,
            "plan": "d1",
            "words": ["capture may write /src/storage/api.py without asking"],
        }
    return backend


@pytest.mark.parametrize(("key", "means"), [("w", "widened"), ("o", "transferred")])
async def test_the_patch_is_shown_before_the_plan_changes(key: str, means: str) -> None:
    async with stage(planned(), size=(120, 44)) as played:
        played.cockpit.requests.select(2, by_hand=True)
        await played.press("o")
        await played.shows("widen the plan", "transfer the file", "shows the patch first")
        await played.press(key)
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        await played.shows("and approve request 2", "without asking", '+may_write = ["/src/storage/api.py"]')
        await played.shows("# [/x] a comment", "change the plan and approve 2", "change nothing")
        assert played.backend.state.requests[2].open
        await played.press("y")
        await played.until(lambda: not played.backend.state.requests[2].open)
        assert played.app.screen is played.cockpit
        request = played.backend.state.requests[2]
        assert (request.status, request.means) == ("approved", means)
        assert played.backend.sent[-1] == (
            "approve",
            {"request": 2, "scope": "once", "reason": "", "means": means, "plan": "d1"},
        )


@pytest.mark.parametrize("key", ["escape", "n", "q"])
async def test_thinking_better_of_the_patch_goes_back_to_the_card(key: str) -> None:
    async with stage(planned()) as played:
        played.cockpit.requests.select(2, by_hand=True)
        await played.press("o", "w")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        await played.press(key)
        assert isinstance(played.app.screen, CardScreen)
        assert played.backend.state.requests[2].open
        assert [do for do, _ in played.backend.sent] == ["preview"]


async def test_a_patch_that_nobody_can_make_is_refused_in_words_and_the_card_stays() -> None:
    async with stage() as played:
        played.cockpit.requests.select(2, by_hand=True)
        await played.press("o", "w")
        await played.shows("not done: preview", "the plan cannot be widened for request 2")
        assert isinstance(played.app.screen, CardScreen)


async def test_a_plan_that_changed_under_the_patch_is_not_overwritten() -> None:
    async with stage(planned()) as played:
        played.cockpit.requests.select(2, by_hand=True)
        await played.press("o", "w")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        played.backend.previews[2, "widened"]["plan"] = "d2"
        await played.press("y")
        await played.shows("not done: approve", "runebook.toml has changed")
        assert played.backend.state.requests[2].open


async def test_a_request_that_grew_behind_the_patch_is_not_approved() -> None:
    backend = planned()
    backend.previews[1, "widened"] = backend.previews[2, "widened"]
    backend.do(c.Observe((touch("src/core/types.py", by("storage")),)), at=NOW - 60)
    number = backend.state.last_request
    backend.previews[number, "widened"] = backend.previews[2, "widened"]
    async with stage(backend, size=(120, 44)) as played:
        played.cockpit.requests.select(number)
        await played.press("o", "w")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        backend.do(c.Observe((touch("src/core/more.py", by("storage")),)), at=NOW - 60)
        assert len(backend.state.requests[number].paths) == 2
        await played.press("y")
        await played.shows("has changed meanwhile: nothing was decided")
        assert backend.state.requests[number].open


async def test_handing_over_gives_the_owner_a_task_that_the_plan_shows() -> None:
    async with stage(size=(160, 44)) as played:
        played.cockpit.requests.select(2, by_hand=True)
        await played.press("o")
        await played.shows("hand over", "storage gets it as task request-2, with the diff")
        await played.press("h")
        await played.until(lambda: not played.backend.state.requests[2].open)
        assert played.backend.sent == [
            ("reject", {"request": 2, "scope": "once", "reason": "", "means": "handed over"})
        ]
        await played.shows("to do (from request 2): capture wants")
        played.backend.do(c.StartTask("storage", "request-2"), at=NOW)
        await played.until(lambda: "to do (from" not in played.text())


async def test_keys_that_the_request_cannot_be_answered_by_are_not_offered_and_say_why() -> None:
    async with stage() as played:
        await played.press("o")
        await played.shows("let it stand")
        for word in ("widen the plan", "transfer the file", "hand over"):
            assert word not in played.text()
        await played.press("w")
        await played.shows("request 1 has no certain author")
        assert isinstance(played.app.screen, CardScreen)
        assert played.backend.sent == []


async def test_earlier_decisions_take_the_place_of_the_diff() -> None:
    backend = scene()
    backend.do(c.Decide(2, "rejected", reason="use the API [/x]"), actor="operator", at=NOW - 10)
    backend.do(c.Ask("capture", ("src/storage/api.py",), "please"), at=NOW - 5)
    backend.diffs[3] = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+two\n"
    async with stage(backend, size=(120, 44)) as played:
        played.cockpit.requests.select(3)
        await played.press("o")
        await played.shows("earlier decisions (1)", "+two")
        await played.press("e")
        await played.shows("2  capture, src/storage/api.py: rejected, 0:10 ago: use the API [/x]")
        assert "+two" not in played.text()
        await played.press("e")
        await played.shows("+two")
        assert backend.sent == []


async def test_without_earlier_decisions_the_key_says_so() -> None:
    async with stage() as played:
        played.cockpit.requests.select(2, by_hand=True)
        await played.press("o", "e")
        await played.shows("nothing was decided about these paths before")


async def test_what_the_card_showed_is_what_is_approved() -> None:
    backend = scene()
    backend.contents[2] = {"src/storage/api.py": "aa"}
    async with stage(backend) as played:
        played.cockpit.requests.select(2, by_hand=True)
        await played.press("o")
        await played.shows("approve once")
        backend.contents[2] = {"src/storage/api.py": "bb"}
        await played.press("a")
        await played.shows("not done: approve", "src/storage/api.py has changed")
        assert backend.state.requests[2].open
        await played.decide("o")
        await played.shows("approve once")
        await played.press("a")
        await played.until(lambda: not backend.state.requests[2].open)
        assert backend.sent[-1][1]["seen"] == {"src/storage/api.py": "bb"}


async def test_the_card_says_what_the_owner_does_and_recommends_and_what_depends_on_it() -> None:
    backend = scene()
    backend.do(c.ReportActivity("storage", "Claude Code", Activity.IDLE, "", "s", ""), at=NOW - 240)
    backend.do(reviews.Recommend("storage", 2, "reject", "not [/x] now"), at=NOW - 3)
    async with stage(backend, size=(140, 44)) as played:
        played.cockpit.requests.select(2, by_hand=True)
        await played.press("o")
        await played.shows(
            "owner: storage is idle, its task is Publish the API; Claude Code is idle for 4:00",
            "storage recommends to reject it: not [/x] now",
            "depends on it: ",
            "analysis waits for the API storage",
        )


async def test_every_key_can_be_reached_in_a_small_terminal() -> None:
    async with stage(size=(80, 24)) as played:
        played.cockpit.requests.select(2)
        await played.press("o")
        await played.shows("approve once", "reject", "more keys below: tab, then ↓")
        await played.press("tab", "end")
        await played.shows("esc close", "hand over")
        assert all(len(row) <= 80 for row in played.text().splitlines())


async def test_the_patch_fits_a_small_terminal() -> None:
    async with stage(planned(), size=(80, 24)) as played:
        await played.go("requests")
        played.cockpit.requests.select(2, by_hand=True)
        await played.press("o", "w")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        await played.shows("may_write", "change the plan and approve 2", "back, change nothing")


async def test_the_signs_of_the_new_screens_have_ascii_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNEBOOK_ASCII", "1")
    async with stage(planned()) as played:
        played.cockpit.requests.select(2, by_hand=True)
        await played.decide("space")
        await played.shows("@ ! 2", "marked")
        assert played.text().isascii()
        await played.press("o", "w")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        await played.shows("may_write")
        assert played.text().isascii()
