"""`doctor` says of each agent which nets hold, by who has reported in this run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from runebook_tui.cli.checkup import Finding
from runebook_tui.cli.command import run
from runebook_tui.cli.nets import agent_finding, net_findings
from runebook_tui.core.events import AgentStarted, NetReported, RunStarted
from runebook_tui.core.state import AgentState
from runebook_tui.core.types import AgentSpec, GateMode
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.follow import log_path
from runebook_tui.log.sqlite import SqliteLog
from runebook_tui.orchestrator.planner import load_plan

PLAN = """
[plan]
name = "nets"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
client = "codex"
env = {{ PATH = "{path}" }}

[[agents]]
id = "beta"
phase = "build"
client = "goose"
env = {{ PATH = "/nowhere" }}

[[agents]]
id = "gamma"
phase = "build"
command = ["true"]
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    top = tmp_path / "repository"
    (tmp_path / "bin").mkdir()
    top.mkdir()
    for name in ("codex", "goose", "cursor-agent", "aider"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    (top / "runebook.toml").write_text(PLAN.format(path=tmp_path / "bin"))
    monkeypatch.chdir(top)
    return top


def spec(root: Path, client: str | None, **more: object) -> AgentSpec:
    program = {"command": ("true",)} if client is None else {"client": client}
    env = {"PATH": str(root.parent / "bin")}
    return AgentSpec(id="alpha", phase="build", env=env, **program, **more)


def at_work(given: AgentSpec, **more: object) -> AgentState:
    return AgentState(
        given, alive=True, **{"gate_holds": True, "gate_mode": GateMode.ENFORCE, "gate_proven": True, **more}
    )


def test_what_has_reported_holds(root: Path) -> None:
    given = spec(root, "codex")
    assert agent_finding(given, at_work(given, hook="codex"), root.parent) == Finding(
        "agent:alpha", "ok", "the gate refused what its pane tried; the hook of Codex CLI has spoken"
    )
    alone = spec(root, None)
    assert agent_finding(alone, at_work(alone), root.parent).words == "the gate refused what its pane tried"
    aider = spec(root, "aider")
    assert agent_finding(aider, at_work(aider), root.parent).status == "ok"


def test_a_hook_that_has_not_spoken_is_less_and_says_why(root: Path) -> None:
    given = spec(root, "codex")
    finding = agent_finding(given, at_work(given), root.parent)
    assert (finding.status, finding.words) == (
        "less",
        "the gate refused what its pane tried; the hook of Codex CLI has not spoken yet",
    )
    assert "docs/clients.md" in finding.advice


def test_a_gate_that_does_less_or_is_silent_is_less(root: Path) -> None:
    given = spec(root, None)
    observing = at_work(given, gate_mode=GateMode.OBSERVE, gate="the kernel is too old")
    finding = agent_finding(given, observing, root.parent)
    assert finding.status == "less"
    assert "the kernel is too old" in finding.words
    untried = agent_finding(given, at_work(given, gate_proven=False), root.parent)
    assert (untried.status, untried.words) == ("less", "the gate enforces, but its pane has not tried it")
    silent = agent_finding(given, at_work(given, gate_mode=None, gate_holds=None), root.parent)
    assert (silent.status, silent.words) == ("less", "its gate has not reported")


def test_a_hook_that_is_read_from_the_home_only_is_to_be_installed(root: Path) -> None:
    given = spec(root, "cursor")
    advice = "`runebook-tui doctor --install cursor`: its hook is read from your home only"
    assert agent_finding(given, None, root.parent).advice == advice
    assert agent_finding(given, at_work(given), root.parent).advice == advice
    assert run(["doctor", "--install", "cursor", "--yes"]) == 0
    assert agent_finding(given, None, root.parent).status == "ok"
    assert "doctor --install" not in agent_finding(given, at_work(given), root.parent).advice


def test_the_agents_of_the_plan_are_looked_at_by_their_log(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {each.id: each for each in net_findings(root, root.parent)}
    assert before["agent:alpha"].words == "it does not run: what holds is proven once it does"
    make_state_folder(root)
    plan = load_plan(root / "runebook.toml")
    reported = [
        RunStarted(plan=plan),
        AgentStarted(agent="alpha", pane="%1", pid=os.getpid(), attempt=1),
        NetReported(net="gate", agent="alpha", holds=True, mode=GateMode.ENFORCE, proven=True),
        NetReported(net="hook", agent="alpha", holds=True, reason="codex"),
    ]
    with SqliteLog(log_path(root)) as log:
        log.append(reported, expected=0, actor="engine", run=1, time=1.0)
    assert run(["doctor", "--json"]) == 1
    checks = {each["id"]: each for each in json.loads(capsys.readouterr().out)["checks"]}
    assert (
        checks["agent:alpha"]["words"]
        == "the gate refused what its pane tried; the hook of Codex CLI has spoken"
    )
    assert checks["agent:beta"]["status"] == "missing"
    assert checks["agent:beta"]["advice"] == "get it as block.github.io/goose says"
    assert checks["agent:gamma"]["status"] == "ok"
