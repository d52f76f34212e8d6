"""What stands on the screen at the sizes that people have."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from tui_scenes import NOW, scene, stage

from runebook_tui.core import commands as c
from runebook_tui.tui.picture import picture
from runebook_tui.tui.widgets.pane import PaneView

SIZES = [(80, 24), (99, 40), (100, 28), (120, 36), (150, 24), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
async def test_one_look_answers_the_three_questions(size: tuple[int, int]) -> None:
    async with stage(size=size) as played:
        header = played.text().splitlines()[0]
        assert "◆ 2 requests" in header, "does anyone need me?"
        assert "phase 2/3" in header, "where is the plan?"
        assert "checkout-rewrite" in header
        assert "0:41:07" in header
        await played.shows("storage or you → core", "src/core/types.py", "+12 −0", "2:03")
        await played.shows("✗ build", "● storage", "1/3", "12:40", "failed: exit 3")
        assert "? help" in played.bar()
        assert "^p all commands" in played.bar()
        assert all(cell_len(row) == size[0] for row in played.text().splitlines())


async def test_wide_shows_three_panels_and_words() -> None:
    async with stage(size=(120, 36)) as played:
        await played.shows("2 working  1 blocked  1 not started  1 done  1 failed", "engine ●")
        await played.shows("surfaces failed: exit 3", "[/x] Traceback")
        text = played.text()
        for title in ("Plan", "surfaces · failed", "Requests · 2"):
            assert title in text.splitlines()[2]
        await played.shows("needs phase build, API storage", "blocked on request 2", "Publish the API")
        await played.shows("gate off: the kernel")


async def test_narrow_shows_requests_above_and_plan_and_pane_as_tabs() -> None:
    async with stage(size=(80, 24)) as played:
        rows = played.text().splitlines()
        assert "Requests" in rows[1]
        assert any("⇥ pane" in row for row in rows)
        assert "[/x] Traceback" not in played.text()
        await played.press("tab")
        await played.shows("[/x] Traceback")
        assert "● storage" not in played.text()
        assert isinstance(played.app.focused, PaneView)
        await played.press("shift+tab")
        await played.shows("● storage")
        assert played.app.focused is played.cockpit.plan


async def test_resizing_goes_from_tabs_to_panels_and_back() -> None:
    async with stage(size=(80, 24)) as played:
        await played.press("n", "n", "k")
        await played.pilot.resize_terminal(200, 50)
        await played.until(lambda: "Requests" in played.text().splitlines()[2].split("Plan")[-1])
        await played.shows(
            "runebook · checkout-rewrite", "capture · blocked on a request", "pytest -q tests/storage"
        )
        await played.pilot.resize_terminal(80, 24)
        await played.until(lambda: "⇥ pane" in played.text())
        assert played.cockpit.plan.agent == "capture"
        assert played.cockpit.requests.selected == 2


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (79, 23), (300, 8)])
async def test_any_size_is_survived(size: tuple[int, int]) -> None:
    async with stage(size=size) as played:
        await played.press("o")
        await played.press("escape", "question_mark", "escape", "l", "escape")
        assert played.app.screen is played.cockpit


async def test_ascii_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNEBOOK_ASCII", "1")
    async with stage() as played:
        await played.shows("! 2 requests", "* storage", "x build", "storage or you > core", "+12 -0")
        assert played.text().isascii()
        await played.press("question_mark")
        await played.press("escape", "o")
        await played.shows("? Request 1")
        assert played.text().isascii()


async def test_no_request_leaves_room_for_the_plan() -> None:
    backend = scene()
    for request in (1, 2):
        backend.do(c.Decide(request, "rejected"))
    async with stage(backend, size=(80, 24)) as played:
        await played.shows("nobody needs you", "gate off")
        assert "request" not in played.text().splitlines()[0]


async def test_the_watch_being_blind_is_said_in_words() -> None:
    backend = scene()
    backend.do(c.ReportNet("watch", None, False, "the root was replaced"), at=NOW - 61)
    async with stage(backend, size=(200, 50)) as played:
        await played.shows("watch blind since 1:01: the root was replaced")


async def test_an_empty_state_is_shown() -> None:
    from runebook_tui.tui.memory import MemoryBackend

    async with stage(MemoryBackend(), size=(80, 24)) as played:
        await played.shows("no run yet", "nobody needs you")
        await played.press("a", "r", "m", "n", "enter", "j", "k", "R", "x")
        await played.shows("no agent is selected")


@pytest.mark.parametrize("theme", ["textual-light", "textual-dark"])
async def test_other_themes_draw(theme: str) -> None:
    async with stage() as played:
        played.app.theme = theme
        await played.shows("● storage", "◆ 2 requests")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_picture_is_svg_with_the_cockpit(size: tuple[int, int]) -> None:
    svg = await picture(scene(), size, now=lambda: NOW)
    assert svg.startswith("<svg")
    for text in ("checkout-rewrite", "storage", "src/core/types.py", "approve"):
        assert text in svg.replace("&#160;", " ")
