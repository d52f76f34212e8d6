"""Nobody decides what they have not seen."""

from __future__ import annotations

from tui_scenes import NOW, YOU_OR_STORAGE, by, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.tui.verdict import SETTLE_SECONDS, SeenGuard


def test_a_request_that_came_up_by_itself_must_have_been_seen_for_a_while() -> None:
    guard = SeenGuard()
    guard.painted(1, "v1", 10.0, by_hand=False)
    assert not guard.lets(1, "v1", 10.0 + SETTLE_SECONDS / 2)
    assert not guard.lets(1, "v1", 10.0 + 1.4 * SETTLE_SECONDS), "the early key started the wait anew"
    assert guard.lets(1, "v1", 10.0 + 2.5 * SETTLE_SECONDS)


def test_a_key_held_down_decides_nothing() -> None:
    guard = SeenGuard()
    guard.painted(1, "v1", 0.0, by_hand=False)
    assert not any(guard.lets(1, "v1", tick * 0.03) for tick in range(200))


def test_a_request_that_the_operator_went_to_is_seen_once_it_is_drawn() -> None:
    guard = SeenGuard()
    assert not guard.lets(1, "v1", 10.0)
    guard.painted(1, "v1", 10.0, by_hand=True)
    assert guard.lets(1, "v1", 10.0)
    assert not guard.lets(2, "v1", 20.0)


def test_a_request_that_changed_must_be_seen_again() -> None:
    guard = SeenGuard()
    guard.painted(1, "v1", 10.0, by_hand=True)
    assert not guard.lets(1, "v2", 20.0)
    guard.painted(1, "v2", 20.0, by_hand=True)
    assert not guard.lets(1, "v2", 20.1)
    guard.blank()
    assert guard.request is None


async def test_quick_presses_decide_one_request_only() -> None:
    async with stage() as played:
        await played.decide("a", "a", "a", "a")
        await played.shows("has just come up")
        assert [do for do, _ in played.backend.sent] == ["approve"]
        assert played.backend.state.requests[2].open
        await played.decide("a")
        await played.until(lambda: not played.backend.state.requests[2].open)


async def test_a_request_that_arrives_under_the_finger_is_not_decided() -> None:
    async with stage() as played:
        await played.decide("a")
        await played.until(lambda: played.cockpit.requests.selected == 2)
        await played.decide("a")
        await played.shows("nobody needs you")
        played.backend.do(c.Observe((touch("src/core/z.py", by("storage")),)), at=NOW)
        await played.shows("approve 3")
        await played.press("a")
        await played.shows("has just come up")
        assert played.backend.state.requests[3].open


async def test_a_request_that_grew_needs_another_look() -> None:
    async with stage() as played:
        await played.look()
        played.backend.do(c.Observe((touch("src/core/events.py", YOU_OR_STORAGE),)), at=NOW - 122)
        await played.shows("+1 more")
        await played.press("a")
        await played.shows("come up or changed")
        assert played.backend.sent == []
        await played.decide("a")
        await played.until(lambda: not played.backend.state.requests[1].open)


async def test_without_a_request_the_keys_say_so() -> None:
    async with stage() as played:
        for request in (1, 2):
            played.backend.do(c.Decide(request, "rejected"))
        await played.shows("nobody needs you")
        assert "approve" not in played.bar()
        await played.press("a")
        await played.shows("no request waits for you")
        await played.press("enter")
        assert played.app.screen is played.cockpit
