"""Writes that the gate stopped, on the screen: how long they wait, what they would do, what each key does."""

from __future__ import annotations

import pytest
from tui_scenes import NOW, by, scene, stage, touch

from runebook_tui.core import commands as c
from runebook_tui.core.types import GateMode
from runebook_tui.history.heads import FileHead
from runebook_tui.tui.memory import MemoryBackend
from runebook_tui.tui.screens.card import CardScreen

SED = "sed (pid 4121: sed -i s/10/20/ src/storage/api.py), which would open src/storage/api.py for writing"
LATE = "refused, because nobody answered within 120 s"


def hold(path: str, pid: int, *, agent: str = "capture", at: float, seconds: float = 120.0) -> c.Hold:
    words = SED if pid == 4121 else f"cp (pid {pid}), which would open {path} for writing"
    return c.Hold(agent, path, pid, "sed" if pid == 4121 else "cp", words, at + seconds)


def held_scene() -> MemoryBackend:
    """The scene of the other tests, and a write of capture's that has waited for 14 seconds: request 3."""
    backend = scene()
    backend.do(hold("src/storage/api.py", 4121, at=NOW - 14), at=NOW - 14)
    backend.first_lines = {3: (FileHead("src/storage/api.py", ("LIMIT = 10", "[/x]"), "and 7 more lines"),)}
    return backend


async def test_a_write_that_waits_comes_first_with_the_time_that_is_left() -> None:
    async with stage(held_scene()) as played:
        await played.shows("3 requests, 1 held", "blocked on 3, 0:14 of 2:00")
        order = [entry.key for entry in played.cockpit.requests.entries]
        assert order == [3, 2, 1]
        await played.shows("3  capture → storage   0:14 of 2:00", "held · sed, pid 4121 waits")
        played.now += 90
        played.cockpit.requests.redraw()
        played.cockpit.plan.redraw()
        await played.shows("storage   1:44 of 2:00", "blocked on 3, 1:44 of 2:00")


async def test_the_write_that_is_refused_first_comes_first() -> None:
    backend = held_scene()
    backend.do(hold("src/core/x", 7, agent="nix-ci", at=NOW - 60), at=NOW - 60)
    backend.do(hold("src/core/y", 8, agent="storage", at=NOW - 2), at=NOW - 2)
    async with stage(backend) as played:
        await played.shows("5 requests, 3 held")
        assert [entry.key for entry in played.cockpit.requests.entries] == [4, 3, 5, 2, 1]


async def test_a_write_that_waits_no_more_goes_back_in_the_list_and_frees_its_agent() -> None:
    backend = held_scene()
    backend.do(c.Decide(2, "approved"), actor="operator")
    async with stage(backend) as played:
        await played.shows("blocked on 3, 0:14")
        backend.do(c.EndHold(3, LATE), at=NOW)
        await played.shows("held · refused, because nobody")
        assert [entry.key for entry in played.cockpit.requests.entries] == [1, 3]
        assert "blocked" not in played.text()
        assert ", 1 held" not in played.text()


async def test_the_card_of_a_waiting_write_shows_the_file_and_what_each_key_does() -> None:
    async with stage(held_scene(), size=(120, 40)) as played:
        await played.go("requests")
        await played.press("home", "enter")
        await played.shows(
            "Request 3 · held",
            "waiting 0:14 of 2:00",
            "capture wants to write src/storage/api.py, owned by storage",
            "evidence: the kernel gate stopped sed (pid 4121: sed -i s/10/20/ src/storage/api.py)",
            "nothing is written yet; below is what is there now",
            "src/storage/api.py now",
            "1  LIMIT = 10",
            "2  [/x]",
            "and 7 more lines",
            "this write goes on (sed, pid 4121); it may go on writing storage's files",
            "this write goes on, and capture may write this path until capture-1 is done",
            "the write fails, and the program is told your reason",
        )


async def test_the_card_says_when_the_wait_is_over_and_asks_for_a_second_look() -> None:
    async with stage(held_scene(), size=(120, 40)) as played:
        await played.go("requests")
        await played.press("home", "enter")
        await played.shows("let it go on")
        played.backend.do(c.EndHold(3, LATE), at=NOW)
        await played.shows(
            f"no write waits any more ({LATE}): look",
            f"no write waits: {LATE}; approving lets the next try pass",
            "capture's next try may write this path, once",
            "open 0:14",
        )
        await played.press("a")
        await played.shows("look at what has changed")
        assert played.backend.sent == []
        await played.press("a")
        await played.until(lambda: played.backend.state.requests[3].status == "approved")
        assert played.backend.state.grants[3].pid is None


async def test_another_process_that_begins_to_wait_needs_another_look() -> None:
    async with stage(held_scene(), size=(120, 40)) as played:
        await played.go("requests")
        await played.press("home", "enter")
        await played.shows("let it go on")
        played.backend.do(hold("src/storage/api.py", 99, at=NOW), at=NOW)
        await played.shows("has changed since you opened it", "now cp, pid 99")
        await played.press("a")
        assert isinstance(played.app.screen, CardScreen)
        assert played.backend.sent == []


async def test_a_key_pressed_as_the_wait_ends_decides_nothing() -> None:
    async with stage(held_scene()) as played:
        await played.go("requests")
        await played.press("home")
        await played.look()
        played.backend.do(c.EndHold(3, LATE), at=NOW)
        await played.shows("held · refused")
        await played.go("requests")
        await played.press("end", "a")
        assert played.backend.sent == []


async def test_what_a_rename_would_make_is_shown_as_a_diff() -> None:
    backend = held_scene()
    backend.diffs[3] = (
        "--- a/src/storage/api.py\n+++ b/src/storage/api.py\n@@ -1 +1 @@\n-LIMIT = 10\n+LIMIT = 20\n"
    )
    backend.first_lines = {}
    async with stage(backend, size=(120, 40)) as played:
        await played.go("requests")
        await played.press("home", "enter")
        await played.shows("nothing is written yet; below is what would come", "1  +LIMIT = 20")


@pytest.mark.parametrize(
    ("mode", "reason", "shown"),
    [
        (GateMode.ENFORCE, "", ""),
        (GateMode.OBSERVE, "kernel 5.15 cannot hold", "gate observes: kernel 5.15 c"),
        (GateMode.OFF, "no seccomp", "gate off: no seccomp"),
    ],
)
async def test_the_plan_says_when_the_gate_does_less_than_it_asks_for(
    mode: GateMode, reason: str, shown: str
) -> None:
    backend = held_scene()
    backend.do(c.ReportNet("gate", "storage", mode is not GateMode.OFF, reason, mode), at=NOW)
    async with stage(backend) as played:
        await played.shows("Publish the API", shown)
        lines = [line.split("││")[0] for line in played.text().splitlines()]
        assert sum("gate off:" in line or "gate observes:" in line for line in lines) == (
            2 if shown else 1
        ), "nix-ci's stands there always"


async def test_everything_fits_a_small_terminal() -> None:
    async with stage(held_scene(), size=(80, 24)) as played:
        await played.go("requests")
        await played.press("home")
        await played.shows("◆ 3, 1 held", "0:14 of 2:00", "held · sed, pid 4121 waits")
        await played.press("enter")
        await played.shows("waiting 0:14 of 2:00", "let it go on", "LIMIT = 10", "the write fails")


async def test_a_touch_of_the_owner_is_named_on_the_card_of_a_stopped_write() -> None:
    backend = held_scene()
    backend.do(c.Observe((touch("src/storage/api.py", by("storage")),)), at=NOW - 12)
    async with stage(backend) as played:
        await played.go("requests")
        await played.press("home", "enter")
        await played.shows("changing it right now (wrote it 0:12 ago)")
