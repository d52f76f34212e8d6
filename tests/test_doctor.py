"""`runebook-tui doctor` says what is there, what is not, and what to do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runebook_tui.cli import premises
from runebook_tui.cli.checkup import Finding
from runebook_tui.cli.command import run
from runebook_tui.core.events import EngineStarted
from runebook_tui.execution.folders import make_state_folder
from runebook_tui.execution.follow import log_path
from runebook_tui.log.sqlite import SqliteLog
from runebook_tui.place import runtime_folder, socket_path, state_folder, tmux_socket_name
from runebook_tui.tmux.server import TmuxServer

PLAN = """
[plan]
name = "small"

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["true"]
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository without a plan."""
    top = tmp_path / "repository"
    top.mkdir()
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    monkeypatch.chdir(top)
    yield top
    subprocess.run(["tmux", "-L", tmux_socket_name(top), "kill-server"], capture_output=True, check=False)


def found(root: Path) -> dict[str, Finding]:
    return {finding.id: finding for finding in premises.repository_findings(root)}


def test_hosts_without_a_store_that_they_share_are_warned_of(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "runebook.toml").write_text(PLAN + 'host = "gpu"\n')
    monkeypatch.delenv("RUNEBOOK_STORE", raising=False)
    assert run(["check", "--json"]) == 0
    (warning,) = json.loads(capsys.readouterr().out)["problems"]
    assert (warning["field"], warning["severity"]) == ("plan.store", "warning")
    assert (
        "agents on hosts (gpu), which need a log in PostgreSQL: say `store` in [plan]" in warning["message"]
    )
    assert run(["check"]) == 0
    assert capsys.readouterr().out.count("warning: plan.store: the plan has agents on hosts (gpu)") == 1
    plan = found(root)["plan"]
    assert (plan.status, plan.advice) == ("less", warning["message"])

    monkeypatch.setenv("RUNEBOOK_STORE", "postgresql:///nowhere?host=/nowhere")
    assert run(["check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []
    assert found(root)["plan"].status == "ok"


def test_a_fresh_repository_lacks_a_plan_alone(root: Path) -> None:
    before = sorted(os.listdir(root))
    findings = found(root)
    assert {each.id for each in findings.values() if each.status != "ok"} == {"plan"}
    assert findings["plan"].advice == "write one: `runebook-tui init`"
    assert sorted(os.listdir(root)) == before, "looking leaves nothing behind"


def test_a_plan_is_counted_and_a_wrong_one_is_missing(root: Path) -> None:
    (root / "runebook.toml").write_text(PLAN)
    assert (found(root)["plan"].status, found(root)["plan"].words) == (
        "ok",
        "small: phases 1, agents 1, warnings 0",
    )
    (root / "runebook.toml").write_text(PLAN.replace('phase = "build"', 'phase = "biuld"'))
    assert found(root)["plan"] == Finding(
        "plan", "missing", "runebook.toml has 1 error", "`runebook-tui check` names them"
    )
    (root / "runebook.toml").write_text("[plan")
    assert found(root)["plan"].status == "missing"


def test_a_state_folder_that_others_can_read_is_less(root: Path) -> None:
    folder = make_state_folder(root)
    assert found(root)["state"] == Finding("state", "ok", ".runebook: mode 700, history 0 bytes")
    folder.chmod(0o755)
    assert found(root)["state"].status == "less"
    assert found(root)["state"].advice == f"`chmod 700 {folder}`"


def test_the_log_is_opened_and_a_broken_one_is_missing(root: Path) -> None:
    make_state_folder(root)
    with SqliteLog(log_path(root)) as log:
        log.append([EngineStarted(pid=1, host="here")], expected=0, actor="engine", run=0, time=1.0)
    assert found(root)["log"].words.startswith("1 records, ")
    log_path(root).write_bytes(b"no database at all" * 100)
    assert found(root)["log"].status == "missing"
    assert found(root)["engine"].status == "ok"


def test_the_socket_of_an_engine_that_is_gone_is_named(root: Path) -> None:
    runtime_folder(root, create=True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(os.fspath(socket_path(root)))
    assert found(root)["engine"].words == (
        "none runs; an earlier one left its socket, which the next one replaces"
    )


def test_panes_without_an_engine_are_told(root: Path) -> None:
    make_state_folder(root)
    server = TmuxServer(tmux_socket_name(root), state_folder(root) / "tmux")
    server.start_pane("alpha", ["sleep", "600"], root, {})
    finding = found(root)["panes"]
    assert (finding.status, finding.words) == (
        "less",
        f"1 pane of tmux -L {tmux_socket_name(root)} without an engine",
    )


@pytest.mark.parametrize(("limit", "status"), [(1_000, "ok"), (4, "less"), (3, "missing")])
def test_the_folders_are_compared_with_the_watches(
    root: Path, monkeypatch: pytest.MonkeyPatch, limit: int, status: str
) -> None:
    (root / ".git").rename(root.parent / "git")  # its folders differ from one git to the next
    for name in ("a/b", "c"):
        (root / name).mkdir(parents=True)
    (root / "loop").symlink_to(root)
    monkeypatch.setattr(premises, "number_in", lambda path: limit)
    finding = found(root)["watches"]
    assert finding.words == f"4 folders, {limit:,} watches for all your programs"
    assert (finding.status, bool(finding.advice)) == (status, status != "ok")


def test_a_guard_that_is_not_in_is_said(root: Path) -> None:
    assert found(root)["guard"].words == "the commit guard is off"
    assert run(["guard", "install"]) == 0
    assert found(root)["guard"].words == "the commit guard is installed"
    (root / ".git/hooks/pre-commit").unlink()
    assert found(root)["guard"].status == "less"


def test_the_folder_of_the_hooks_is_named(root: Path) -> None:
    assert "not set" in found(root)["hooks"].words
    subprocess.run(["git", "config", "core.hooksPath", ".husky/_"], check=True)
    assert found(root)["hooks"].words == "core.hooksPath is .husky/_: git runs the hooks of that folder"


def test_the_exit_status_says_whether_something_is_missing(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "runebook.toml").write_text(PLAN)
    assert run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines][:6] == ["python", "git", "tmux", "gate", "kernel", "ptrace"]
    assert lines[0].startswith(f"ok       python      {sys.version.split()[0]}")
    with monkeypatch.context() as without:
        without.setenv("PATH", os.devnull)
        assert run(["doctor", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    missing = {each["id"]: each["advice"] for each in answer["checks"] if each["status"] == "missing"}
    assert answer["ok"] is False
    assert missing == {"git": "install git", "tmux": "install tmux 3.2 or newer"}


def test_outside_a_repository_the_machine_is_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["doctor", "--json"]) == 1
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert (checks[-1]["id"], checks[-1]["status"]) == ("repository", "missing")
