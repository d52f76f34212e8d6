"""The tour of the first screen."""

from __future__ import annotations

import pytest
from tui_scenes import scene, stage

from runebook_tui.tui.app import RunebookApp
from runebook_tui.tui.screens.tour import STEPS, TourScreen


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
async def test_each_step_marks_what_it_speaks_of_and_any_key_goes_on(size: tuple[int, int]) -> None:
    async with stage(size=size) as played:
        await played.press("5", "T")
        assert played.app.current_mode == "cockpit"
        for number, step in enumerate(STEPS, 1):
            await played.shows(f"{number} of {len(STEPS)}", step.title)
            (marked,) = played.cockpit.query(".-toured")
            assert marked in played.cockpit.query(step.part)
            await played.press("space")
        assert played.app.screen is played.cockpit
        assert not played.cockpit.query(".-toured")
        assert played.backend.sent == []


async def test_back_and_out() -> None:
    async with stage() as played:
        await played.press("T", "left", "a", "left")
        await played.shows(f"1 of {len(STEPS)}")
        await played.press("a", "a", "escape")
        assert played.app.screen is played.cockpit
        assert not played.cockpit.query(".-toured")
        assert played.backend.sent == [], "keys of the tour decide nothing"


async def test_the_first_session_begins_with_the_tour() -> None:
    app = RunebookApp(scene(), tour=True)
    async with app.run_test() as pilot:
        while not isinstance(app.screen, TourScreen):
            await pilot.pause(0.01)
