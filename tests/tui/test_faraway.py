"""Panes on other hosts: asked for while they are looked at, and nobody waits for a host that is slow."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tui_scenes import stage

from runebook_tui.tui.backend import BackendError, Frame
from runebook_tui.tui.faraway import FORGOTTEN_SECONDS, PANE_SECONDS, TROUBLE_SECONDS, Faraway


class Hosts:
    """Engines that answer once `answering` is set; a pane shows how often it was asked for."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[str] = []
        self.answering = asyncio.Event()
        self.answering.set()
        self.faraway = Faraway(self.ask, lambda: self.now)

    async def ask(self, do: str, *, agent: str) -> dict[str, object]:
        self.asked.append(agent)
        number = len(self.asked)
        await self.answering.wait()
        if agent == "nobody":
            raise BackendError("no engine of host b runs")
        return {"lines": [f"\udcff{number}"], "cursor": [3, 0], "width": 80}


async def test_a_pane_is_asked_for_once_a_second_and_only_while_it_is_looked_at() -> None:
    hosts = Hosts()
    first = {"beta": Frame((b"\xff1",), (3, 0), width=80)}
    assert await hosts.faraway.captures(["beta"]) == first
    assert await hosts.faraway.captures(["beta"]) == first
    assert hosts.asked == ["beta"]
    hosts.now += PANE_SECONDS
    assert (await hosts.faraway.captures(["beta"]))["beta"] == Frame((b"\xff2",), (3, 0), width=80)
    assert await hosts.faraway.captures([]) == {}
    assert hosts.asked == ["beta"] * 2
    hosts.now += PANE_SECONDS + FORGOTTEN_SECONDS + 1
    hosts.answering.clear()
    assert str((await hosts.faraway.captures(["beta"]))["beta"]) == "its host has not answered yet"
    await hosts.faraway.close()


async def test_a_slow_host_keeps_nobody_waiting_and_is_asked_once() -> None:
    hosts = Hosts()
    hosts.answering.clear()
    assert str((await hosts.faraway.captures(["beta"]))["beta"]) == "its host has not answered yet"
    assert str((await hosts.faraway.captures(["beta"]))["beta"]) == "its host has not answered yet"
    assert hosts.asked == ["beta"]
    hosts.answering.set()
    assert (await hosts.faraway.captures(["beta"]))["beta"] == Frame((b"\xff1",), (3, 0), width=80)
    await hosts.faraway.close()


async def test_one_that_cannot_be_had_says_why_and_is_asked_for_less_often() -> None:
    hosts = Hosts()
    assert str((await hosts.faraway.captures(["nobody"]))["nobody"]) == "no engine of host b runs"
    hosts.now += PANE_SECONDS
    await hosts.faraway.captures(["nobody"])
    assert hosts.asked == ["nobody"]
    hosts.now += TROUBLE_SECONDS
    await hosts.faraway.captures(["nobody"])
    assert hosts.asked == ["nobody"] * 2


async def test_the_header_says_which_hosts_have_no_engine() -> None:
    async with stage(size=(220, 36)) as played:
        played.app.view = replace(played.app.view, away=("gpu",))
        await played.shows("host gpu away")
        played.app.view = replace(played.app.view, away=("gpu", "build"))
        await played.shows("2 hosts away")
