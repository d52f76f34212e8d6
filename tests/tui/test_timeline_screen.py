"""The timeline: lanes and marks, every key, what was missed, and what is new."""

from __future__ import annotations

import pytest
from test_hostile import HOSTILE, whole
from tui_scenes import NOW, T0, Stage, by, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core.chronicle import Kind
from runebook_tui.core.presence import Look
from runebook_tui.core.types import OPERATOR
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.screens.card import CardScreen
from runebook_tui.tui.screens.timeline import TimelineScreen


def lane(played: Stage, name: str) -> str:
    """What stands in a lane, after its name."""
    rows = [line for line in played.text().splitlines() if line.startswith((f"│ {name} ", f"│ {name[:9]}"))]
    return rows[0].split(name, 1)[1] if rows else ""


async def opened(played: Stage) -> TimelineScreen:
    """Go there, and wait until the run was read."""
    await played.press("4")
    await played.shows("Timeline · 41:07 · now", "surfaces")
    screen = played.app.screen
    assert isinstance(screen, TimelineScreen)
    await played.until(lambda: screen._seq)
    return screen


async def test_lanes_show_who_did_what_when() -> None:
    async with stage() as played:
        await opened(played)
        assert "0:10:00" in played.text()
        assert "─" in lane(played, "core"), "it is done"
        assert "⊗" in lane(played, "surfaces")
        assert "╳" in lane(played, "surfaces"), "it has failed"
        assert "▃" in lane(played, "storage"), "it works"
        assert "░" in lane(played, "nix-ci"), "it waited for its start"
        assert "◆" in lane(played, "capture"), "it asks"
        assert played.text().index("orchestration") < played.text().index("│ core")


async def test_the_cursor_walks_from_event_to_event_and_tells_each() -> None:
    async with stage() as played:
        screen = await opened(played)
        await played.press("up")
        await played.shows("request 2: capture asks to write", "requests · event", "open request 2", "▼")
        await played.press("up", "k")
        await played.shows("surfaces failed: exit 3")
        await played.press("down")
        await played.shows("request 1:")
        await played.press("home")
        await played.until(lambda: screen._cursor is screen._walked()[0])
        await played.press("j", "end")
        await played.until(lambda: screen._cursor is screen._walked()[-1])


async def test_enter_opens_the_card_of_the_request_under_the_cursor() -> None:
    async with stage() as played:
        await opened(played)
        await played.press("enter")
        await played.shows("up and down choose an event")
        await played.press("up", "enter")
        await played.until(lambda: isinstance(played.app.screen, CardScreen))
        await played.shows("append_event needs a limit argument")
        await played.press("escape", "home", "enter")
        await played.shows("no request of this run belongs to this event")


async def test_zoom_and_pan_and_all() -> None:
    async with stage() as played:
        screen = await opened(played)
        await played.press("plus")
        await played.shows("Timeline · 20:33 · now")
        await played.press("left")
        await played.until(lambda: not screen._window.live)
        assert "now" not in played.text().splitlines()[2]
        end = screen._window.end
        await played.press("right", "right")
        await played.until(lambda: screen._window.live)
        assert screen._window.end > end
        await played.press("minus")
        await played.shows("Timeline · 41:07 · now")
        await played.press("plus", "plus", "0")
        await played.shows("Timeline · 41:07 · now")
        await played.press("up", "plus", "plus", "plus")
        assert screen._cursor is not None
        assert screen._window.holds(screen._cursor.time)
        await played.press("home")
        assert screen._window.holds(screen._cursor.time), "the window goes with the cursor"


async def test_it_is_live_at_its_right_edge() -> None:
    backend = scene()
    async with stage(backend) as played:
        await opened(played)
        played.now += 60
        await played.shows("Timeline · 42:07 · now")
        backend.do(c.CompleteTask("storage", "storage-2"), at=NOW + 30)
        await played.press("end")
        await played.shows("storage completed task storage-2")


async def test_what_came_faster_than_the_view_keeps_is_read_from_the_log() -> None:
    backend = scene()
    async with stage(backend) as played:
        screen = await opened(played)
        await played.press("1")
        for number in range(120):
            backend.do(c.Observe((touch(f"src/core/{number}.py", by("core")),)), at=NOW)
        await played.press("4")
        await played.until(lambda: len(screen._chronicle.lanes["core"].times.get(Kind.WRITE, ())) == 120)


async def test_the_filter_leaves_agents_or_kinds_of_events() -> None:
    async with stage() as played:
        screen = await opened(played)
        await played.press("slash", *"surf", "enter")
        await played.until(lambda: "│ storage" not in played.text())
        assert "╳" in lane(played, "surfaces")
        await played.press("up")
        await played.shows("surfaces failed")
        await played.press("escape", "slash", *"writes", "enter")
        await played.until(lambda: "│ nix-ci" not in played.text())
        await played.press("up")
        await played.shows("storage wrote src/storage/store.py")
        assert {each.kind for each in screen._walked()} == {Kind.WRITE}
        await played.press("escape")
        await played.shows("│ nix-ci")


async def test_a_decision_is_a_mark_of_the_agent_that_asked() -> None:
    backend = scene()
    backend.do(c.Decide(2, "approved"), actor=OPERATOR, at=NOW - 5)
    async with stage(backend, size=(210, 50)) as played:
        await opened(played)
        await played.press("end")
        await played.shows("decisions · event", "request 2", "approved", "open request 2")
        await played.press("plus", "plus", "plus", "plus", "plus", "plus")
        await played.until(lambda: "✓" in lane(played, "capture"))


async def test_the_time_away_is_shaded_and_told() -> None:
    backend = scene()
    backend.do(Look(leaves=True), at=NOW - 800)
    backend.do(c.Observe((touch("src/storage/new.py", by("storage")),)), at=NOW - 400)
    backend.do(Look(), at=NOW - 10)
    async with stage(backend, size=(160, 40)) as played:
        if played.app.screen is not played.cockpit:
            await played.press("escape")
        await played.press("4")
        await played.shows("While you were away", "for 13:10; shaded above", "surfaces has failed: exit 3")


async def test_a_click_goes_to_the_nearest_event_of_the_lane() -> None:
    async with stage() as played:
        screen = await opened(played)
        rows = played.text().splitlines()
        row = next(at for at, line in enumerate(rows) if line.startswith("│ surfaces"))
        await played.pilot.click(offset=(rows[row].index("⊗") + 5, row))
        await played.until(lambda: screen._cursor is not None and screen._cursor.lane == "surfaces")
        await played.shows("surfaces ended: exit 3")


async def test_lanes_that_do_not_fit_are_scrolled_to() -> None:
    async with stage(size=(80, 24)) as played:
        screen = await opened(played)
        await played.press("pagedown", "pageup")
        await played.press("slash", *"nix", "enter", "up", "escape")
        await played.until(lambda: "nix-ci" in played.text())
        assert screen._cursor is not None
        assert screen._cursor.lane == "nix-ci"


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (210, 50)], ids=str)
async def test_hostile_words_break_nothing_at_any_size(size: tuple[int, int]) -> None:
    backend: MemoryBackend = scene()
    for number, (path, _) in enumerate(list(HOSTILE.values())[:8]):
        backend.do(c.Ask("capture", (path,), f"please: {path}", pid=number), at=T0 + 2400 + number)
    async with stage(backend, size=size) as played:
        await opened(played)
        for key in ("up", "up", "up", "up", "plus", "plus", "left", "up", "minus", "0", "right"):
            await played.press(key)
            whole(played)
