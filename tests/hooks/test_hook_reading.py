"""What the clients say, read: the payloads that they send, and any others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runebook_tui.hooks.edits import Replaced, Replacement, Whole
from runebook_tui.hooks.event import HookError, HookEvent, Kind
from runebook_tui.hooks.reading import guessed_kind, read
from runebook_tui.hooks.replies import TITLES, Reply, allowance, denial


def said(**fields: Any) -> HookEvent:
    return read(json.dumps(fields))


def test_claude_code_edits_a_file() -> None:
    event = said(
        session_id="s",
        transcript_path="/t",
        cwd="/repo",
        prompt_id="p",
        permission_mode="default",
        hook_event_name="PreToolUse",
        tool_name="Edit",
        tool_input={"file_path": "/repo/x", "old_string": "a", "new_string": "b", "replace_all": True},
        tool_use_id="t1",
    )
    assert (event.kind, event.session, event.cwd, event.tool, event.call) == (
        Kind.BEFORE_TOOL, "s", "/repo", "Edit", "t1",
    )  # fmt: skip
    (edit,) = event.edits
    assert (edit.path, edit.how) == ("/repo/x", Replaced((Replacement("a", "b", every=True),)))


def test_several_edits_of_one_file_are_one() -> None:
    parts = [{"old_string": "a", "new_string": "b"}, {"old_string": "c", "new_string": "d"}]
    event = said(
        hook_event_name="PreToolUse", tool_name="MultiEdit", tool_input={"file_path": "x", "edits": parts}
    )
    assert event.edits[0].how == Replaced((Replacement("a", "b"), Replacement("c", "d")))


@pytest.mark.parametrize(
    ("tool", "given_", "paths"),
    [
        ("Write", {"file_path": "x", "content": ""}, ["x"]),
        ("NotebookEdit", {"notebook_path": "x.ipynb", "new_source": "1"}, ["x.ipynb"]),
        ("Read", {"file_path": "x"}, []),
        ("Grep", {"pattern": "a", "path": "x"}, []),
        ("write_file", {"file_path": "x", "content": "y"}, ["x"]),
        ("run_shell_command", {"command": "echo > x"}, ["x"]),
        ("bash", {"command": "touch x", "workdir": "sub"}, ["sub/x"]),
        ("shell", {"command": ["bash", "-lc", "echo > x"]}, ["x"]),
        ("shell", {"command": ["touch", "a b"]}, ["a b"]),
        ("str_replace_editor", {"command": "view", "path": "x"}, []),
        ("str_replace_editor", {"command": "create", "path": "x", "file_text": ""}, ["x"]),
        ("developer__text_editor", {"command": "write", "path": "x", "file_text": ""}, ["x"]),
        ("mcp__files__write_file", {"path": "x", "content": "y"}, ["x"]),
        ("mcp__files__move_file", {"source": "x", "destination": "y"}, ["x", "y"]),
        ("mcp__other__put", {"path": "x", "content": "y"}, ["x"]),
        ("mcp__other__get", {"path": "x"}, []),
        ("Delete", {"path": "x"}, ["x"]),
        ("apply_patch", {"input": "*** Begin Patch\n*** Delete File: x\n*** End Patch"}, ["x"]),
    ],
)
def test_tools_that_write_name_their_paths(tool: str, given_: dict[str, Any], paths: list[str]) -> None:
    event = said(hook_event_name="PreToolUse", tool_name=tool, tool_input=given_)
    assert [edit.path for edit in event.edits] == paths


def test_copilot_says_no_name_and_its_arguments_may_be_text() -> None:
    before = said(
        sessionId="s", timestamp=1, cwd="/r", toolName="create", toolArgs='{"path":"x","file_text":"y"}'
    )
    assert (before.kind, before.edits[0].path, before.edits[0].how) == (Kind.BEFORE_TOOL, "x", Whole("y"))
    result = {"resultType": "failure", "textResultForLlm": "no\n<exited with exit code 2>"}
    after = said(sessionId="s", toolName="bash", toolArgs={"command": "false"}, toolResult=result)
    assert (after.kind, after.failed, after.code, after.command) == (Kind.AFTER_TOOL, True, 2, "false")
    assert said(sessionId="s", prompt="go").kind is Kind.PROMPT
    assert said(sessionId="s", source="new").kind is Kind.SESSION_START
    assert said(sessionId="s", reason="complete").kind is Kind.SESSION_END
    assert read('{"toolName":"create","toolArgs":{"path":"x"}}', "preToolUse").kind is Kind.BEFORE_TOOL


def test_gemini_and_cursor_and_opencode_have_names_of_their_own() -> None:
    gemini = said(hook_event_name="BeforeTool", tool_name="replace", tool_input={"file_path": "x"})
    assert (gemini.kind, gemini.edits[0].path) == (Kind.BEFORE_TOOL, "x")
    cursor = said(hook_event_name="beforeShellExecution", command="echo > x", cwd="/r", conversation_id="c")
    assert (cursor.kind, cursor.command, cursor.session) == (Kind.BEFORE_TOOL, "echo > x", "c")
    assert cursor.edits[0].path == "/r/x"
    before = {"event": "tool.execute.before", "tool": "write", "args": {"filePath": "x", "content": "y"}}
    opencode = said(**before, sessionID="s", callID="c")
    assert (opencode.kind, opencode.session, opencode.call, opencode.edits[0].path) == (
        Kind.BEFORE_TOOL, "s", "c", "x",
    )  # fmt: skip
    output = {"title": "", "output": "", "metadata": {"exit": 3}}
    after = said(event="tool.execute.after", tool="bash", args={"command": "x"}, output=output)
    assert (after.kind, after.code, after.failed) == (Kind.AFTER_TOOL, 3, True)
    assert said(type="session.idle", properties={"sessionID": "s"}).kind is Kind.STOP
    child = {"info": {"id": "s2", "parentID": "s"}}
    assert said(type="session.created", properties=child).kind is Kind.SUBAGENT


def test_tokens_and_cost_are_told_once_an_answer_is_whole() -> None:
    usage = {"usageMetadata": {"totalTokenCount": 120}}
    whole = said(
        hook_event_name="AfterModel", llm_response={**usage, "candidates": [{"finishReason": "STOP"}]}
    )
    piece = said(hook_event_name="AfterModel", llm_response={**usage, "candidates": [{}]})
    assert (whole.kind, whole.tokens, piece.tokens) == (Kind.MODEL, 120, None)
    info = {
        "id": "m",
        "cost": 0.5,
        "tokens": {"input": 10, "output": 5},
        "time": {"completed": 1},
        "modelID": "big",
    }
    told = said(type="message.updated", properties={"info": info})
    assert (told.tokens, told.cost, told.model, told.call) == (15, 0.5, "big", "m")


def test_a_notice_says_whether_it_waits() -> None:
    def waits(**fields: str) -> bool:
        return said(hook_event_name="Notification", message="m", **fields).waiting

    assert waits(notification_type="permission_prompt")
    assert not waits(notification_type="idle_prompt")
    assert not waits(notification_type="auth_success")


def test_a_question_of_opencodes_says_what_about() -> None:
    asked = said(
        hook_event_name="permission.asked", tool_name="bash", tool_input={"command": "make"}, tool_use_id="c"
    )
    assert (asked.kind, asked.tool, asked.command, asked.call) == (Kind.PERMISSION, "bash", "make", "c")


def test_a_turn_that_failed_says_why() -> None:
    failed = said(hook_event_name="StopFailure", error="rate_limit")
    assert (failed.kind, failed.failed, failed.words) == (Kind.STOP, True, "rate_limit")
    assert not said(hook_event_name="Stop").failed


def test_what_is_no_payload_is_refused() -> None:
    for text in ("", "x", "[]", "1", "[" * 100_000, '{"a":' * 5_000):
        with pytest.raises(HookError):
            read(text)
    with pytest.raises(HookError):
        said(hook_event_name="PreToolUse")
    with pytest.raises(HookError):
        said(hook_event_name="PreToolUse", tool_name="Write", tool_input={"file_path": "a\0b"})


def test_of_a_broken_payload_its_kind_is_guessed_on_the_safe_side() -> None:
    assert guessed_kind("") is Kind.BEFORE_TOOL
    assert guessed_kind('{"hook_event_name": "PostToolUse", "x') is Kind.AFTER_TOOL
    assert guessed_kind("x", "sessionEnd") is Kind.SESSION_END


NAMES = st.sampled_from([
    "hook_event_name", "event", "type", "tool_name", "toolName", "tool", "tool_input", "toolArgs",
    "args", "properties", "file_path", "path", "content", "command", "edits", "old_string",
    "new_string", "files", "tool_response", "output", "metadata", "exit", "info", "tokens", "cost",
    "time", "model", "cwd", "workspace_roots", "llm_response", "candidates", "usageMetadata",
    "duration_ms", "session_id", "reason", "patch", "notification_type",
])  # fmt: skip
WORDS = st.sampled_from([
    "PreToolUse", "PostToolUse", "BeforeTool", "AfterModel", "Notification", "message.updated",
    "Write", "Bash", "apply_patch", "MultiEdit", "move_file", "echo > x", "*** Add File: y\n+z", "",
    "\0", "\ud800", "x" * 5000,
])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)


@given(st.dictionaries(NAMES, VALUES, max_size=10))
def test_no_payload_raises_past_the_boundary(payload: dict[str, Any]) -> None:
    text = json.dumps(payload)
    try:
        event = read(text)
    except HookError:
        return
    for each in (event.session, event.model, event.tool, event.words):
        assert len(each) <= 4096
    assert all(edit.path for edit in event.edits)


@pytest.mark.parametrize("client", [*TITLES, "another"])
@pytest.mark.parametrize("kind", Kind)
def test_a_denial_is_told_to_what_asks_and_to_nothing_else(client: str, kind: Kind) -> None:
    reply = denial(client, kind, "because «é»")
    if not kind.asks:
        assert reply == Reply()
        return
    told = json.dumps(json.loads(reply.stdout), ensure_ascii=False) if reply.stdout else reply.stderr
    assert "because «é»" in told
    assert "allow" not in told
    assert "deny" not in allowance(client, kind, "yes").stdout
