"""The requests as a mode: all open ones with their diff, and what was decided."""

from __future__ import annotations

import pytest
from tui_scenes import NOW, YOU_OR_STORAGE, Stage, by, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core.grants import Scope
from runebook_tui.core.types import OPERATOR
from runebook_tui.tui.screens.card import CardScreen
from runebook_tui.tui.screens.patch import PatchScreen
from runebook_tui.tui.screens.reason import ReasonPrompt
from runebook_tui.tui.screens.requests import RequestsScreen
from runebook_tui.tui.screens.together import TogetherScreen


async def enter(played: Stage, request: int) -> RequestsScreen:
    """Go to the requests, select one, and look at it."""
    await played.press("2")
    await played.until(lambda: played.app.current_mode == "requests")
    screen = played.app.screen
    assert isinstance(screen, RequestsScreen)
    screen.requests.select(request, by_hand=True)
    await played.until(lambda: screen.sheet.request and screen.sheet.request.id == request)
    await played.until(lambda: screen.sheet.version is not None)
    await played.look()
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (210, 50)], ids=str)
async def test_the_list_and_beside_it_the_diff(size: tuple[int, int]) -> None:
    async with stage(size=size) as played:
        await enter(played, 1)
        await played.shows("Requests · 2", "Request 1 · crossed", "storage or you wrote src/core/types.py")
        await played.shows("42  -    def append_event(self, event: Event) -> int:")
        assert "a approve 1" in played.bar()
        await played.press("n")
        await played.shows("Request 2 · asked", "nothing is written yet")


@pytest.mark.parametrize(("key", "scope"), [("a", Scope.ONCE), ("t", Scope.TASK), ("p", Scope.PLAN)])
async def test_approving_is_bound_to_what_was_shown(key: str, scope: Scope) -> None:
    backend = scene()
    backend.contents = {2: {"src/storage/api.py": "d1"}}
    async with stage(backend) as played:
        await enter(played, 2)
        await played.press(key)
        await played.until(lambda: backend.state.requests[2].status == "approved")
        assert backend.state.grants[2].scope is scope
        assert backend.sent[-1][1]["seen"] == {"src/storage/api.py": "d1"}


async def test_a_file_that_changes_is_read_again_and_must_be_seen() -> None:
    backend = scene()
    backend.contents = {2: {"src/storage/api.py": "d1"}}
    async with stage(backend) as played:
        screen = await enter(played, 2)
        backend.contents = {2: {"src/storage/api.py": "d2"}}
        backend.do(c.Observe((touch("src/storage/api.py", by("storage")),)), at=NOW)
        await played.until(lambda: "d2" in str(screen.sheet.version))
        await played.press("a")
        await played.shows("the diff of 2 has just changed")
        assert backend.sent == []
        await played.decide("a")
        await played.until(lambda: backend.state.requests[2].status == "approved")


async def test_a_refusal_of_what_changed_meanwhile_shows_what_is_there_now() -> None:
    backend = scene()
    backend.contents = {2: {"src/storage/api.py": "d1"}}
    async with stage(backend) as played:
        screen = await enter(played, 2)
        backend.contents = {2: {"src/storage/api.py": "d2"}}
        await played.press("a")
        await played.shows("has changed since you looked")
        await played.until(lambda: "d2" in str(screen.sheet.version))
        await played.decide("a")
        await played.until(lambda: backend.state.requests[2].status == "approved")


async def test_a_request_that_grew_is_not_decided_unseen() -> None:
    async with stage() as played:
        await enter(played, 1)
        played.backend.do(c.Observe((touch("src/core/events.py", YOU_OR_STORAGE),)), at=NOW - 122)
        await played.shows("this request has changed since you opened it")
        await played.press("a")
        await played.shows("come up or changed")
        assert played.backend.sent == []


async def test_rejecting_asks_for_a_reason() -> None:
    async with stage() as played:
        await enter(played, 2)
        await played.press("r")
        await played.until(lambda: isinstance(played.app.screen, ReasonPrompt))
        await played.press(*"no", "enter")
        await played.until(lambda: played.backend.state.requests[2].status == "rejected")
        assert played.backend.state.requests[2].answer == "no"
        assert played.app.current_mode == "requests"


async def test_widening_shows_the_patch_and_escape_changes_nothing() -> None:
    backend = scene()
    patch = {"patch": "+may_write\n", "plan": "p1", "words": ["capture may write it"]}
    backend.previews = {(2, "widened"): patch, (2, "transferred"): patch}
    async with stage(backend) as played:
        await enter(played, 2)
        await played.press("w")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        await played.press("escape")
        await played.until(lambda: played.app.current_mode == "requests")
        await played.press("o")
        await played.until(lambda: isinstance(played.app.screen, PatchScreen))
        await played.press("y")
        await played.until(lambda: backend.state.requests[2].status == "approved")
        assert backend.state.requests[2].means == "transferred"


async def test_handing_over_that_was_me_and_earlier_decisions() -> None:
    backend = scene()
    backend.do(c.Ask("capture", ("src/storage/z.py",), "first"), at=NOW - 9)
    async with stage(backend) as played:
        await enter(played, 3)
        await played.press("h")
        await played.until(lambda: backend.state.requests[3].means == "handed over")
        backend.do(c.Ask("capture", ("src/storage/z.py",), "again"), at=NOW - 8)
        await played.until(lambda: 4 in played.app.view.state.requests)
        await enter(played, 4)
        await played.press("e")
        await played.shows("decided before about the same paths:", "rejected")
        await played.press("e")
        await enter(played, 1)
        await played.press("m")
        await played.until(lambda: backend.state.requests[1].status == "withdrawn")


async def test_marked_requests_are_decided_together_and_escape_clears_marks_first() -> None:
    async with stage() as played:
        screen = await enter(played, 1)
        await played.press("asterisk")
        await played.shows("2 marked")
        await played.press("t")
        await played.shows("clear the marks first")
        await played.press("escape")
        assert played.app.current_mode == "requests"
        assert not screen.requests.marked
        await played.press("space", "n")
        await played.decide("space", "a")
        await played.until(lambda: isinstance(played.app.screen, TogetherScreen))
        await played.press("y")
        await played.until(lambda: not played.backend.state.open_requests)


async def test_enter_opens_the_card() -> None:
    async with stage() as played:
        await enter(played, 2)
        await played.press("enter")
        await played.until(lambda: isinstance(played.app.screen, CardScreen))
        await played.press("a")
        await played.until(lambda: played.backend.state.requests[2].status == "approved")
        await played.until(lambda: played.app.current_mode == "requests")


@pytest.mark.parametrize(
    "wanted", ["capture", "agent:capture", "path:storage/api", "kind:asked", "limit argument"]
)
async def test_the_filter_goes_by_agent_path_kind_and_words(wanted: str) -> None:
    async with stage() as played:
        screen = await enter(played, 1)
        await played.press("slash")
        screen.filter.value = wanted
        await played.shows("Requests · 1 of 2", "Request 2 · asked")
        assert [each.key for each in screen.requests.entries] == [2]


async def test_the_decided_ones_say_who_when_and_why_and_are_undone_and_restored() -> None:
    backend = scene()
    backend.do(c.Decide(1, "rejected", reason="not [/x] yours"), actor=OPERATOR, at=NOW - 60)
    async with stage(backend) as played:
        await played.press("2", "c")
        await played.shows("Decided · 1", "1:00 ago", "rejected by you: not [/x] yours", "u undo 1")
        await played.press("a")
        await played.shows("that is decided")
        await played.press("u")
        await played.until(lambda: backend.state.requests[1].undone)
        assert backend.sent[-1] == ("undo", {"request": 1})
        await played.shows("U restore u1")
        await played.press("U")
        await played.until(lambda: backend.state.undos["u1"].status == "restored")
        await played.press("c")
        await played.shows("Requests · 1")


async def test_the_last_decision_is_taken_back() -> None:
    async with stage() as played:
        await enter(played, 2)
        await played.press("a")
        await played.until(lambda: played.backend.state.requests[2].status == "approved")
        await played.press("z")
        await played.until(lambda: played.backend.state.requests[2].open)


async def test_what_earlier_runs_decided_is_read_from_the_log() -> None:
    backend = scene()
    for request in (1, 2):
        backend.do(c.Decide(request, "approved", reason="old"), actor=OPERATOR, at=NOW - 50)
    for agent in backend.state.live_agents():
        backend.do(c.ReportExited(agent.id, code=1), at=NOW - 40)
    backend.do(c.EndRun("stopped", "over"), at=NOW - 30)
    backend.do(c.StartRun(backend.state.plan), actor=OPERATOR, at=NOW - 20)
    assert not backend.state.requests
    async with stage(backend) as played:
        await played.press("2", "c")
        await played.shows("Decided · 2", "approved once by you: old")
        await played.press("u")
        await played.shows("there is no request")


async def test_hostile_words_stay_words() -> None:
    backend = scene()
    backend.do(c.Ask("capture", ("src/storage/[/x]\x1b[31m.py",), "[red]\x1b]0;x\x07 \u202e"), at=NOW - 3)
    async with stage(backend) as played:
        await enter(played, 3)
        await played.shows("[/x]", "[red]")
        assert "\x1b" not in played.text()


async def test_without_an_engine_nothing_is_decided() -> None:
    async with stage() as played:
        await enter(played, 2)
        played.backend.engine_alive = False
        await played.until(lambda: not played.app.view.engine_alive)
        await played.decide("a")
        await played.shows("the engine is not running")
        assert played.backend.sent == []
