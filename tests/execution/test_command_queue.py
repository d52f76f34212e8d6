"""The queue of commands over a log that is far: commands in their turn, and an event loop that goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from runebook_tui.core import commands as c
from runebook_tui.core import events as e
from runebook_tui.core.activity import Activity
from runebook_tui.core.types import AgentSpec, ExecutionPlan, Phase, PlanInfo, Task
from runebook_tui.execution.command_queue import CommandQueue
from runebook_tui.execution.outage import Outage
from runebook_tui.execution.reports import MOST, Report, Reports
from runebook_tui.log.eventlog import LogError
from runebook_tui.log.memory import MemoryLog
from runebook_tui.orchestrator.coordinator import Refused

TASKS = tuple(f"a{number}" for number in range(5))
PLAN = ExecutionPlan(
    plan=PlanInfo(name="far"),
    phases=(Phase(id="build"),),
    agents=(AgentSpec(id="alpha", phase="build", command=("x",), tasks=[Task(id=name) for name in TASKS]),),
)


class FarLog(MemoryLog):
    """A log that takes an append only while `open` is set, like one whose server is silent."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.open.set()
        self.asked = threading.Event()

    def append(self, events: Sequence[e.Event], **more: Any) -> tuple[e.Record, ...]:
        self.asked.set()
        assert self.open.wait(60)
        return super().append(events, **more)


async def opened(log: FarLog) -> CommandQueue:
    queue = CommandQueue(log, far=True, say=lambda line: None, wake=lambda: None)
    queue.open(lambda state, records: None, lambda event: event)
    await queue.handle(c.StartRun(PLAN))
    log.asked.clear()
    return queue


def done(log: FarLog) -> list[str]:
    return [each.event.task for each in log.read() if isinstance(each.event, e.TaskCompleted)]


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 60)


async def test_commands_wait_their_turn_while_the_loop_goes_on() -> None:
    log = FarLog()
    queue = await opened(log)
    log.open.clear()
    tasks = [asyncio.create_task(queue.handle(c.CompleteTask("alpha", name), "alpha")) for name in TASKS]
    await until(log.asked)
    before = queue.state
    await queue.report(c.ReportActivity("alpha", "claude", Activity.WORKING))
    assert not any(task.done() for task in tasks)
    assert queue.state is before, "nothing is folded that is not in the log"
    log.open.set()
    await asyncio.gather(*tasks)
    assert done(log) == list(TASKS)
    await queue.close()
    assert queue.state.agents["alpha"].doing.activity is Activity.WORKING
    assert queue.state.seq == log.last_seq()


async def test_who_leaves_while_the_log_takes_its_records_has_them_recorded_once() -> None:
    log = FarLog()
    queue = await opened(log)
    log.open.clear()
    gone = asyncio.create_task(queue.handle(c.CompleteTask("alpha", "a0"), "alpha"))
    await until(log.asked)
    again = asyncio.create_task(queue.handle(c.CompleteTask("alpha", "a0"), "alpha"))
    waits = asyncio.create_task(queue.handle(c.CompleteTask("alpha", "a1"), "alpha"))
    await asyncio.sleep(0)
    waits.cancel()
    gone.cancel()
    log.open.set()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await again
    assert done(log) == ["a0"], "what had not begun is taken back"
    assert queue.state.seq == log.last_seq()
    await queue.close()


async def test_what_others_appended_is_folded_between_commands_and_own_records_not_twice() -> None:
    log = FarLog()
    queue = await opened(log)
    log.open.clear()
    task = asyncio.create_task(queue.handle(c.CompleteTask("alpha", "a0"), "alpha"))
    await until(log.asked)
    other = CommandQueue(log, far=False, say=lambda line: None, wake=lambda: None)
    log.open.set()
    other.open(lambda state, records: None, lambda event: event)
    await task
    await other.handle(c.CompleteTask("alpha", "a1"), "alpha")
    await asyncio.gather(queue.take(log.read()), queue.take(log.read()))
    assert queue.state.tasks == other.state.tasks
    assert queue.state.seq == other.state.seq == log.last_seq()
    await queue.close()


async def test_a_report_that_the_rule_refuses_is_refused_at_once() -> None:
    queue = await opened(FarLog())
    with pytest.raises(Refused, match="no agent 'nobody'"):
        await queue.report(c.ReportActivity("nobody", "claude", Activity.WORKING))
    await queue.close()


async def test_of_what_an_agent_does_the_newest_waits_and_of_the_rest_everything() -> None:
    open_ = asyncio.Event()
    recorded: list[c.Command] = []

    async def record(command: c.Command, actor: str) -> None:
        await open_.wait()
        recorded.append(command)

    reports = Reports(record, lambda command: False)

    async def add(*given: Report) -> None:
        for each in given:
            await reports.add(each, "alpha")

    def ran(number: int) -> c.ReportCommand:
        return c.ReportCommand("alpha", "claude", f"make {number}", 0, False, 1.0, "")

    await add(ran(0))
    await asyncio.sleep(0)
    await add(c.ReportActivity("alpha", "claude", Activity.WORKING, session="s"))
    await add(*(ran(number) for number in range(1, MOST)))
    await add(c.ReportActivity("alpha", "claude", Activity.IDLE))
    more = asyncio.create_task(add(ran(MOST)))
    await asyncio.sleep(0)
    assert not more.done(), "there is no more room"
    open_.set()
    await more
    await reports.close()
    assert recorded[:2] == [ran(0), c.ReportActivity("alpha", "claude", Activity.IDLE, session="s")]
    assert recorded[2:] == [ran(number) for number in range(1, MOST + 1)]


def test_an_outage_is_said_at_once_then_ever_more_rarely_and_that_it_is_over() -> None:
    said: list[str] = []
    now = 0.0
    outage = Outage(said.append, "waiting", "it is back", clock=lambda: now)
    outage.over()
    for second in range(0, 50 * 60, 2):
        now = float(second)
        outage.note("silent")
    outage.over()
    outage.over()
    assert said == [
        "waiting: silent",
        *(f"waiting (for {minutes} min): silent" for minutes in (1, 5, 15, 30, 45)),
        "it is back, after 2998 s",
    ]


async def test_what_has_happened_is_tried_until_the_log_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    log, said = FarLog(), []
    queue = CommandQueue(log, far=True, say=said.append, wake=lambda: None)
    queue.open(lambda state, records: None, lambda event: event)
    await queue.handle(c.StartRun(PLAN))
    real, tries = log.append, []

    def refuse(events: Sequence[e.Event], **more: Any) -> tuple[e.Record, ...]:
        tries.append(events)
        if len(tries) < 3:
            raise LogError("the server does not answer")
        return real(events, **more)

    monkeypatch.setattr(log, "append", refuse)
    monkeypatch.setattr("runebook_tui.execution.command_queue._LOG_RETRY_SECONDS", 0.0)
    await queue.handle_surely(c.CompleteTask("alpha", "a0"), "alpha")
    assert said == [
        "waiting for the log: the server does not answer",
        "the log takes records again, after 0 s",
    ]
    assert done(log) == ["a0"]
    await queue.close()
