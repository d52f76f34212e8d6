"""What the gates are answered about the writes that they stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from runebook_tui.core import commands as c
from runebook_tui.core.events import Event, HoldEnded
from runebook_tui.core.grants import Scope
from runebook_tui.core.state import State
from runebook_tui.core.types import (
    AgentSpec,
    Author,
    Change,
    ExecutionPlan,
    Phase,
    PlanInfo,
    Policy,
    Version,
)
from runebook_tui.execution.holds import Holds, StoppedWrite
from runebook_tui.log.memory import MemoryLog
from runebook_tui.orchestrator.coordinator import Coordinator


class Engine:
    """A coordinator with its holds, and what was pushed to the gate."""

    def __init__(self, **policy: Any) -> None:
        agents = tuple(
            AgentSpec(id=name, phase="build", command=("true",), claims=(f"{name}/**",))
            for name in ("alpha", "beta")
        )
        self.plan = ExecutionPlan(
            plan=PlanInfo(name="play"),
            phases=(Phase(id="build"),),
            agents=agents,
            policy=Policy(**policy),
        )
        self.log = MemoryLog()
        self.coordinator = Coordinator(self.log, listener=lambda state, _: self.holds.published(state))
        self.holds = Holds(self.handle, lambda: self.state, lambda agent, path: None)
        self.pushed: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.coordinator.handle(c.StartRun(self.plan))

    @property
    def state(self) -> State:
        return self.coordinator.state

    def records(self) -> list[Event]:
        return [record.event for record in self.log.read()]

    async def handle(self, command: c.Command) -> None:
        self.coordinator.handle(command)
        self.news.set()

    def push(self, message: dict[str, Any]) -> None:
        self.pushed.append(message)
        self.news.set()

    async def stopped(
        self, path: str, number: int = 1, pid: int = 7, source: int = 1, **more: Any
    ) -> dict[str, Any]:
        record = {"op": "open", "path": path, "to": None, "pid": pid, "program": "sed", "argv": "sed -i x"}
        message = {"id": number, "record": record, "waits": True, **more}
        return await self.holds.take(StoppedWrite.from_message("alpha", message), source, self.push)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()

    async def told(self) -> dict[str, Any]:
        """The next thing that the gate is told unasked."""
        await self.until(lambda: self.pushed)
        return self.pushed.pop(0)


async def test_an_approval_lets_the_waiting_call_go_on() -> None:
    engine = Engine()
    assert await engine.stopped("beta/x", number=5) == {"request": 1, "verdict": "hold", "words": ""}
    await engine.handle(c.Decide(1, "approved"))
    settled = await engine.told()
    assert settled == {"push": "settle", "id": 5, "request": 1, "verdict": "continue", "words": ""}


async def test_a_rejection_says_whose_it_is_which_request_and_why() -> None:
    engine = Engine()
    await engine.stopped("beta/x")
    await engine.handle(c.Decide(1, "rejected", reason="not\nnow"))
    settled = await engine.told()
    assert settled["verdict"] == "refuse"
    assert settled["words"] == "beta/x is beta's; the operator rejected request 1: not␊now"


async def test_one_key_answers_every_call_of_the_request() -> None:
    engine = Engine()
    for number in (1, 2, 3):
        await engine.stopped(f"beta/x{number}", number=number, pid=number)
    await engine.handle(c.Decide(1, "approved"))
    assert [(await engine.told())["id"] for _ in range(3)] == [1, 2, 3]
    assert not engine.state.open_requests


async def test_nobody_answers_and_the_request_stays_open() -> None:
    engine = Engine(hold_seconds=0.05)
    await engine.stopped("beta/x")
    settled = await engine.told()
    assert settled["verdict"] == "refuse"
    assert "nobody answered within 0.05 s: request 1 is open" in settled["words"]
    await engine.until(lambda: engine.state.requests[1].hold_over)
    (request,) = engine.state.open_requests
    assert request.held_until is None
    assert "nobody answered" in request.hold_over


async def test_a_call_that_does_not_wait_is_refused_with_the_number_of_its_request() -> None:
    engine = Engine()
    answer = await engine.stopped("beta/x", waits=False, reason="git holds its index lock")
    assert (answer["request"], answer["verdict"]) == (1, "refuse")
    assert answer["words"].startswith("beta/x is beta's; git holds its index lock: request 1 is open")


async def test_what_is_granted_meanwhile_needs_no_question() -> None:
    engine = Engine()
    await engine.handle(c.Ask("alpha", ("beta/x",), "please"))
    await engine.handle(c.Decide(1, "approved", Scope.PLAN))
    assert await engine.stopped("beta/x") == {"request": 1, "verdict": "continue", "words": ""}
    assert (await engine.stopped("alpha/x"))["verdict"] == "continue"


async def test_an_approved_act_does_not_answer_a_new_question_of_its_process() -> None:
    engine = Engine()
    await engine.stopped("beta/x")
    await engine.handle(c.Decide(1, "approved"))
    change = Change(path="beta/x", before=Version(kind="absent"), after=Version(kind="file", digest="1"))
    author = Author(name="alpha", evidence="seen", pid=7, under=1)
    await engine.handle(c.Observe((c.Touch(change, author),)))
    assert (await engine.stopped("beta/x", number=2))["verdict"] == "hold"
    assert (await engine.stopped("beta/y", number=3))["verdict"] == "hold"


async def test_an_approval_that_the_gate_saw_used_does_not_answer_before_the_engine_hears_of_it() -> None:
    engine = Engine()
    await engine.stopped("beta/x")
    await engine.handle(c.Decide(1, "approved"))
    assert (await engine.stopped("beta/x", number=2))["verdict"] == "continue"
    assert (await engine.stopped("beta/x", number=3, spent=[1]))["verdict"] == "hold"


async def test_a_call_that_its_process_gave_up_withdraws_the_request_unless_another_waits() -> None:
    engine = Engine()
    await engine.stopped("beta/x", number=1, pid=7)
    await engine.stopped("beta/x", number=2, pid=8)
    await engine.holds.let_go("alpha", 1, 1, "its process has ended")
    assert engine.state.requests[1].open
    await engine.holds.let_go("alpha", 1, 2, "its process has ended")
    assert engine.state.requests[1].status == "withdrawn"


async def test_a_supervisor_that_comes_back_takes_its_question_up_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("runebook_tui.execution.holds.RETURN_SECONDS", 0.02)
    engine = Engine()
    await engine.stopped("beta/x", number=4, source=1)
    engine.holds.lost("alpha", 1)
    assert (await engine.stopped("beta/x", number=4, source=2))["request"] == 1
    await asyncio.sleep(0.05)
    assert engine.state.requests[1].open
    engine.holds.lost("alpha", 2)
    await engine.until(lambda: not engine.state.requests[1].open)
    assert engine.state.requests[1].status == "withdrawn"


async def test_an_answer_given_while_the_engine_died_is_given_again() -> None:
    engine = Engine()
    await engine.stopped("beta/x", number=4)
    engine.holds.close()
    engine.holds = Holds(engine.handle, lambda: engine.state, lambda agent, path: None)
    await engine.handle(c.Decide(1, "rejected", reason="no"))
    answer = await engine.stopped("beta/x", number=4, source=2)
    assert (answer["request"], answer["verdict"]) == (1, "refuse")
    await engine.stopped("beta/y", number=5, source=2)
    engine.holds.close()
    await engine.handle(c.Decide(2, "approved"))
    assert (await engine.stopped("beta/y", number=5, source=3))["verdict"] == "continue"


async def test_what_nobody_asks_again_after_a_restart_waits_no_more_but_is_open() -> None:
    engine = Engine()
    await engine.stopped("beta/x", number=1)
    await engine.stopped("beta/y", number=2, pid=8)
    engine.holds.close()
    engine.holds = Holds(engine.handle, lambda: engine.state, lambda agent, path: None)
    await engine.holds.end_forgotten()
    (request,) = engine.state.open_requests
    assert (request.held_until, request.hold_over) == (None, "the engine was away")
    await engine.stopped("beta/x", number=1)
    await engine.holds.end_forgotten()
    assert engine.state.requests[1].held_until is not None


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"id": True, "record": {}},
        {"id": 1, "record": {"path": "x", "pid": "7", "program": "sed"}},
        {"id": 1, "record": {"path": "", "pid": 7, "program": "sed"}},
        {"id": 1, "record": []},
    ],
)
def test_what_is_no_stopped_write_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a stopped write needs"):
        StoppedWrite.from_message("alpha", message)


def test_what_would_take_the_place_of_the_path_is_said_and_kept() -> None:
    record = {"op": "replace", "path": "beta/x", "to": None, "pid": 7, "program": "mv", "argv": "mv a beta/x"}
    write = StoppedWrite.from_message("alpha", {"id": 1, "record": {**record, "from": "alpha/a"}})
    assert write.source == "alpha/a"
    assert write.words == "mv (pid 7: mv a beta/x), which would replace beta/x with alpha/a"
    write = StoppedWrite.from_message(
        "alpha", {"id": 1, "record": {**record, "via": "beta/x.tmp", "from": 3}}
    )
    assert write.source is None
    assert write.words.endswith("which would replace beta/x with beta/x.tmp")


async def test_a_write_that_lapses_while_another_waits_leaves_a_record() -> None:
    engine = Engine(hold_seconds=60, paths=[{"path": "beta/soon", "hold_seconds": 0.05}])
    await engine.stopped("beta/long", number=1)
    await engine.stopped("beta/soon", number=2)
    await engine.until(lambda: engine.pushed)
    assert (engine.pushed[0]["id"], engine.pushed[0]["verdict"]) == (2, "refuse")
    (request,) = engine.state.open_requests
    (ended,) = [each for each in engine.records() if isinstance(each, HoldEnded)]
    assert ended.reason == "refused, because nobody answered within 0.05 s"
    assert ended.until == request.held_until
    assert request.held_until is not None
    assert request.held_until > engine.state.time + 30  # the one that waits still
    assert request.hold_over == ""
    engine.coordinator.handle(c.Decide(request.id, "approved", Scope.PLAN))
    assert (engine.pushed[1]["id"], engine.pushed[1]["verdict"]) == (1, "continue")


async def test_an_engine_that_leaves_says_of_every_write_that_it_waits_no_more() -> None:
    engine = Engine()
    await engine.stopped("beta/x")
    engine.coordinator.handle(c.LeaveEngine("told to go down"))
    (request,) = engine.state.open_requests
    assert (request.held_until, request.hold_over) == (None, "the engine has stopped")
