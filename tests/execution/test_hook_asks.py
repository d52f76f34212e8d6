"""A client's hook, from its payload over the operator's answer to what the client is told."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from hook_play import Client, claude, write

from runebook_tui.execution.follow import open_log


def test_an_owned_unowned_ignored_or_outside_edit_is_nobody_elses_business(session, tmp_path):
    client = Client(session)
    for path in ("src/alpha/x", "free", "src/beta/build/o", "../outside"):
        assert client.decision(client.ask(write(session.root, path, "new\n"))) == ("no opinion", "")
    assert session.requests() == []


def test_one_edit_is_one_request_and_lands_after_the_approval(session):
    client = Client(session)
    number = client.ask(
        claude(
            session.root,
            "Edit",
            file_path=str(session.root / "src/beta/x"),
            old_string="first",
            new_string="1st",
        )
    )
    request = client.waiting()
    assert (request["kind"], request["requester"], request["paths"]) == ("held", "alpha", ["src/beta/x"])
    assert request["evidence"] == "Claude Code's Edit tool asked"
    shown = session.json("requests")[0]["diff"]
    assert "-first\n+1st\n second\n" in shown
    assert session.command("approve", "1").returncode == 0
    decision, reason = client.decision(number)
    assert decision == "allow"
    assert "request 1" in reason
    client.do("sed -i s/first/1st/ src/beta/x; touch $SAID/edited\n")
    session.until("the edit", lambda: (client.said / "edited").exists())
    assert (session.root / "src/beta/x").read_text() == "1st\nsecond\n"
    touch = session.until("the touch", lambda: session.last("src/beta/x"))
    assert (touch.name, touch.under) == ("alpha", 1)
    assert len(session.requests()) == 1


def test_a_rejection_says_why_in_the_operators_own_words(session):
    client = Client(session)
    number = client.ask(write(session.root, "src/beta/x", "mine\n"))
    client.waiting()
    words = 'beta is at it — «wait» for it; "soon"'
    assert session.command("reject", "1", "--reason", words).returncode == 0
    decision, reason = client.decision(number)
    assert decision == "deny"
    assert f"src/beta/x is beta's; the operator rejected request 1: {words}" in reason
    again = client.ask(write(session.root, "src/beta/x", "mine\n", "c2"))
    assert client.decision(again) == (decision, reason)
    assert len(session.requests()) == 1


def test_a_folder_of_edits_by_one_patch_is_one_request(session):
    client = Client(session, "codex")
    patch = (
        "*** Begin Patch\n*** Update File: src/beta/x\n@@\n first\n-second\n+2nd\n"
        "*** Add File: src/beta/new\n+hello\n*** Update File: src/alpha/x\n@@\n-first\n+1st\n*** End Patch\n"
    )
    number = client.ask(claude(session.root, "apply_patch", command=patch))
    request = client.waiting()
    assert request["paths"] == ["src/beta/x", "src/beta/new"]
    diff = session.json("requests")[0]["diff"]
    assert "-second\n+2nd\n" in diff
    assert "--- /dev/null\n+++ b/src/beta/new\n@@ -0,0 +1 @@\n+hello\n" in diff
    session.command("approve", "1")
    assert client.decision(number) == ("no opinion", "")  # Codex knows no allow


def test_nobody_answers_and_the_next_try_passes_once_it_is_approved(session):
    client = Client(session, seconds=0.5)
    number = client.ask(write(session.root, "src/beta/x", "mine\n"))
    decision, reason = client.decision(number)
    assert decision == "deny"
    assert "nobody answered within 0.5 s. It is queued as request 1: go on with other work" in reason
    assert session.command("approve", "1").returncode == 0
    again = client.ask(write(session.root, "src/beta/x", "mine\n", "c2"))
    assert client.decision(again)[0] == "allow"
    assert len(session.requests()) == 1


def test_what_was_approved_once_is_the_content_that_was_shown(session):
    client = Client(session, seconds=0.5)
    client.answer(client.ask(write(session.root, "src/beta/x", "mine\n")))
    session.command("approve", "1")
    other = client.ask(write(session.root, "src/beta/x", "something else\n", "c2"))
    assert client.decision(other)[0] == "deny"
    assert [(r["id"], r["status"]) for r in session.requests()] == [(1, "approved"), (2, "open")]
    again = client.ask(write(session.root, "src/beta/x", "mine\n", "c3"))
    assert "queued as request 2" in client.decision(again)[1]


def test_a_second_hook_about_the_same_file_joins_and_the_card_shows_the_newest(session):
    client = Client(session)
    first = client.ask(write(session.root, "src/beta/x", "one\n", "c1"), background=True)
    client.waiting()
    second = client.ask(write(session.root, "src/beta/x", "two\n", "c2"), background=True)
    session.until("the newer text", lambda: "+two" in (session.json("requests")[0]["diff"] or ""))
    session.command("approve", "1")
    assert client.decision(second)[0] == "allow"
    decision, reason = client.decision(first)
    assert decision == "deny"
    assert "another edit of it was approved" in reason
    assert len(session.requests()) == 1


def test_a_hook_that_is_broken_off_withdraws_its_request(session):
    client = Client(session)
    number = client.payload(write(session.root, "src/beta/x", "mine\n"))
    client.do(f"call claude {number} &\n")
    client.waiting()
    front = session.agent("alpha")["pid"]
    (hook,) = [pid for pid in descendants(front) if b"hooks/entry.py" in cmdline(pid)]
    os.kill(hook, signal.SIGKILL)
    session.until("the end", lambda: [r for r in session.requests() if r["status"] == "withdrawn"])
    assert session.requests()[0]["answer"] == "Claude Code does not wait any more"


def descendants(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def cmdline(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_the_plan_may_say_that_nothing_waits_or_that_it_lands_first(session):
    client = Client(session, away="refuse")
    decision, reason = client.decision(client.ask(write(session.root, "src/beta/x", "mine\n")))
    assert decision == "deny"
    assert "the plan refuses it at once. It is queued as request 1" in reason
    plan = session.root / "runebook.toml"
    plan.write_text(plan.read_text().replace('"refuse"', '"flag"'))
    session.until("the plan", lambda: session.state().plan.policy.away == "flag")
    assert client.decision(client.ask(write(session.root, "src/beta/y", "mine\n"))) == ("no opinion", "")
    client.do("echo mine > src/beta/y\n")
    session.until("the crossing", lambda: [r for r in session.requests() if r["kind"] == "crossed"])
    assert [r["kind"] for r in session.requests() if "src/beta/y" in r["paths"]] == ["crossed"]


@pytest.mark.parametrize("path", ["runebook.toml", ".git/hooks/pre-commit", ".runebook/log.sqlite"])
def test_what_is_the_operators_is_denied_and_the_attempt_is_written_down(session, path):
    client = Client(session)
    decision, reason = client.decision(client.ask(write(session.root, path, "x\n")))
    assert decision == "deny"
    assert "belongs to the operator" in reason
    assert f"write {path}" in session.command("log").stdout
    assert session.requests() == []


def test_a_shell_command_is_read_and_its_approval_reaches_the_gate(session):
    client = Client(session)
    command = "cd src && sed -i s/first/1st/ beta/x  # PASSWORD=hunter2"
    number = client.ask(claude(session.root, "Bash", command=command))
    request = client.waiting()
    assert request["paths"] == ["src/beta/x"]
    assert "Claude Code's Bash tool asked: cd src && sed -i s/first/1st/ beta/x" in request["evidence"]
    assert "hunter2" not in request["evidence"]
    session.command("approve", "1")
    assert client.decision(number) == ("no opinion", "")
    client.do(f"(\n{command}\n)\ntouch $SAID/edited\n")
    session.until("the edit", lambda: (client.said / "edited").exists())
    assert (session.root / "src/beta/x").read_text() == "1st\nsecond\n"
    assert len(session.requests()) == 1


def test_a_shell_write_that_the_hook_cannot_read_joins_the_open_request_at_the_gate(session):
    client = Client(session)
    number = client.ask(write(session.root, "src/beta/x", "mine\n"), background=True)
    client.waiting()
    client.do("F=src/beta/x; echo mine > $F; touch $SAID/edited\n")
    session.until("bash to wait, too", lambda: session.requests()[0]["pid"])
    assert [r["id"] for r in session.requests()] == [1]
    session.command("approve", "1")
    assert client.decision(number)[0] == "allow"
    session.until("the edit", lambda: (client.said / "edited").exists())
    assert (session.root / "src/beta/x").read_text() == "mine\n"


def test_without_a_gate_the_hook_asks_each_time(session):
    client = Client(session, gate="off")
    number = client.ask(write(session.root, "src/beta/x", "mine\n", "c1"))
    client.waiting()
    session.command("approve", "1")
    assert client.decision(number)[0] == "allow"
    client.do("echo mine > src/beta/x\n")
    after = claude(session.root, "Write", "c1", "PostToolUse", file_path=str(session.root / "src/beta/x"))
    assert client.answer(client.ask(after)) == ("", "", 0)
    session.until("its use", lambda: not session.state().grants[1].unused("src/beta/x"))
    client.ask(write(session.root, "src/beta/x", "mine again\n", "c2"))
    assert client.waiting()["id"] == 2
    assert [r["kind"] for r in session.requests()] == ["held", "held"]


def test_in_a_worktree_the_request_is_about_its_own_files(session):
    client = Client(session, isolation="worktree")
    lane = session.root.with_name("repo.worktrees") / "alpha"
    payload = {**write(lane, "src/beta/x", "mine\n"), "cwd": str(lane)}
    number = client.ask(payload)
    request = client.waiting()
    assert (request["paths"], request["lane"]) == (["src/beta/x"], "alpha")
    assert "+mine" in session.json("requests")[0]["diff"]
    session.command("approve", "1")
    assert client.decision(number)[0] == "allow"
    decision, reason = client.decision(client.ask(write(session.root, "src/alpha/x", "mine\n", "c2")))
    assert decision == "deny"
    assert "it is in another's working tree" in reason


def test_without_an_engine_owned_passes_and_foreign_is_denied_in_words(session):
    client = Client(session)
    session.kill_engine()
    for path in ("src/alpha/x", "free", "src/beta/build/o"):
        assert client.decision(client.ask(write(session.root, path, "x\n"))) == ("no opinion", "")
    decision, reason = client.decision(client.ask(write(session.root, "src/beta/x", "x\n")))
    assert decision == "deny"
    assert "src/beta/x is beta's; no engine runs that could ask" in reason
    session.start()
    session.until("the engine", lambda: session.command("status").returncode == 0)


def test_an_engine_that_is_killed_while_a_hook_waits_is_asked_again_when_it_is_back(session):
    client = Client(session)
    number = client.ask(write(session.root, "src/beta/x", "mine\n"))
    client.waiting()
    session.kill_engine()
    session.start()
    session.until("an answer", lambda: session.command("approve", "1").returncode == 0)
    assert client.decision(number)[0] == "allow"
    assert len(session.requests()) == 1


def test_hostile_payloads_are_denied_in_words_and_ask_nobody(session):
    client = Client(session)
    root = session.root
    for payload in (
        "",
        "not json",
        "[]",
        "{" * 5000,
        '{"hook_event_name":"PreToolUse"}',
        claude(root, "Write", file_path="src/beta/\0x", content="x"),
        claude(root, "Write", file_path="src/beta/" + "x" * 70_000, content="x"),
        claude(root, "Write", file_path="src/beta/x", content="x" * (4 << 20)),
    ):
        decision, reason = client.decision(client.ask(payload))
        assert decision == "deny"
        assert reason.startswith("Runebook: not done, because ")
    assert session.requests() == []


# ── what each client sends and understands ──────────────────────────────────────────────────────

NAMED = {"hook_event_name": "PreToolUse", "session_id": "s1", "tool_use_id": "t1"}
FOREIGN = "src/beta/x"
ASKED = {
    "claude": {**NAMED, "tool_name": "Edit", "tool_input": {"old_string": "first", "new_string": "1st"}},
    "qwen": {**NAMED, "tool_name": "write_file", "tool_input": {"content": "x"}},
    "gemini": {
        "hook_event_name": "BeforeTool",
        "session_id": "s1",
        "timestamp": "2026-11-23T08:00:00Z",
        "tool_name": "replace",
        "tool_input": {"old_string": "first", "new_string": "1st"},
    },
    "copilot": {"sessionId": "s1", "timestamp": 1, "toolName": "create", "toolArgs": {"file_text": "x"}},
    "cursor": {**NAMED, "tool_name": "Write", "tool_input": {"contents": "x"}},
    "goose": {
        **NAMED,
        "tool_name": "developer__text_editor",
        "tool_input": {"command": "write", "file_text": "x"},
    },
    "opencode": {
        "event": "tool.execute.before",
        "sessionID": "s1",
        "callID": "t1",
        "tool": "edit",
        "args": {"oldString": "first", "newString": "1st"},
    },
    "codex": {**NAMED, "tool_name": "apply_patch", "tool_input": {}},
}
SAID = {
    "claude": lambda said: said["hookSpecificOutput"]["permissionDecisionReason"],
    "qwen": lambda said: said["hookSpecificOutput"]["permissionDecisionReason"],
    "codex": lambda said: said["hookSpecificOutput"]["permissionDecisionReason"],
    "gemini": lambda said: said["decision"] == "deny" and said["reason"],
    "copilot": lambda said: said["permissionDecision"] == "deny" and said["permissionDecisionReason"],
    "cursor": lambda said: said["permission"] == "deny" and said["agent_message"],
    "goose": lambda said: said["decision"] == "block" and said["reason"],
    "opencode": lambda said: said["decision"] == "deny" and said["reason"],
}
PATH_FIELD = {"copilot": "path", "goose": "path", "opencode": "filePath"}


def test_every_client_is_denied_in_its_own_form(session):
    client = Client(session, away="refuse")
    for name, asked in ASKED.items():
        given = dict(asked.get("tool_input") or asked.get("toolArgs") or asked.get("args") or {})
        given[PATH_FIELD.get(name, "file_path")] = str(session.root / FOREIGN)
        if name == "codex":
            given = {
                "command": f"*** Begin Patch\n*** Update File: {FOREIGN}\n@@\n-first\n+1st\n*** End Patch"
            }
        inner = {"copilot": "toolArgs", "opencode": "args"}.get(name, "tool_input")
        client.client = name
        out, err, status = client.answer(client.ask({**asked, "cwd": str(session.root), inner: given}))
        reason = SAID[name](json.loads(out))
        assert f"{FOREIGN} is beta's; the plan refuses it at once" in reason, name
        assert (status, bool(err)) == ((2, True) if name in ("goose", "opencode") else (0, False)), name
    assert {r["requester"] for r in session.requests()} == {"alpha"}


# ── what the client does ────────────────────────────────────────────────────────────────────────


def test_state_comes_from_the_source_one_record_a_change(session):
    client = Client(session)
    root = session.root
    common = {"session_id": "5e551011", "cwd": str(root)}
    client.ask({**common, "hook_event_name": "SessionStart", "source": "startup", "model": "opus"})
    client.ask({**common, "hook_event_name": "UserPromptSubmit", "prompt": "go"})
    for call in ("c1", "c2"):
        client.ask(write(root, "src/alpha/x", "x\n", call))
        client.ask(claude(root, "Write", call, "PostToolUse", file_path=str(root / "src/alpha/x")))
    notice = {
        "hook_event_name": "Notification",
        "notification_type": "permission_prompt",
        "message": "May I?",
    }
    client.ask({**common, **notice})
    client.ask({**common, "hook_event_name": "Stop"})
    client.ask({**common, "hook_event_name": "StopFailure", "error": "rate_limit"})
    last = client.ask({**common, "hook_event_name": "SessionEnd", "reason": "exit"})
    client.answer(last)
    with open_log(root) as log:
        told = [r.event for r in log.read(types=["ActivityChanged"])]
        nets = [r.event for r in log.read(types=["NetReported"]) if r.event.net == "hook"]
    assert [(str(e.activity), e.about) for e in told] == [
        ("idle", ""),
        ("working", ""),
        ("waiting for input", "May I?"),
        ("idle", ""),
        ("rate-limited", "rate_limit"),
        ("done", "exit"),
    ]
    assert {(e.session, e.model, e.client) for e in told} == {("5e551011", "opus", "Claude Code")}
    assert [(n.agent, n.holds, n.reason) for n in nets] == [("alpha", True, "Claude Code")]
    (alpha, _) = session.json("status")["agents"]
    assert alpha["hook"] == {"seen": True, "client": "Claude Code"}
    assert alpha["activity"]["state"] == "done"
    assert alpha["activity"]["session"] == "5e551011"
    assert "Claude Code has ended its session" in session.command("status").stdout


def test_commands_that_ran_are_in_the_log_without_secrets(session):
    client = Client(session)
    root = session.root
    command = "curl -H 'Authorization: Bearer abcdef123456' http://localhost; false"
    client.ask(claude(root, "Bash", command=command))
    failed = claude(root, "Bash", event="PostToolUseFailure", command=command)
    client.ask({**failed, "error": "Exit code 1\nno", "duration_ms": 1250})
    done = claude(root, "Bash", "c2", "PostToolUse", command="true")
    client.answer(client.ask({**done, "tool_response": {"stdout": "", "stderr": "", "interrupted": False}}))
    ran = [record for record in session.json("log") if record["type"] == "CommandRan"]
    assert [(each["code"], each["failed"], each["seconds"]) for each in ran] == [
        (1, True, 1.25),
        (0, False, None),
    ]
    assert ran[0]["command"] == "curl -H 'Authorization: Bearer [hidden]' http://localhost; false"
    assert "abcdef123456" not in session.command("log").stdout
