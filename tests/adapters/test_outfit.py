"""The engine writes what an adapter generates below the agent's folder, and nowhere else."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from runebook_tui.core.state import State
from runebook_tui.core.types import AgentSpec, ExecutionPlan, Phase, PlanInfo
from runebook_tui.execution import outfit
from runebook_tui.execution.outfit import fit_out, link_below, write_below
from runebook_tui.orchestrator.coordinator import Refused


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "repo" / ".runebook").mkdir(parents=True)
    return tmp_path / "repo"


def agent(root: Path, client: str, **more: object) -> AgentSpec:
    env = {"PATH": str(root.parent / "bin"), "HOME": str(root.parent / "home")}
    return AgentSpec(id="alpha", phase="build", client=client, env=env, **more)


def installed(root: Path, program: str) -> Path:
    file = root.parent / "bin" / program
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def state(spec: AgentSpec) -> State:
    return State(plan=ExecutionPlan(plan=PlanInfo(name="x"), phases=(Phase(id="build"),), agents=(spec,)))


def test_a_command_and_a_builtin_are_what_they_were(root: Path) -> None:
    given = AgentSpec(id="alpha", phase="build", command=("sh", "-c", "true"))
    assert fit_out(root, state(given), given).command == ("sh", "-c", "true")
    builtin = AgentSpec(id="alpha", phase="build", builtin="storage")
    assert fit_out(root, state(builtin), builtin).command[0] == sys.executable


def test_the_files_of_a_client_are_there_before_it_starts_and_are_private(root: Path) -> None:
    program = installed(root, "claude")
    spec = agent(root, "claude", prompt="Do it", args=("-p",))
    fitted = fit_out(root, state(spec), spec)
    folder = root / ".runebook" / "agents" / "alpha"
    assert fitted.command[0] == str(program)
    assert fitted.command[-3:] == ("-p", "--", "Do it")
    assert folder.stat().st_mode & 0o777 == 0o700
    settings = folder / "settings.json"
    assert str(settings) in fitted.command
    assert settings.stat().st_mode & 0o777 == 0o600
    hook = json.loads(settings.read_text())["hooks"]["PreToolUse"][0]["hooks"][0]
    assert [hook["command"], *hook["args"][:2]] == [sys.executable, "-I", "-S"]
    assert hook["args"][-1] == "claude"
    assert "the agent `alpha`" in (folder / "brief.md").read_text()
    assert not list((root.parent / "home").iterdir())
    assert not [path for path in folder.rglob("*") if path.name.endswith(".new")]


def test_a_client_that_is_not_installed_is_refused_in_one_line(root: Path) -> None:
    spec = agent(root, "gemini")
    with pytest.raises(Refused) as refused:
        fit_out(root, state(spec), spec)
    assert str(refused.value) == (
        "Gemini CLI is not installed: there is no 'gemini' on PATH; get it by "
        "`npm install -g @google/gemini-cli`"
    )
    assert not (root / ".runebook" / "agents").exists()


def test_a_login_is_linked_and_what_is_not_there_is_not(root: Path) -> None:
    installed(root, "gemini")
    users = root.parent / "home" / ".gemini"
    users.mkdir()
    (users / "oauth_creds.json").write_text("secret")
    (users / "settings.json").write_text('{"security": {"auth": {"selectedType": "oauth-personal"}}}')
    spec = agent(root, "gemini")
    fitted = fit_out(root, state(spec), spec)
    own = root / ".runebook" / "agents" / "alpha" / "gemini" / ".gemini"
    assert fitted.environment["GEMINI_CLI_HOME"] == str(own.parent)
    assert os.readlink(own / "oauth_creds.json") == str(users / "oauth_creds.json")
    assert sorted(os.listdir(own)) == ["oauth_creds.json", "settings.json"]
    assert (
        json.loads((own / "settings.json").read_text())["security"]["auth"]["selectedType"]
        == "oauth-personal"
    )
    (own / "oauth_creds.json").unlink()
    (own / "oauth_creds.json").write_text("a copy that a client made")
    fit_out(root, state(spec), spec)
    assert (own / "oauth_creds.json").is_symlink()


def test_settings_of_an_administrator_that_cannot_be_joined_are_said(root: Path) -> None:
    installed(root, "qwen")
    theirs = root.parent / "theirs.json"
    theirs.write_text("{]")
    spec = agent(root, "qwen")
    spec = spec.model_copy(update={"env": {**spec.env, "QWEN_CODE_SYSTEM_SETTINGS_PATH": str(theirs)}})
    with pytest.raises(Refused, match=f"Qwen Code cannot be started: {theirs} is not plain JSON"):
        fit_out(root, state(spec), spec)


def test_no_link_that_an_agent_left_is_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "alpha", tmp_path / "outside"
    outside.mkdir()
    (outside / "settings.json").write_text("theirs")
    folder.mkdir()
    (folder / "plugin").symlink_to(outside)
    (folder / "settings.json").symlink_to(outside / "settings.json")
    (folder / ".brief.md.new").symlink_to(outside / "settings.json")
    write_below(folder, "plugin/settings.json", "ours")
    write_below(folder, "settings.json", "ours")
    write_below(folder, "brief.md", "ours")
    link_below(folder, "plugin/login", str(outside / "settings.json"))
    assert (outside / "settings.json").read_text() == "theirs"
    assert os.listdir(outside) == ["settings.json"]
    assert (folder / "plugin" / "settings.json").read_text() == "ours"
    assert not (folder / "settings.json").is_symlink()


def test_a_folder_where_a_file_belongs_is_said_in_words(root: Path) -> None:
    installed(root, "aider")
    (root / ".runebook" / "agents" / "alpha" / "brief.md").mkdir(parents=True)
    spec = agent(root, "aider")
    with pytest.raises(Refused, match="cannot write the files of aider in .*: Is a directory"):
        fit_out(root, state(spec), spec)


def test_the_server_is_registered_only_where_it_is_installed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(root, "claude")
    spec = agent(root, "claude")
    monkeypatch.setattr(outfit, "find_spec", lambda name: None)
    assert "--mcp-config" not in fit_out(root, state(spec), spec).command
    monkeypatch.setattr(outfit, "find_spec", lambda name: object())
    assert "--mcp-config" in fit_out(root, state(spec), spec).command
    servers = json.loads((root / ".runebook/agents/alpha/mcp.json").read_text())["mcpServers"]
    assert servers["runebook"]["args"][-2:] == ["runebook_tui", "mcp"]
    assert servers["runebook"]["env"]["RUNEBOOK_AGENT"] == "alpha"


@pytest.mark.parametrize("session", ["--dangerously-skip-permissions", "", "a b", "x\n", "../x", "y" * 200])
def test_a_session_that_is_no_id_begins_anew(root: Path, session: str) -> None:
    installed(root, "claude")
    spec = agent(root, "claude", prompt="Do it")
    fitted = fit_out(root, state(spec), spec, session)
    assert "--resume" not in fitted.command
    assert fitted.command[-1] == "Do it"
    again = fit_out(root, state(spec), spec, "ses_df8a-4dc.6:1").command
    assert again[again.index("--resume") + 1] == "ses_df8a-4dc.6:1"
