"""The runner from Python, as the seed document uses it."""

from __future__ import annotations

import asyncio

import pytest

from runebook_tui.core.events import AgentReady, ApiPublished, CoordinationResponse, TaskCompleted
from runebook_tui.core.types import ExecutionPlan
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.runner import ParallelExecutionRunner
from runebook_tui.log.sqlite import SqliteLog
from runebook_tui.orchestrator.coordinator import Refused
from runebook_tui.orchestrator.seed import seed_plan
from runebook_tui.tmux.memory import MemoryPanes

PLAN = {
    "plan": {"name": "py"},
    "phases": [{"id": "build"}, {"id": "wire", "after": ["build"], "needs": {"apis": ["api"]}}],
    "agents": [
        {
            "id": "alpha",
            "phase": "build",
            "command": ["sleep", "600"],
            "claims": ["src/**"],
            "tasks": [{"id": "alpha-1"}],
        },
        {"id": "beta", "phase": "wire", "command": ["true"]},
    ],
    "interfaces": [{"name": "api", "owner": "alpha", "path": "src/api.py", "must_contain": ["def call"]}],
}


async def test_messages_drive_a_plan_to_its_end(session, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    runner, handle = ParallelExecutionRunner.create(ExecutionPlan.model_validate(PLAN), root=session.root)
    run = asyncio.create_task(runner.execute())
    assert await runner.changed(lambda state: "alpha" in state.agents and state.agents["alpha"].alive, 60)
    await handle.send(AgentReady(agent="alpha"))
    with pytest.raises(Refused, match="there is no file src/api.py"):
        await handle.send(ApiPublished(agent="alpha", api="api", path="src/api.py", digest="", version=1))
    (session.root / "src").mkdir()
    (session.root / "src/api.py").write_text("def call(): ...\n")
    await handle.send(ApiPublished(agent="alpha", api="api", path="src/api.py", digest="", version=1))
    with pytest.raises(Refused, match="there is no request 7"):
        await handle.send(CoordinationResponse(request=7, decision="approved"))
    await handle.send(TaskCompleted(agent="alpha", task="alpha-1"))
    state = await asyncio.wait_for(run, 60)
    assert state.outcome == "completed"
    assert handle.state.apis.has("api")


def test_without_a_plan_it_is_the_seeds(session):
    runner, _ = ParallelExecutionRunner.create(root=session.root)
    assert [phase.id for phase in seed_plan("x").phases] == [
        "orchestrator",
        "parallel",
        "analysis",
        "surfaces",
        "continuous",
    ]
    runner.close()


async def test_a_tmux_that_does_not_answer_is_said_once_and_the_run_goes_on(session, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    panes, said, heard = MemoryPanes(), list[str](), asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        heard.set()

    plan = ExecutionPlan.model_validate(PLAN)
    folder = make_state_folder(session.root)
    log = SqliteLog(folder / "log.sqlite")
    runner = ParallelExecutionRunner(plan, root=session.root, log=log, panes=panes, say=say)
    run = asyncio.create_task(runner.execute())
    assert await runner.changed(lambda state: "alpha" in state.agents and state.agents["alpha"].alive, 60)
    panes.failure = "the tmux server does not answer"
    await asyncio.wait_for(heard.wait(), 60)
    panes.failure = None
    runner.shut_down()
    await asyncio.wait_for(run, 60)
    assert said == ["tmux: the tmux server does not answer"]
    log.close()
