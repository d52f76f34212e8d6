"""What happened while the operator was away: told on arrival where it is worth a screen, and on a key."""

from __future__ import annotations

import pytest
from tui_scenes import NOW, by, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core.presence import Look
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.screens.away import AwayScreen


def left(seconds: float) -> MemoryBackend:
    """The scene, which the operator left so long ago, and came back to now."""
    backend = scene()
    backend.do(Look(), at=NOW - 900)
    backend.do(Look(leaves=True), at=NOW - seconds)
    return backend


async def test_whoever_was_away_for_long_is_told_on_arrival_and_any_key_closes_it() -> None:
    backend = left(800)
    backend.do(c.Observe((touch("src/storage/new.py", by("storage")),)), at=NOW - 400)
    backend.do(Look(), at=NOW)
    async with stage(backend, size=(80, 24)) as played:
        await played.until(lambda: isinstance(played.app.screen, AwayScreen))
        await played.shows("While you were away", "for 13:20, since", "3 edits: storage 2 in 2 files")
        await played.shows("2 requests wait for you: 1, 2", "any other key closes")
        await played.press("a")
        assert played.app.screen is played.cockpit
        assert backend.sent == []


async def test_a_request_that_came_up_meanwhile_is_told_after_a_short_absence() -> None:
    backend = left(100)
    backend.do(c.Observe((touch("src/surfaces/x.py", by("nix-ci")),)), at=NOW - 50)
    async with stage(backend) as played:
        await played.until(lambda: isinstance(played.app.screen, AwayScreen))
        await played.shows("3 requests wait for you: 1, 2, 3", "2 requests were raised: 2, 3")


async def test_what_waited_before_is_no_news() -> None:
    backend = left(1)
    async with stage(backend) as played:
        await played.press("n")
        assert played.app.screen is played.cockpit
        await played.press("W")
        await played.until(lambda: isinstance(played.app.screen, AwayScreen))
        await played.shows("for 0:01, since")


async def test_on_the_first_visit_nothing_is_told_and_the_key_tells_from_the_beginning() -> None:
    async with stage() as played:
        assert played.app.screen is played.cockpit
        await played.press("W")
        await played.shows("since the beginning", "gates opened: orchestration, build")
        await played.press("down", "j", "k", "space")
        assert isinstance(played.app.screen, AwayScreen)
        await played.press("escape")
        assert played.app.screen is played.cockpit


@pytest.mark.parametrize("size", [(20, 5), (80, 24)])
async def test_it_is_in_the_palette_and_fits(size: tuple[int, int]) -> None:
    async with stage(size=size) as played:
        await played.press("ctrl+p", *"while away")
        await played.until(lambda: "while away" in played.text() or size[0] < 80)
        await played.press("escape", "W")
        await played.until(lambda: isinstance(played.app.screen, AwayScreen))
