"""What the hooks of agents' clients say, on the screen: their edits, and what they do."""

from __future__ import annotations

from tui_scenes import DIFF, NOW, scene, stage

from runebook_tui.core import commands as c
from runebook_tui.core.activity import Activity
from runebook_tui.core.types import Crossing, Version
from runebook_tui.tui.memory import MemoryBackend


def doing(activity: Activity, about: str = "", **more: float) -> c.ReportActivity:
    return c.ReportActivity("capture", "Claude Code", activity, about, **more)  # type: ignore[arg-type]


def hooked_scene() -> MemoryBackend:
    """The scene of the other tests, and an edit that capture's client has asked about 14 seconds ago."""
    backend = scene()
    coming = Version(kind="file", digest="coming", size=6, stored=True)
    crossing = Crossing(path="src/storage/api.py", owner="storage", proposed=coming)
    asked = c.Propose("capture", "Claude Code", "Edit", (crossing,), until=NOW + 106)
    backend.do(doing(Activity.WORKING), at=NOW - 20)
    backend.do(asked, at=NOW - 14)
    backend.diffs[3] = DIFF
    return backend


async def test_the_card_of_a_clients_edit_shows_its_diff_and_what_each_key_does() -> None:
    async with stage(hooked_scene(), size=(120, 40)) as played:
        await played.shows("3  capture → storage   0:14 of 2:00", "held · Claude Code waits")
        await played.go("requests")
        await played.press("home", "enter")
        await played.shows(
            "Request 3 · held",
            "capture wants to write src/storage/api.py, owned by storage",
            "evidence: Claude Code's Edit tool asked",
            "nothing is written yet; below is what would come",
            "limit: int | None = None",
            "Claude Code makes this edit now, as it is shown; any other asks again",
        )
        assert "pid None" not in played.text()


async def test_the_agents_row_says_what_its_client_does() -> None:
    backend = hooked_scene()
    async with stage(backend) as played:
        await played.shows("Claude Code is at work")
        backend.do(doing(Activity.WAITING, "[/x] may Bash run?"), at=NOW)
        await played.shows("Claude Code waits for your inp", "waits for your input ([/x] may Bash run?)")
        backend.do(doing(Activity.IDLE, tokens=2400, cost=0.5), at=NOW)
        await played.shows("Claude Code is idle, 2,4", "Claude Code is idle, 2,400 tokens, $0.50")
