"""The pane of the selected agent, and the engine coming and going."""

from __future__ import annotations

import asyncio

from tui_scenes import NOW, PANE, running, scene, stage

from runebook_tui.core import commands as c
from runebook_tui.tui.backend import BackendError, Frame
from runebook_tui.tui.memory import MemoryBackend


async def test_the_pane_of_the_selected_agent_is_live() -> None:
    async with stage() as played:
        await played.press("k")
        await played.shows(
            "capture · blocked on a request", "pytest -q tests/storage", "Thinking about pagination"
        )
        played.backend.frames["capture"] = Frame((b"and on it goes",))
        await played.shows("and on it goes")


async def test_colours_of_the_pane_are_kept() -> None:
    async with stage() as played:
        await played.press("k")
        await played.shows("TypeError")
        assert played.colours("TypeError").isdisjoint(played.colours("pytest -q"))
        assert played.colours("TypeError") == played.colours("F")


async def test_only_the_selected_pane_is_captured_and_only_while_it_can_be_seen() -> None:
    async with stage(size=(80, 24)) as played:
        await played.press("k", "k")
        assert sum(played.backend.captures.values()) == 0, "the plan's tab covers the pane"
        await played.press("tab")
        await played.shows("pytest -q")
        assert set(played.backend.captures) == {"storage"}


class _Slow(MemoryBackend):
    """A capture that takes until it is let go."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)
        self.gate = asyncio.Event()
        self.inside = self.most = 0

    async def capture(self, agent: str) -> Frame | None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.gate.wait()
            return await super().capture(agent)
        finally:
            self.inside -= 1


async def test_captures_never_overlap_and_a_slow_one_does_not_hold_up_the_keys() -> None:
    backend = _Slow(scene().records, now=lambda: NOW)
    backend.frames = {"storage": PANE, "capture": PANE}
    async with stage(backend) as played:
        for _ in range(4):
            await played.press("k", "j")
        await played.press("k")
        await played.until(lambda: backend.inside == 1)
        backend.gate.set()
        await played.shows("pytest -q")
        assert backend.most == 1


class _Broken(MemoryBackend):
    async def capture(self, agent: str) -> Frame | None:
        raise BackendError("tmux is gone [/x]")


async def test_a_capture_that_fails_is_said_in_a_plain_line() -> None:
    async with stage(_Broken(scene().records, now=lambda: NOW)) as played:
        await played.press("k")
        await played.shows("the pane cannot be read: tmux is gone", "[/x]")


async def test_an_agent_that_has_not_started_says_what_it_waits_for() -> None:
    async with stage() as played:
        await played.press("j")
        await played.shows("analysis has not started: it waits for")


async def test_a_restarted_agent_shows_its_new_pane() -> None:
    async with stage() as played:
        await played.shows("[/x] Traceback")
        played.backend.frames["surfaces"] = Frame((b"fresh start",))
        played.backend.do(c.RestartAgent("surfaces"), at=NOW)
        running(played.backend, "surfaces", NOW, 999)
        await played.shows("surfaces · working", "fresh start")


async def test_an_engine_that_is_gone_is_said_and_the_keys_say_why() -> None:
    async with stage() as played:
        played.backend.engine_alive = False
        await played.shows("engine ✗ not running")
        assert "approve" not in played.bar()
        assert "open 1" in played.bar()
        await played.decide("a")
        await played.shows("E starts it")
        await played.press("R", "x")
        assert played.backend.sent == []
        played.backend.engine_alive = True
        await played.until(lambda: "approve 1" in played.bar())
        await played.decide("a")
        await played.until(lambda: not played.backend.state.requests[1].open)


async def test_times_go_on_without_an_update() -> None:
    async with stage() as played:
        assert "2:03" in played.text()
        played.now += 60
        await played.shows("3:03", "0:42:07", "13:40")


async def test_the_run_that_ended_is_said() -> None:
    backend = scene()
    backend.do(c.EndRun("failed", "surfaces failed (exit 3)"), at=NOW)
    async with stage(backend, size=(200, 50)) as played:
        await played.shows("run failed: surfaces failed (exit 3)")
