"""The key that rejects and takes back: offered where something was written, and it says what became of it."""

from __future__ import annotations

from tui_scenes import Stage, stage

from runebook_tui.tui.screens.card import CardScreen


async def select(played: Stage, request: int) -> None:
    """Go to a request, wherever it stands."""
    while played.cockpit.requests.selected != request:
        await played.press("n", "n")


async def test_one_key_rejects_and_undoes() -> None:
    async with stage(size=(160, 40)) as played:
        await select(played, 1)
        assert "u reject+undo 1" in played.bar()
        await played.decide("u")
        await played.shows("undone as u1", "src/core/types.py", "runebook-tui undo --restore u1")
        request = played.backend.state.requests[1]
        assert (request.status, dict(request.undone)) == ("rejected", {"src/core/types.py": "u1"})
        assert played.backend.sent == [
            ("reject", {"request": 1, "scope": "once", "reason": "", "undo": True})
        ]


async def test_it_is_not_offered_where_nothing_was_written() -> None:
    async with stage() as played:
        await select(played, 2)
        assert "undo" not in played.bar()
        await played.decide("u")
        await played.shows("nothing was written that could be undone")
        await played.press("enter")
        await played.shows("approve once")
        assert "reject and undo" not in played.text()
        await played.press("u")
        assert isinstance(played.app.screen, CardScreen)
        assert played.backend.sent == []


async def test_the_card_says_what_the_key_will_do() -> None:
    async with stage() as played:
        await select(played, 1)
        await played.press("enter")
        await played.shows("reject and undo", "leaves everybody else's", "a patch of it is kept")
        await played.press("u")
        await played.until(lambda: played.backend.state.requests[1].undone)
        assert played.app.screen is played.cockpit


async def test_a_refused_undo_is_said_with_its_reason_and_patch() -> None:
    async with stage(size=(160, 40)) as played:
        played.backend.stuck = {"src/core/types.py": "others went on [/x]"}
        await select(played, 1)
        await played.decide("u")
        await played.shows("rejected, but not undone", "others went on [/x]", "refused.patch")
        request = played.backend.state.requests[1]
        assert (request.status, dict(request.undone)) == ("rejected", {})
