"""Going from mode to mode, and what all modes share: the keys, the filter, the way back."""

from __future__ import annotations

import re

import pytest
from tui_scenes import NOW, scene, stage

from runebook_tui.core.suggested import Provenance
from runebook_tui.core.suggestions import Suggest
from runebook_tui.tui import modes
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.screens.log import LogScreen


def suggesting() -> MemoryBackend:
    """The scene, and two suggestions."""
    backend = scene()
    where = Provenance(
        rule="python-missing-module",
        layer="heuristics",
        agent="surfaces",
        file="surfaces.py",
        line=3,
        command=7,
    )
    where = where.model_copy(update={"command": 7})
    missing = Suggest(
        "analysis",
        "fix",
        "no module named libtmux",
        "high",
        "it is not installed",
        "pip install libtmux",
        0.9,
        where,
    )
    slow = Suggest("analysis", "look", "pytest is slow [/x]", "low", "12 s more than before")
    for each in (slow, missing):
        backend.do(each, actor="analysis", at=NOW - 30)
    return backend


@pytest.mark.parametrize("mode", modes.MODES, ids=lambda mode: mode.id)
@pytest.mark.parametrize("size", [(80, 24), (120, 36), (210, 50)], ids=str)
async def test_every_mode_opens_by_its_key_and_escape_comes_back(
    mode: modes.Mode, size: tuple[int, int]
) -> None:
    async with stage(size=size) as played:
        await played.press(mode.key)
        await played.until(lambda: played.app.current_mode == mode.id)
        assert "? help" in played.bar()
        assert "checkout-rewrite" in played.text().splitlines()[0]
        for other in modes.MODES if size[1] > 28 else ():
            assert f"{other.key} {other.id}" in played.text()
        if mode is not modes.COCKPIT:
            await played.press("escape")
            await played.until(lambda: played.app.current_mode == "cockpit")
            await played.press(mode.key, "1")
            await played.until(lambda: played.app.current_mode == "cockpit")


async def test_a_mode_is_found_as_it_was_left_and_has_what_came_meanwhile() -> None:
    backend = suggesting()
    async with stage(backend) as played:
        await played.press("5", "slash", *"libtmux", "enter")
        await played.until(lambda: "pytest is slow" not in played.text())
        await played.press("1")
        await played.shows("Requests")
        backend.do(Suggest("analysis", "fix", "libtmux is old"), actor="analysis", at=NOW)
        await played.press("5")
        await played.shows("libtmux is old", "no module named libtmux")
        assert "pytest is slow" not in played.text()
        await played.press("escape")
        await played.shows("pytest is slow [/x]")


async def test_the_mouse_goes_to_a_mode() -> None:
    async with stage() as played:
        row = played.text().splitlines()[1]
        await played.pilot.click(offset=(row.index("suggestions") + 2, 1))
        await played.until(lambda: played.app.current_mode == "suggestions")


@pytest.mark.parametrize("size", [(80, 24), (210, 50)], ids=str)
async def test_every_empty_screen_says_what_to_do_next(size: tuple[int, int]) -> None:
    words = {
        "cockpit": ("no run yet: E starts the engine", "nobody needs you: a request comes when"),
        "requests": ("nobody needs you: a request comes when",),
        "files": ("no file is here yet that git does not ignore",),
        "timeline": ("nothing has happened yet",),
        "suggestions": ("nothing is suggested: when a command fails",),
        "plan": ("no plan is in force: runebook-tui init makes one",),
        "panes": ("no agent yet: the plan in runebook.toml names them",),
    }
    async with stage(MemoryBackend(now=lambda: NOW), size=size) as played:
        for mode in modes.MODES:
            await played.press(mode.key)
            await played.until(lambda mode=mode: played.app.current_mode == mode.id)
            for text in words[mode.id]:
                await played.until(lambda text=text: text in _unfolded(played.text()))


@pytest.mark.parametrize("mode", ["requests", "files", "suggestions", "plan", "panes"])
async def test_a_filter_that_leaves_nothing_is_said_with_the_key_that_takes_it_away(mode: str) -> None:
    async with stage(suggesting(), size=(80, 24)) as played:
        await played.press(modes.by_id(mode).key)
        await played.until(lambda: played.app.current_mode == mode)
        await played.press("F" if mode == "panes" else "slash", *"zzz", "enter")
        await played.shows("esc takes the filter away")


def _unfolded(screen: str) -> str:
    """What stands on the screen without frames and the ends of rows."""
    return " ".join(re.sub("[│╭╮╰╯─▌]", " ", screen).split())


async def test_a_suggestion_is_shown_whole_taken_and_dismissed() -> None:
    async with stage(suggesting()) as played:
        await played.press("5")
        await played.shows(
            "▲ no module named libtmux", "pip install libtmux", "surfaces.py:3", "python-missing-module"
        )
        await played.shows("e edit the file", "o what failed")
        await played.press("e")
        await played.shows("the repository has no file surfaces.py")
        await played.press("o")
        await played.until(
            lambda: isinstance(played.app.screen, LogScreen) and played.app.screen.rows.entries
        )
        assert [entry.key for entry in played.app.screen.rows.entries] == [7, 6, 5, 4, 3, 2, 1]
        await played.press("escape", "enter")
        await played.until(lambda: ("suggestion-apply", {"suggestion": 2}) in played.backend.sent)
        await played.until(lambda: "no module named libtmux" not in played.text())
        assert played.app.clipboard == "pip install libtmux"
        await played.press("d")
        await played.shows("nothing is suggested")
        assert played.backend.sent[-1] == ("suggestion-dismiss", {"suggestion": 1})
        await played.press("c")
        await played.shows("applied", "dismissed")
        await played.press("d")
        await played.shows("no open suggestion is selected")


async def test_the_palette_and_the_help_know_the_modes() -> None:
    async with stage() as played:
        await played.press("ctrl+p", *"suggestions", "enter")
        await played.until(lambda: played.app.current_mode == "suggestions")
        await played.press("ctrl+p", *"cockpit", "enter")
        await played.until(lambda: played.app.current_mode == "cockpit")


async def test_a_wide_cockpit_says_what_is_suggested_first_and_how_much() -> None:
    async with stage(suggesting(), size=(210, 50)) as played:
        await played.shows("▲ 2 suggestions", "▲ no module named libtmux (1 more); 5 shows them")
    async with stage(suggesting(), size=(120, 36)) as played:
        assert "5 shows them" not in played.text()
