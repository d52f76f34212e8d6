"""A PostgreSQL server that is silent: the engine goes on answering, and nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from typing import NamedTuple

import pytest
from hook_play import claude
from session_play import DEADLINE, Session

from benchmarks.chaos.network import Network, can_cut
from benchmarks.chaos.server import PostgresServer, has_postgres
from runebook_tui.core.events import ActivityChanged
from runebook_tui.execution.client import EngineClient
from runebook_tui.execution.follow import open_log

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


class Silent(NamedTuple):
    """A server, and how it falls silent for as long as a block takes."""

    url: str
    silence: Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["stopped", "cut"])
def server(request: pytest.FixtureRequest) -> Iterator[Silent]:
    """A server of this test's own: its processes are stopped, or the network to it is cut."""
    if not has_postgres():
        pytest.skip("PostgreSQL's server is not installed")
    if request.param == "cut" and not can_cut():
        pytest.skip("only root may cut a network")
    with ExitStack() as stack:
        network = stack.enter_context(Network(hosts=False)) if request.param == "cut" else None
        server = stack.enter_context(PostgresServer(network))
        silence = partial(stopped, server) if network is None else partial(network.way.cut, random.Random(0))
        yield Silent(server.url, silence)


@contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    """The server and every session of it do nothing meanwhile, and hang up on nobody."""
    first = str(server.cluster.pid)
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", first], capture_output=True, text=True, check=True)
    pids = [int(pid) for pid in (first, *listed.stdout.split())]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_a_silent_server_keeps_only_those_waiting_who_need_the_log(
    server: Silent, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.environment["RUNEBOOK_STORE"] = server.url
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
        acknowledged: list[str] = []
        tasks = [threading.Thread(target=_done, args=(session, f"a{n}", acknowledged)) for n in (1, 2)]
        with EngineClient(session.root) as other:
            waiting = threading.Thread(
                target=lambda: other.ask("task-done", agent="alpha", task="a3", timeout=DEADLINE)
            )
            with server.silence():
                for thread in (waiting, *tasks):
                    thread.start()
                took = [hook(event, "src/alpha/x") for event in ("PreToolUse", "PostToolUse") * (HOOKS // 2)]
                assert waiting.is_alive(), "a command is not acknowledged before it is in the log"
            for thread in (waiting, *tasks):
                thread.join(DEADLINE)
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
