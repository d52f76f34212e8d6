"""The tools for agents, by the SDK's own client: from inside a gated pane, and from the operator's shell."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from session_play import WAITING, Session

PLAN = """
[plan]
name = "tools"

[policy]
hold_seconds = 300

[[phases]]
id = "build"

[[agents]]
id = "alpha"
phase = "build"
command = ["sh", "alpha.sh"]
claims = ["alpha/**"]
tasks = [{ id = "a-1", title = "First" }, { id = "a-2" }]

[[agents]]
id = "beta"
phase = "build"
command = ["sleep", "600"]
claims = ["beta/**"]

[[shared]]
path = "core/**"
owner = "beta"

[[interfaces]]
name = "alpha-api"
owner = "alpha"
path = "alpha/api.py"
must_contain = ["def call"]

[[interfaces]]
name = "beta-api"
owner = "beta"
path = "beta/api.py"
"""

INSIDE = """
import asyncio, json, os, sys
from mcp import Client, StdioServerParameters

def note(name, result):
    said = {"error": result.is_error, "data": result.structured_content,
            "text": "".join(each.text for each in result.content)}
    with open("alpha/said.new", "w") as file:
        json.dump(said, file)
    os.replace("alpha/said.new", f"alpha/{name}.json")

async def main():
    server = StdioServerParameters(command=sys.executable, args=["-P", "-m", "runebook_tui", "mcp"],
                                   env={**os.environ, "RUNEBOOK_AGENT": "beta"})
    async with Client(server) as client:
        for step in sys.argv[1:]:
            name, _, given = step.partition(" ")
            tool, _, words = given.partition(" ")
            if tool == "wait":
                while not os.path.exists(words):
                    await asyncio.sleep(0.05)
            else:
                note(name, await client.call_tool(tool, json.loads(words or "{}")))

asyncio.run(main())
"""


def prepared(session: Session, *steps: str) -> None:
    """A session at work in which alpha's agent is an MCP client that takes `steps`."""
    for folder in ("alpha", "beta"):
        (session.root / folder).mkdir()
        (session.root / folder / "kept").touch()
    (session.root / "client.py").write_text(INSIDE)
    words = " ".join(f"'{step}'" for step in steps)
    (session.root / "alpha.sh").write_text(f'"$PYTHON" client.py {words}\n' + WAITING.format("end"))
    session.plan(PLAN)
    session.start()


def said(session: Session, name: str) -> dict[str, Any]:
    """What the tool answered that alpha's client called as step `name`."""
    path = session.root / "alpha" / f"{name}.json"
    session.until(f"the answer {name}", path.exists)
    answer: dict[str, Any] = json.loads(path.read_text())
    return answer


def from_the_shell(session: Session, **more: str) -> Client:
    """A client such as the operator would start by hand."""
    arguments = ["-P", "-m", "runebook_tui", "mcp"]
    environment = {**session.environment, **more}
    return Client(
        StdioServerParameters(command=sys.executable, args=arguments, env=environment, cwd=session.root)
    )


def test_an_agent_is_told_who_it_is_by_its_process_whatever_its_environment_says(session):
    prepared(
        session,
        "me who_am_i",
        "mine my_boundaries",
        'own who_owns {"path": "alpha/x"}',
        'theirs who_owns {"path": "beta/x"}',
        f'absolute who_owns {{"path": "{session.root}/core/x"}}',
        'plan who_owns {"path": "runebook.toml"}',
        'outside who_owns {"path": "/etc/passwd"}',
        'above who_owns {"path": "../x"}',
    )
    me = said(session, "me")["data"]
    assert (me["agent"], me["phase"], me["status"]) == ("alpha", "build", "running")
    assert [task["id"] for task in me["tasks"]] == ["a-1", "a-2"]
    assert (me["gate"]["asked_for"], me["hook"]) == ("enforce", "")
    mine = said(session, "mine")["data"]
    assert mine["claims"] == ["alpha/**"]
    assert mine["others"] == [{"pattern": "beta/**", "owner": "beta"}]
    assert mine["shared"] == [{"pattern": "core/**", "owner": "beta"}]
    assert (mine["unowned"], mine["away"], mine["grants"]) == ("allow", "hold", [])
    told = {name: said(session, name)["data"] for name in ("own", "theirs", "absolute", "plan")}
    assert {name: (each["owner"], each["shared"], each["you_may_write"]) for name, each in told.items()} == {
        "own": ("alpha", False, True),
        "theirs": ("beta", False, False),
        "absolute": ("beta", True, False),
        "plan": ("operator", False, False),
    }
    for name in ("outside", "above"):
        answer = said(session, name)
        assert answer["error"]
        assert "repository" in answer["text"]


def test_an_agent_asks_goes_on_and_gets_the_answer_word_for_word(session):
    prepared(
        session,
        'ask request_access {"paths": ["beta/x", "alpha/y"], "reason": "a limit"}',
        'open wait_for_decision {"ticket": 1, "seconds": 0}',
        'no wait_for_decision {"ticket": 1, "seconds": 45}',
        'again request_access {"paths": ["beta/x"], "reason": "still"}',
        'yes wait_for_decision {"ticket": 2, "seconds": 45}',
        'now who_owns {"path": "beta/x"}',
        "all my_requests",
        'mine request_access {"paths": ["alpha/y"], "reason": "mine"}',
        'long wait_for_decision {"ticket": 1, "seconds": 600}',
        'none wait_for_decision {"ticket": 99, "seconds": 1}',
    )
    asked = said(session, "ask")["data"]
    assert asked["ticket"] == 1
    assert "go on with other work" in asked["words"]
    request = session.until("the request", session.requests)[0]
    assert (request["requester"], request["paths"], request["reason"]) == ("alpha", ["beta/x"], "a limit")
    assert said(session, "open")["data"]["status"] == "open"
    reason = 'nein — ask [beta] first; it\'s "theirs"'
    assert session.command("reject", "1", "--reason", reason).returncode == 0
    no = said(session, "no")["data"]
    assert (no["status"], no["reason"]) == ("rejected", reason)
    said(session, "again")
    assert session.command("approve", "2").returncode == 0
    yes = said(session, "yes")["data"]
    assert (yes["status"], yes["scope"]) == ("approved", "once")
    assert said(session, "now")["data"]["you_may_write"] is True
    listed = said(session, "all")["data"]["requests"]
    assert [(each["ticket"], each["status"]) for each in listed] == [(1, "rejected"), (2, "approved")]
    assert listed[0]["reason"] == reason
    assert said(session, "mine")["data"]["ticket"] is None
    assert said(session, "long")["error"]
    assert "there is no request 99" in said(session, "none")["text"]


def test_an_agent_does_its_tasks_and_publishes(session):
    prepared(
        session,
        'start start_task {"task": "a-1"}',
        'early publish_api {"name": "alpha-api"}',
        "- wait alpha/api.py",
        'publish publish_api {"name": "alpha-api"}',
        'theirs publish_api {"name": "beta-api"}',
        "apis list_apis",
        'done finish_task {"task": "a-1", "note": "all of it"}',
        'stuck block_task {"task": "a-2", "reason": "no idea"}',
        "tasks list_tasks",
        "ideas suggestions",
    )
    assert said(session, "start")["data"]["status"] == "in progress"
    assert "there is no file alpha/api.py" in said(session, "early")["text"]
    (session.root / "alpha/api.py").write_text("def call(): ...\n")
    assert said(session, "publish")["data"]["version"] == 1
    assert "beta's to publish" in said(session, "theirs")["text"]
    apis = {each["name"]: each["published"] for each in said(session, "apis")["data"]["apis"]}
    assert apis == {"alpha-api": True, "beta-api": False}
    assert said(session, "done")["data"]["status"] == "completed"
    stuck = said(session, "stuck")["data"]
    assert (stuck["status"], stuck["reason"]) == ("blocked", "no idea")
    tasks = {each["id"]: each["status"] for each in said(session, "tasks")["data"]["tasks"]}
    assert tasks == {"a-1": "completed", "a-2": "blocked"}
    assert said(session, "ideas")["data"] == {"suggestions": []}
    assert session.state().tasks["a-2"].reason == "no idea"


def test_the_tools_outlive_the_engine_and_find_the_next_one(session):
    prepared(
        session,
        "before who_am_i",
        "- wait no-engine",
        "without who_am_i",
        'ask request_access {"paths": ["beta/x"], "reason": "now"}',
        "- wait engine",
        "after who_am_i",
    )
    assert said(session, "before")["data"]["agent"] == "alpha"
    session.until_gate("alpha")
    session.kill_engine()
    (session.root / "no-engine").touch()
    for name in ("without", "ask"):
        answer = said(session, name)
        assert answer["error"]
        assert "engine does not run" in answer["text"]
        assert "\n" not in answer["text"]
    session.start()
    session.until("the engine", lambda: session.command("status").returncode == 0)
    session.until("its socket", lambda: (session.root / ".runebook/socket").exists())
    (session.root / "engine").touch()
    assert said(session, "after")["data"]["agent"] == "alpha"


def test_an_agent_finds_the_engine_without_the_state_folder(session):
    prepared(session, "- wait go", "me who_am_i")
    session.until_gate("alpha")
    pointer = session.root / ".runebook/socket"
    pointer.unlink()
    (session.root / "go").touch()
    assert said(session, "me")["data"]["agent"] == "alpha"


async def test_the_operator_may_read_and_is_told_whom_the_tools_are_for(session):
    prepared(session)
    session.until_gate("alpha")
    async with from_the_shell(session, RUNEBOOK_AGENT="alpha") as client:
        listed = await client.list_tools()
        names = {tool.name for tool in listed.tools}
        me = await client.call_tool("who_am_i", {})
        owner = await client.call_tool("who_owns", {"path": "beta/x"})
        apis = await client.call_tool("list_apis", {})
        asked = await client.call_tool("request_access", {"paths": ["beta/x"], "reason": "me"})
        published = await client.call_tool("publish_api", {"name": "beta-api"})
        plan = await client.read_resource("runebook://plan")
    assert names == {
        "who_am_i", "my_boundaries", "who_owns", "request_access", "wait_for_decision", "my_requests",
        "list_apis", "publish_api", "start_task", "finish_task", "block_task", "list_tasks", "suggestions",
        "send_message", "read_messages", "recommend",
    }  # fmt: skip
    assert all(tool.description and tool.output_schema for tool in listed.tools)
    assert me.structured_content["agent"] is None
    assert "for the agents that Runebook runs" in me.structured_content["words"]
    assert owner.structured_content["owner"] == "beta"
    assert owner.structured_content["you_may_write"] is None
    assert len(apis.structured_content["apis"]) == 2
    for refused in (asked, published):
        assert refused.is_error
        assert "for the agents that Runebook runs" in refused.content[0].text
    assert json.loads(plan.contents[0].text)["plan"]["name"] == "tools"
    assert session.requests() == []


async def test_hostile_names_reach_the_model_as_text(session):
    prepared(session)
    session.until_gate("alpha")
    async with from_the_shell(session) as client:
        answer = await client.call_tool("who_owns", {"path": "beta/\x1b[2J\u202ex"})
        long = await client.call_tool("who_owns", {"path": "x" * 100_000})
    assert answer.structured_content["path"] == "beta/␛[2J\\u202ex"
    assert answer.structured_content["owner"] == "beta"
    assert long.is_error
    assert len(long.content[0].text) < 1000


def test_without_the_extra_one_line_says_how_to_get_it(session):
    session.plan(PLAN)
    program = (
        "import sys; sys.modules['mcp'] = None; import runebook_tui.__main__ as m; sys.exit(m.main(['mcp']))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=session.root, env=session.environment,
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert (
        done.stderr
        == "runebook-tui: the tools for agents need the MCP SDK: pip install 'runebook-tui[mcp]'\n"
    )


@pytest.mark.parametrize("given", [b"not json\n", b'{"jsonrpc": "2.0", "method": 5}\n', b"\xff\xfe\x00\n"])
def test_what_is_no_message_does_not_end_the_server(session, given):
    session.plan(PLAN)
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        },
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "runebook_tui", "mcp"], cwd=session.root, env=session.environment,
        input=given + json.dumps(hello).encode() + b"\n", capture_output=True, timeout=60,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(each.get("id") == 1 and "result" in each for each in answers)


def test_an_agent_reads_and_sends_messages_and_recommends_about_its_own_files_only(session):
    prepared(
        session,
        "go wait go",
        "me who_am_i",
        "new read_messages",
        "none read_messages",
        'sent send_message {"to": ["beta", "operator"], "text": "done"}',
        'nobody send_message {"to": ["delta"], "text": "done"}',
        'advice recommend {"ticket": 1, "recommendation": "reject", "reason": "not yet"}',
        'again recommend {"ticket": 2, "recommendation": "approve"}',
    )
    session.until_gate("alpha")
    session.json("ask", "alpha/x", "--no-wait", "--agent", "beta")
    session.json("ask", "core/x", "--no-wait", "--agent", "alpha")
    session.json("tell", "alpha", "the schema moved")
    (session.root / "go").touch()
    assert said(session, "me")["data"]["unread"] == 1
    (message,) = said(session, "new")["data"]["messages"]
    assert (message["sender"], message["text"]) == ("operator", "the schema moved")
    assert said(session, "none")["data"]["messages"] == []
    assert said(session, "sent")["data"]["sender"] == "alpha"
    assert "the plan has no agent 'delta'" in said(session, "nobody")["text"]
    assert said(session, "advice")["data"] == {"ticket": 1, "recommendation": "reject", "reason": "not yet"}
    assert "is about paths of beta, not of alpha" in said(session, "again")["text"]
    assert [each["text"] for each in session.json("inbox")] == ["done"]
    assert [each["advice"] for each in session.json("requests")[0]["recommendations"]] == ["reject"]
