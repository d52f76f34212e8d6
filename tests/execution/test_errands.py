"""Errands: what belongs to another host is done there, once; its answer comes back, or why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runebook_tui.core import commands as c
from runebook_tui.core.state import State
from runebook_tui.core.types import OPERATOR, AgentSpec, ExecutionPlan, Phase, PlanInfo
from runebook_tui.execution.errands import Errands
from runebook_tui.execution.routing import FORWARDED, destination, routed
from runebook_tui.execution.server import Connection, Handler
from runebook_tui.log.errands import MOST_WAITING, Errand, ErrandBox, MemoryErrands, TooManyErrandsError
from runebook_tui.log.memory import MemoryLog
from runebook_tui.log.postgres_errands import PostgresErrands
from runebook_tui.log.schema import make
from runebook_tui.orchestrator.coordinator import Coordinator, Refused

Message = dict[str, Any]


async def nothing(connection: Connection, message: Message) -> Message:
    raise AssertionError("nothing was to be done here")


class Pair:
    """The engines of the plan's own host and of host b, which does what `do` does."""

    def __init__(self, box: ErrandBox, do: Handler, alive: Callable[[str], bool] = lambda host: True) -> None:
        self.here = Errands("", box, nothing, alive)
        self.there = Errands("b", box, do, alive)

    async def ask(self, message: Message, seconds: float = 20.0) -> Message:
        """Ask host b, both engines listening."""
        listening = asyncio.create_task(self._listen())
        try:
            return await self.here.ask("b", message, seconds)
        finally:
            listening.cancel()

    async def _listen(self) -> None:
        while True:
            await self.there.settle()
            await self.here.settle()
            await asyncio.sleep(0.005)


@pytest.fixture(params=["memory", "postgres"])
def box(request: pytest.FixtureRequest) -> Iterator[ErrandBox]:
    """Both kinds of box."""
    made: ErrandBox = MemoryErrands()
    if request.param == "postgres":
        url = request.getfixturevalue("database")
        make(url)
        made = PostgresErrands(url)
    yield made
    made.close()


def test_an_errand_is_given_out_once_and_its_answer_once(box: ErrandBox) -> None:
    box.put(Errand("1", "", "b", "first"), 60)
    box.put(Errand("2", "", "b", "second \\udcff"), 60)
    assert box.take("c") == []
    assert [each.question for each in box.take("b")] == ["first", "second \\udcff"]
    assert box.take("b") == []
    assert box.collect("1") is None
    box.answer("1", "done")
    assert [box.collect("1"), box.collect("1")] == ["done", None]
    box.withdraw("2")
    box.answer("2", "too late")
    assert box.collect("2") is None


def test_errands_that_are_void_make_room_and_more_than_the_bound_are_refused(box: ErrandBox) -> None:
    for number in range(MOST_WAITING):
        box.put(Errand(f"old {number}", "", "b", ""), 0)
    assert box.take("b") == []
    for number in range(MOST_WAITING):
        box.put(Errand(str(number), "", "b", ""), 60)
    with pytest.raises(TooManyErrandsError, match="host b"):
        box.put(Errand("more", "", "b", ""), 60)


async def test_the_answer_of_the_other_host_comes_back(box: ErrandBox) -> None:
    heard = []

    async def do(connection: Connection, message: Message) -> Message:
        heard.append((connection.speaker.name, connection.speaker.why, message))
        return {"lines": ["\udcff"]}

    assert await Pair(box, do).ask({"do": "frame", "agent": "beta"}) == {"lines": ["\udcff"]}
    assert heard == [
        (OPERATOR, "the operator of the plan's own host", {"do": "frame", "agent": "beta"}),
    ]


async def test_a_refusal_is_told_as_it_was_said() -> None:
    async def do(connection: Connection, message: Message) -> Message:
        raise Refused("request 4 is approved already")

    with pytest.raises(Refused, match="request 4 is approved already"):
        await Pair(MemoryErrands(), do).ask({"do": "approve", "request": 4})


async def test_a_failure_and_an_answer_that_is_too_long_are_told_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def fail(connection: Connection, message: Message) -> Message:
        raise ValueError("a mistake")

    async def much(connection: Connection, message: Message) -> Message:
        return {"text": "x" * 3_000_000}

    with pytest.raises(Refused, match="the engine failed on this message"):
        await Pair(MemoryErrands(), fail).ask({"do": "frame"})
    with pytest.raises(Refused, match="too long"):
        await Pair(MemoryErrands(), much).ask({"do": "frame"})


async def test_a_host_without_an_engine_is_not_asked() -> None:
    pair = Pair(MemoryErrands(), nothing, alive=lambda host: False)
    with pytest.raises(Refused, match="no engine of host b runs"):
        await pair.ask({"do": "stop", "agent": "beta"})


async def test_an_engine_that_took_it_and_died_does_not_answer_and_nothing_is_left() -> None:
    box = MemoryErrands()
    here = Errands("", box, nothing, lambda host: True)
    asked = asyncio.create_task(here.ask("b", {"do": "stop", "agent": "beta"}, 0.05))
    with pytest.raises(Refused, match="host b does not answer"):
        await asked
    assert box.take("b") == []


# ── where a message belongs ─────────────────────────────────────────────────────────────────────


@pytest.fixture
def state() -> State:
    """Request 1 is of alpha here, request 2 of beta on host b."""
    agents = (
        AgentSpec(id="alpha", phase="p", command=("x",), claims=("alpha/**",)),
        AgentSpec(id="beta", phase="p", command=("x",), claims=("beta/**",), host="b"),
    )
    coordinator = Coordinator(MemoryLog())
    plan = ExecutionPlan(plan=PlanInfo(name="two"), phases=(Phase(id="p"),), agents=agents)
    coordinator.handle(c.StartRun(plan))
    coordinator.handle(c.Ask("alpha", ("beta/x",), ""))
    coordinator.handle(c.Ask("beta", ("alpha/x",), ""))
    return coordinator.state


@pytest.mark.parametrize(
    ("message", "host"),
    [
        ({"do": "approve", "request": 1}, ""),
        ({"do": "approve", "request": 2}, "b"),
        ({"do": "approve", "request": 2, "means": "widened"}, ""),
        ({"do": "reject", "request": 2, "undo": True}, "b"),
        ({"do": "approve", "request": 9}, None),
        ({"do": "diff", "request": 2}, "b"),
        ({"do": "frame", "agent": "beta"}, "b"),
        ({"do": "stop", "agent": "alpha"}, ""),
        ({"do": "stop", "agent": "nobody"}, None),
        ({"do": "amend", "edits": []}, ""),
        ({"do": "restore", "undo": "u9"}, ""),
        ({"do": "down"}, None),
    ],
)
def test_each_message_has_its_host(state: State, message: Message, host: str | None) -> None:
    assert destination(state, message) == host


async def test_what_is_about_several_hosts_is_shared_out_and_put_together(state: State) -> None:
    async def here(message: Message) -> Message:
        return {"requests": [{"request": each} for each in message["requests"]], "refused": {}}

    async def do(connection: Connection, message: Message) -> Message:
        return {"requests": [], "refused": {str(each): "too late" for each in message["requests"]}}

    pair = Pair(MemoryErrands(), do)
    message = {"do": "approve", "requests": [1, 2]}
    listening = asyncio.create_task(pair._listen())
    try:
        answer = await routed(state, "", pair.here, message, here)
    finally:
        listening.cancel()
    assert answer == {"requests": [{"request": 1}], "refused": {"2": "too late"}}


def test_nothing_but_what_the_operator_does_is_forwarded() -> None:
    assert not FORWARDED & {"hello", "exec", "attach", "writes", "hook", "ready", "task-done", "down"}
