"""What each adapter starts its client with: values only, nothing is run."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from runebook_tui.clients.adapter import GO_ON, Assignment, Start
from runebook_tui.clients.codex import toml
from runebook_tui.clients.qwen import merged
from runebook_tui.clients.registry import ADAPTERS, missing
from runebook_tui.core.types import AgentSpec, ClientName
from runebook_tui.hooks.event import Kind
from runebook_tui.hooks.patience import PATIENCE
from runebook_tui.hooks.reading import read
from runebook_tui.hooks.replies import TITLES

HOSTILE = "--version; $(x) `y` \"z\" 'q'\n\\ é \x7f -p"
FOLDER = Path("/repo/.runebook/agents/alpha")
HOOK = ("/usr/bin/python 3", "-I", "-S", "/x/hooks/entry.py")
MCP = ("/usr/bin/python 3", "-P", "-m", "runebook_tui", "mcp")
PLACE = {"RUNEBOOK_AGENT": "alpha", "RUNEBOOK_ROOT": "/repo", "RUNEBOOK_SOCKET": "/run/engine.sock"}
HOOKED = sorted(
    name for name, adapter in ADAPTERS.items() if "hook" in adapter.nets and not adapter.user_file
)
WITH_TOOLS = sorted(name for name, adapter in ADAPTERS.items() if "mcp" in adapter.nets)

ENDS = {
    "claude": ("-p",),
    "codex": ("exec",),
    "gemini": ("-p",),
    "opencode": ("run",),
    "copilot": ("-p",),
    "qwen": ("-p",),
    "cursor": ("-p",),
    "goose": ("run",),
    "aider": (),
}
"""What the plan's `args` say for a client that does its work and ends."""


def started(name: str, **changes: Any) -> Start:
    spec = {"id": "alpha", "phase": "build", "client": name, **changes.pop("spec", {})}
    job = {"brief": "BRIEF", "folder": FOLDER, "hook": HOOK, "mcp": MCP, "environment": PLACE, **changes}
    return ADAPTERS[name].start(Assignment(spec=AgentSpec(**spec), **job))


def everything(start: Start) -> str:
    """All that a start says, as one text."""
    words = [*start.command, *start.environment.values(), *start.files, *start.files.values()]
    return "\n".join(words)


def test_there_is_an_adapter_for_every_client_of_the_plan() -> None:
    assert list(ADAPTERS) == list(get_args(ClientName))
    for name, adapter in ADAPTERS.items():
        assert adapter.id == name
        assert adapter.title
        assert adapter.program
        assert adapter.nets[-1] == "gate"
        assert ("hook" in adapter.nets) == (adapter.hook_seconds > 0)
        assert ("mcp" in adapter.nets) == (adapter.tool_seconds > 0)
    assert [name for name, adapter in ADAPTERS.items() if adapter.gate_only] == ["aider"]


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("ends", [False, True])
def test_a_prompt_is_never_taken_for_an_option(name: str, ends: bool) -> None:
    start = started(name, spec={"prompt": HOSTILE, "args": ENDS[name] if ends else ()})
    holding = [word for word in start.command if HOSTILE in word]
    assert len(holding) == 1
    assert start.command[-1] == holding[0]
    value = holding[0].partition("=")[2] if holding[0].startswith("--") and "=" in holding[0] else holding[0]
    assert value.endswith(HOSTILE)
    assert start.command[-2] == "--" or holding[0].startswith("--")
    for text in start.files.values():
        assert HOSTILE not in text


@pytest.mark.parametrize("name", ADAPTERS)
def test_model_and_arguments_of_the_plan_are_the_clients(name: str) -> None:
    start = started(name, spec={"prompt": "Do", "model": "big-1", "args": ("--flag", "value")})
    assert any("big-1" in word for word in start.command)
    words = list(start.command)
    assert words[words.index("--flag") + 1] == "value"
    assert "big-1" not in everything(started(name, spec={"prompt": "Do"}))


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_brief_reaches_the_client_and_no_path_leaves_the_agents_folder(name: str) -> None:
    start = started(name, spec={"prompt": "Do"})
    assert "BRIEF" in everything(start)
    for file in start.files:
        assert not file.startswith("/")
        assert ".." not in file.split("/")
        named = [*start.command, *start.environment.values(), *start.files.values(), file]
        folder = file.rpartition("/")[0]
        assert any(
            str(FOLDER / file) in word or (folder and folder in word) or "hooks.json" in word
            for word in named
        )


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_session_that_is_taken_up_again_is_named_and_told_to_go_on(name: str) -> None:
    start = started(name, spec={"prompt": "Do it", "args": ENDS[name]}, session="5e55-10n")
    said = " ".join(start.command)
    assert ("5e55-10n" in said) == (name != "aider")
    assert "Do it" not in said
    assert start.command[-1].endswith(GO_ON)


@pytest.mark.parametrize("name", HOOKED)
def test_the_hook_is_asked_before_a_tool_and_told_of_the_rest(name: str) -> None:
    said = everything(started(name)).lower()
    for event in ("before", "pretool"), ("after", "posttool"), ("session",), ("stop", "afteragent", "idle"):
        assert any(word in said for word in event), event
    assert "entry.py" in said


@pytest.mark.parametrize("name", ["codex", "gemini", "copilot", "qwen"])
def test_a_hook_that_a_shell_runs_is_quoted(name: str) -> None:
    line = shlex.join((*HOOK, name))
    said = everything(started(name))
    assert json.dumps(line)[1:-1] in said


@pytest.mark.parametrize("name", WITH_TOOLS)
def test_the_server_is_registered_where_it_is_installed_and_told_who_it_is(name: str) -> None:
    with_server, without_server = everything(started(name)), everything(started(name, mcp=None))
    assert "runebook_tui" in with_server
    assert "runebook_tui" not in without_server
    assert "/run/engine.sock" in with_server


def test_claude_blocks_when_its_hook_fails_and_waits_an_hour() -> None:
    start = started("claude", spec={"prompt": "Do", "args": ("-p",)})
    hooks = json.loads(start.files["settings.json"])["hooks"]
    [before] = hooks["PreToolUse"][0]["hooks"]
    assert (before["timeout"], before["onFailure"]) == (3600, "block")
    assert [before["command"], *before["args"]] == [*HOOK, "claude"]
    assert all(
        hook.get("onFailure") is None
        for event, [group] in hooks.items()
        if event != "PreToolUse"
        for hook in group["hooks"]
    )
    assert start.command[-3:] == ("-p", "--", "Do")


def codex_settings(start: Start) -> dict[str, Any]:
    """What Codex makes of the words after `-c`."""
    options = [word for flag, word in zip(start.command, start.command[1:], strict=False) if flag == "-c"]
    whole: dict[str, Any] = {}
    for option in options:
        key, _, value = option.partition("=")
        *above, last = key.split(".")
        here = whole
        for part in above:
            here = here.setdefault(part, {})
        here[last] = tomllib.loads(f"value = {value}")["value"]
    return whole


def test_codex_trusts_every_hook_of_this_start_by_its_hash() -> None:
    settings = codex_settings(started("codex"))
    hooks = settings["hooks"]
    state = hooks.pop("state")
    assert len(state) == len(hooks)
    assert settings["developer_instructions"] == "BRIEF"
    for key, each in state.items():
        assert key.startswith("/<session-flags>/config.toml:")
        assert each["trusted_hash"].startswith("sha256:")
    assert hooks["PreToolUse"][0]["hooks"][0]["timeout"] == 3600
    other = codex_settings(started("codex", hook=("other",)))["hooks"]["state"]
    assert all(other[key] != state[key] for key in state)


def test_a_subcommand_of_codex_is_resumed_inside_it() -> None:
    start = started("codex", spec={"args": ("exec", "--json")}, session="5e55")
    assert start.command[-6:-1] == ("exec", "--json", "resume", "5e55", "--")
    assert started("codex", session="5e55").command[-4:-1] == ("resume", "5e55", "--")


@pytest.mark.parametrize("text", ["", HOSTILE, "a\x00b", "\x1f\t", "𝕏"])
def test_texts_are_the_same_in_toml(text: str) -> None:
    assert tomllib.loads(f"x = {toml({text: [text, {'k': 1}]})}")["x"] == {text: [text, {"k": 1}]}


def test_what_an_administrator_set_goes_on_holding_for_qwen() -> None:
    theirs = {"tools": {"sandbox": True}, "hooks": {"SessionStart": [{"hooks": [{"command": "theirs"}]}]}}
    start = started("qwen", settings=json.dumps(theirs))
    settings = json.loads(start.files["settings.json"])
    assert settings["tools"] == {"sandbox": True}
    first, ours = settings["hooks"]["SessionStart"]
    assert first["hooks"][0]["command"] == "theirs"
    assert "entry.py" in ours["hooks"][0]["command"]
    assert start.environment == {"QWEN_CODE_SYSTEM_SETTINGS_PATH": str(FOLDER / "settings.json")}
    with pytest.raises(ValueError, match="is not plain JSON"):
        started("qwen", settings="// a comment\n{}")


def test_gemini_gets_a_home_with_the_login_linked_and_the_way_of_logging_in() -> None:
    theirs = '{ // mine\n "security": {"auth": {"selectedType": "oauth-personal"},'
    theirs += ' "folderTrust": {"enabled": false}}, "ui": {"theme": "x"}}'
    start = started("gemini", settings=theirs, inherited={"HOME": "/home/jo"})
    settings = json.loads(start.files["gemini/.gemini/settings.json"])
    assert settings["security"] == {
        "auth": {"selectedType": "oauth-personal"},
        "folderTrust": {"enabled": False},
    }
    assert "ui" not in settings
    assert start.links["gemini/.gemini/oauth_creds.json"] == "/home/jo/.gemini/oauth_creds.json"
    assert "gemini/.gemini/settings.json" not in start.links
    assert start.environment["GEMINI_CLI_HOME"] == str(FOLDER / "gemini")
    moved = started("gemini", inherited={"HOME": "/home/jo", "GEMINI_CLI_HOME": "/g"})
    assert moved.links["gemini/.gemini/extensions"] == "/g/.gemini/extensions"


def test_copilot_keeps_the_users_own_instructions() -> None:
    start = started("copilot", inherited={"COPILOT_CUSTOM_INSTRUCTIONS_DIRS": "/mine"})
    assert start.environment == {"COPILOT_CUSTOM_INSTRUCTIONS_DIRS": f"/mine,{FOLDER}/instructions"}


def test_settings_are_joined() -> None:
    assert merged({"a": {"b": [1], "c": 1}, "d": 2}, {"a": {"b": [2], "c": 3}, "e": 4}) == {
        "a": {"b": [1, 2], "c": 3},
        "d": 2,
        "e": 4,
    }


def test_a_program_that_is_missing_is_named_with_the_way_to_get_it() -> None:
    for name, adapter in ADAPTERS.items():
        assert missing(name, lambda program: f"/bin/{program}") is None
        words = missing(name, lambda program: None)
        assert words is not None
        assert adapter.program in words
        assert adapter.how_to_get in words
        assert "\n" not in words


def test_the_hook_knows_how_long_its_client_waits() -> None:
    assert {name: each.hook_seconds for name, each in ADAPTERS.items() if each.hook_seconds} == PATIENCE


def test_the_hook_has_an_answer_for_every_client_that_has_one() -> None:
    assert {name: each.title for name, each in ADAPTERS.items() if not each.gate_only}.keys() == TITLES.keys()


def test_the_plugin_of_opencode_says_what_the_hook_reads() -> None:
    plugin = started("opencode").files["opencode/plugin/runebook.js"]
    names = set(re.findall(r'(?:tell|about)\("([a-z.]+)"', plugin)) | set(
        re.findall(r'"(session\.[a-z]+)"', plugin)
    )
    before = {"tool_name": "write", "tool_input": {"filePath": "/repo/x", "content": "y"}, "tool_use_id": "c"}
    for name in names - {"session.error"}:
        payload = {"hook_event_name": name, "session_id": "s", "cwd": "/repo", **before}
        event = read(json.dumps(payload))
        assert event.kind is not Kind.OTHER, name
        assert event.session == "s"
    event = read(json.dumps({"hook_event_name": "tool.execute.before", **before}))
    assert [edit.path for edit in event.edits] == ["/repo/x"]
