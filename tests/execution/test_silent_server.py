"""A PostgreSQL server that is silent: the engine goes on answering, and nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest
from hook_play import claude
from postgres import Cluster, NoPostgres
from session_play import DEADLINE, Session

from runebook_tui.core.events import ActivityChanged
from runebook_tui.execution.client import EngineClient
from runebook_tui.execution.follow import open_log
from runebook_tui.log.schema import make

PLAN = """
[plan]
name = "silent"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["sleep", "600"]
claims = ["src/alpha/**"]
gate = "off"
tasks = [{ id = "a1" }, { id = "a2" }, { id = "a3" }]
"""
HOOKS = 40
SOON = 1.0
"""Seconds: far less than the server is waited for, and enough for a machine under load."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A server of this test's own, which can be stopped."""
    try:
        cluster = Cluster()
    except NoPostgres as lacking:
        pytest.skip(str(lacking))
    with cluster:
        yield cluster


def signal_all(cluster: Cluster, number: signal.Signals) -> None:
    """Send a signal to the server and to every session of it."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(cluster.pid)], capture_output=True, text=True, check=True
    )
    for pid in (str(cluster.pid), *listed.stdout.split()):
        os.kill(int(pid), number)


def test_a_silent_server_keeps_only_those_waiting_who_need_the_log(
    cluster: Cluster, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = cluster.url()
    make(url)
    session.environment["RUNEBOOK_STORE"] = url
    for name in ("RUNEBOOK_STORE", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, session.environment[name])
    session.plan(PLAN)
    session.start()
    session.until("alpha at work", lambda: session.agent("alpha").get("alive"))

    with EngineClient(session.root) as engine:

        def hook(event: str, path: str) -> float:
            """How long one answer took, in seconds."""
            payload = claude(session.root, "Write", event=event, file_path=path, content="x")
            began = time.monotonic()
            answer = engine.ask(
                "hook", agent="alpha", client="claude", payload=json.dumps(payload), timeout=DEADLINE
            )
            assert (answer["stdout"], answer["status"]) == ("", 0)
            return time.monotonic() - began

        hook("PreToolUse", "src/alpha/x")
        signal_all(cluster, signal.SIGSTOP)
        try:
            acknowledged: list[str] = []
            tasks = [threading.Thread(target=_done, args=(session, f"a{n}", acknowledged)) for n in (1, 2)]
            for task in tasks:
                task.start()
            with EngineClient(session.root) as other:
                # The third is on its way for certain: this process has sent it, and waits itself.
                waiting = threading.Thread(
                    target=lambda: other.ask("task-done", agent="alpha", task="a3", timeout=DEADLINE)
                )
                waiting.start()
                took = [hook(event, "src/alpha/x") for event in ("PreToolUse", "PostToolUse") * (HOOKS // 2)]
                assert waiting.is_alive(), "a command is not acknowledged before it is in the log"
                signal_all(cluster, signal.SIGCONT)
                waiting.join(DEADLINE)
        finally:
            signal_all(cluster, signal.SIGCONT)
        for task in tasks:
            task.join(DEADLINE)
        print(
            f"hooks beside a silent server: {sorted(took)[len(took) // 2]:.4f} s, {max(took):.4f} s at most"
        )
        assert max(took) < SOON
        assert acknowledged == ["", ""]
        hook("Stop", "")

    session.until("the newest activity", lambda: session.state().agents["alpha"].doing.activity == "idle")
    with open_log(session.root) as log:
        records = log.read()
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    done = [record.event.task for record in records if record.event.type == "TaskCompleted"]
    assert sorted(done) == ["a1", "a2", "a3"]
    told = [record.event for record in records if isinstance(record.event, ActivityChanged)]
    assert [event.activity for event in told] == ["working", "idle"]


def _done(session: Session, task: str, acknowledged: list[str]) -> None:
    acknowledged.append(session.command("task", "done", task).stderr)
