"""Mode 7: the panes of several agents beside each other, or one alone."""

from __future__ import annotations

import pytest
from tui_scenes import NOW, Stage, scene, stage

from runebook_tui.core import commands as c
from runebook_tui.tui.backend import Frame
from runebook_tui.tui.widgets.panegrid import PaneGrid


def grid(played: Stage) -> PaneGrid:
    return played.app.screen.query_one(PaneGrid)


async def test_a_small_terminal_shows_one_pane_and_turns_the_pages() -> None:
    async with stage(size=(80, 24)) as played:
        await played.press("7")
        await played.until(lambda: grid(played).agents == ("capture",))
        seen = []
        for _ in range(7):
            seen.append(*grid(played).agents)
            await played.press("right_square_bracket")
        assert seen == ["capture", "surfaces", "storage", "nix-ci", "core", "analysis", "capture"]


async def test_a_wide_terminal_shows_a_grid_with_those_first_that_need_you() -> None:
    async with stage(size=(210, 50)) as played:
        await played.press("7")
        await played.until(lambda: len(grid(played).agents) == 6)
        assert grid(played).agents[:4] == ("capture", "surfaces", "storage", "nix-ci")
        await played.shows("capture · blocked on a request", "storage · working", "2 need you")
        titles = played.text().splitlines()[2]
        assert all(agent in titles for agent in ("capture", "surfaces", "storage"))


@pytest.mark.parametrize("keys", [("right", "down", "left", "up"), ("right", "j", "left", "k")])
async def test_the_arrows_move_among_the_panes(keys: tuple[str, ...]) -> None:
    async with stage(size=(210, 50)) as played:
        await played.press("7")
        await played.until(lambda: grid(played).agent == "capture" and len(grid(played).agents) == 6)
        order = grid(played).agents
        went = []
        for key in keys:
            await played.press(key)
            went.append(grid(played).agent)
        assert went == [order[1], order[4], order[3], order[0]]


async def test_zoom_shows_one_pane_alone_and_all_again() -> None:
    async with stage(size=(210, 50)) as played:
        await played.press("7")
        await played.until(lambda: len(grid(played).agents) == 6)
        before = grid(played).agents
        await played.press("right", "f")
        await played.until(lambda: grid(played).agents == ("surfaces",))
        await played.press("right")
        assert grid(played).agents == ("storage",)
        await played.press("escape")
        await played.until(lambda: set(grid(played).agents) == set(before))
        assert grid(played).agent == "storage"


async def test_a_pinned_pane_stays_when_others_need_you() -> None:
    async with stage(size=(140, 20)) as played:
        await played.press("7")
        await played.until(lambda: grid(played).agents == ("capture", "surfaces"))
        await played.press("right_square_bracket")
        await played.until(lambda: grid(played).agents == ("storage", "nix-ci"))
        await played.press("space", "left_square_bracket")
        await played.until(lambda: "storage" in grid(played).agents)
        await played.shows("pinned", "unpin")


async def test_a_pane_keeps_its_place_when_another_agent_begins_to_need_you() -> None:
    async with stage(size=(210, 50)) as played:
        await played.press("7")
        await played.until(lambda: len(grid(played).agents) == 6)
        before = grid(played).agents
        played.backend.do(c.Ask("nix-ci", ("src/core/a.py",), "please", pid=1), at=NOW)
        await played.shows("3 need you")
        assert grid(played).agents == before
        await played.press("n", "n")
        assert grid(played).agent == "nix-ci"


async def test_only_panes_that_are_seen_are_looked_at() -> None:
    backend = scene()
    backend.frames |= {agent: Frame((agent.encode(),)) for agent in ("storage", "capture", "nix-ci")}
    async with stage(backend, size=(80, 24)) as played:
        await played.press("7")
        await played.until(lambda: backend.captured["capture"] >= 2)
        backend.captured.clear()
        await played.until(lambda: backend.captured["capture"] >= 3)
        assert set(backend.captured) == {"capture"}
        await played.press("1", "tab")
        await played.until(lambda: backend.captured["surfaces"])
        backend.captured.clear()
        await played.until(lambda: backend.captured["surfaces"] >= 3)
        assert set(backend.captured) == {"surfaces"}


async def test_the_filter_leaves_the_agents_that_hold_it() -> None:
    async with stage(size=(210, 50)) as played:
        await played.press("7", "F", *"nix")
        await played.until(lambda: grid(played).agents == ("nix-ci",))
        await played.press("enter")
        await played.press("escape")
        await played.until(lambda: len(grid(played).agents) == 6)
        await played.press("F", *"nobody")
        await played.shows("no agent is like that")
